#include "git/remote_access.h"

#include <algorithm>
#include <filesystem>

#include "base/strings.h"
#include "git/invocation.h"
#include "sys/cancel.h"

namespace crategate::git {
namespace {

constexpr std::chrono::seconds kTimeLimit{30};
constexpr std::string_view kDefaultServer = "https://github.com";

using Configuration = std::vector<std::pair<std::string, std::string>>;

/// Asking the checkout: reads its configuration, runs nothing of it.
class Checkout {
 public:
  Checkout(sys::ProcessRunner& processes, const sys::Environment& environment, const sys::Path& directory)
      : processes_(processes),
        directory_(directory),
        environment_(local_environment(environment, directory)),
        options_(safe_options(environment, directory)),
        in_job_(environment.get("GITHUB_ACTIONS").value_or("") == "true") {
    if (in_job_) return;
    environment_.erase("GIT_CONFIG_NOSYSTEM");
    environment_.erase("GIT_CONFIG_GLOBAL");
  }
  bool in_job() const { return in_job_; }
  const std::map<std::string, std::string>& environment() const { return environment_; }

  Result<sys::ProcessOutcome> git(const std::vector<std::string>& arguments) {
    sys::Command command{.program = "git", .arguments = options_, .environment = environment_};
    command.arguments.insert(command.arguments.end(), {"-C", directory_.string()});
    command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
    CG_TRY(auto outcome, processes_.run(command, {.timeout = kTimeLimit}));
    if (outcome.cancelled) CG_CHECK(sys::check_cancelled());
    return outcome;
  }

 private:
  sys::ProcessRunner& processes_;
  const sys::Path& directory_;
  std::map<std::string, std::string> environment_;
  std::vector<std::string> options_;
  bool in_job_;
};

Result<void> check_name(const std::string& name) {
  const bool plain = !name.empty() && !name.starts_with('-') && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
  if (plain) return {};
  return fail(ErrorCode::bad_input,
              concat("the git remote: expected a name, an address or a path, found ", quoted(name)),
              "write for example origin");
}

Result<RemoteAddress> named_address(Checkout& checkout, const std::string& name, Use use) {
  CG_CHECK(check_name(name));
  std::vector<std::string> question = {"remote", "get-url"};
  if (use == Use::exchange) question.emplace_back("--push");
  question.push_back(name);
  CG_TRY(const auto shown, checkout.git(question));
  if (shown.exit_code != 0)
    return fail(ErrorCode::bad_input,
                concat("the git remote ", quoted(name), ": expected one of the checkout, found none"),
                "check the project out with git, or give the remote's address (release.lease-remote)");
  CG_TRY(auto address, parse_remote_address(shown.out.substr(0, shown.out.find('\n'))));
  if (!checkout.in_job() || address.kind != RemoteAddress::Kind::local) return address;
  // The programs and hooks of a repository on this machine would run here, and any step may have written its path.
  return fail(ErrorCode::bad_input,
              concat("the git remote ", quoted(name), ": expected https or ssh in a job, found the path ",
                     quoted(address.shown)),
              "Give the path itself, if it is meant (release.lease-remote).");
}

Result<RemoteAddress> given_address(const sys::Path& directory, const std::string& remote) {
  const bool relative = remote.starts_with('.') || (remote.find(':') == std::string::npos && !remote.starts_with('/'));
  CG_TRY(auto address, parse_remote_address(relative ? (directory / remote).lexically_normal().string() : remote));
  if (address.password.empty()) return address;
  return fail(ErrorCode::bad_input, concat("the git remote ", address.shown, ": expected no login in the address"),
              "Settings are printed: give the login to the checkout (actions/checkout), or as github-token.");
}

/// Those of the checkout. What is no answer is none: an address can be used without a checkout.
Result<Configuration> headers_of(Checkout& checkout) {
  CG_TRY(const auto found,
         checkout.git({"config", "--local", "--includes", "--null", "--get-regexp", R"(^http\.(.*\.)?extraheader$)"}));
  Configuration headers;
  if (found.exit_code != 0 || found.dropped > 0) return headers;
  for (const std::string& entry : split(found.out, '\0')) {
    const std::size_t end = entry.find('\n');
    if (end == std::string::npos) continue;
    headers.emplace_back(entry.substr(0, end), entry.substr(end + 1));
    const std::string_view value = trim(headers.back().second);
    // For the redactor: a message may not show it.
    const Secret whole{std::string(value)};
    const Secret last{std::string(value.substr(value.rfind(' ') + 1))};
  }
  return headers;
}

/// `http.https://github.com/.extraheader` is for github.com; `http.extraheader` for every host.
bool is_for(const std::string& key, const RemoteAddress& address) {
  const auto first = key.find('.'), last = key.rfind('.');
  if (first == last) return true;
  const auto of = parse_remote_address(key.substr(first + 1, last - first - 1));
  return of && of->host == address.host;
}

std::string protocol_of(RemoteAddress::Kind kind) {
  switch (kind) {
    case RemoteAddress::Kind::https:
      return "https";
    case RemoteAddress::Kind::ssh:
      return "ssh";
    case RemoteAddress::Kind::local:
      return "file";
  }
  return "none";
}

void add_token(Configuration& headers, const RemoteAddress& address, const sys::Environment& environment,
               const Secret& token) {
  const auto server = parse_remote_address(environment.get("GITHUB_SERVER_URL").value_or(std::string(kDefaultServer)));
  const bool has_login = !address.password.empty() || std::ranges::any_of(headers, [&](const auto& header) {
    return is_for(header.first, address);
  });
  if (has_login || token.empty() || !server || server->host != address.host) return;
  const Secret login(base64(concat("x-access-token:", token.reveal())));
  headers.emplace_back(concat("http.https://", address.host, "/.extraheader"),
                       concat("AUTHORIZATION: basic ", login.reveal()));
}

}  // namespace

Result<void> check_remote(const sys::Path& directory, const std::string& remote) {
  if (!is_remote_address(remote)) return check_name(remote);
  CG_CHECK(given_address(directory, remote));
  return {};
}

Result<RemoteAccess> find_remote_access(sys::ProcessRunner& processes, const sys::Environment& environment,
                                        const sys::Path& directory, const std::string& remote, const Secret& token,
                                        Use use) {
  Checkout checkout(processes, environment, directory);
  CG_TRY(auto address,
         is_remote_address(remote) ? given_address(directory, remote) : named_address(checkout, remote, use));
  const Secret password(address.password);
  Configuration configuration;
  if (address.kind == RemoteAddress::Kind::https) {
    CG_TRY(configuration, headers_of(checkout));
    add_token(configuration, address, environment, token);
  }
  configuration.insert(configuration.end(), {{concat("remote.", kRemoteName, ".url"), address.text},
                                             {"http.followRedirects", "false"},
                                             {"http.lowSpeedLimit", "1"},
                                             {"http.lowSpeedTime", "20"},
                                             {"fetch.fsckObjects", use == Use::history ? "false" : "true"}});
  RemoteAccess access{.address = std::move(address), .variables = checkout.environment()};
  access.variables["GIT_ALLOW_PROTOCOL"] = protocol_of(access.address.kind);
  for (const std::string role : {"AUTHOR", "COMMITTER"}) {
    access.variables[concat("GIT_", role, "_NAME")] = "crategate";
    access.variables[concat("GIT_", role, "_EMAIL")] = "crategate@localhost";
  }
  // An empty program is none; ssh asks the one that always refuses.
  access.variables["GIT_ASKPASS"] = "";
  access.variables["SSH_ASKPASS"] = "/bin/false";
  access.variables["SSH_ASKPASS_REQUIRE"] = "force";
  access.variables["GCM_INTERACTIVE"] = "never";
  if (const auto agent = environment.get("SSH_AUTH_SOCK")) access.variables["SSH_AUTH_SOCK"] = *agent;
  if (const auto bundle = environment.get("SSL_CERT_FILE")) access.variables["GIT_SSL_CAINFO"] = *bundle;
  for (std::size_t i = 0; i < configuration.size(); ++i) {
    access.variables[concat("GIT_CONFIG_KEY_", i)] = configuration[i].first;
    access.variables[concat("GIT_CONFIG_VALUE_", i)] = configuration[i].second;
  }
  access.variables["GIT_CONFIG_COUNT"] = std::to_string(configuration.size());
  return access;
}

}  // namespace crategate::git
