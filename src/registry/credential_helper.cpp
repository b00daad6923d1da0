// The helpers' protocol: the server's name in, JSON or one line of complaint out.
#include "registry/credential_helper.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "json/value.h"
#include "sys/cancel.h"

namespace crategate::registry {
namespace {

constexpr std::chrono::seconds kTimeLimit{30};
constexpr std::size_t kOutputLimit = 64U << 10U;
constexpr std::size_t kLongestName = 64, kLongestComplaint = 200;
constexpr std::string_view kHubServer = "https://index.docker.io/v1/";
constexpr std::string_view kTokenUser = "<token>";  ///< instead of a user name: the secret is an identity token

// What helpers of the clouds, of pass and of the desktop's secret service need besides.
constexpr std::array<std::string_view, 6> kPrefixes{"AWS_", "AZURE_", "CLOUDSDK_", "GOOGLE_", "IDENTITY_", "MSI_"};
constexpr std::array<std::string_view, 11> kNames{
    "DOCKER_CONFIG", "USER",    "GNUPGHOME",       "GPG_TTY",       "PASSWORD_STORE_DIR",      "XDG_RUNTIME_DIR",
    "DISPLAY",       "LOGNAME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "DBUS_SESSION_BUS_ADDRESS"};

std::vector<std::string> kept_variables(const sys::Environment& environment) {
  std::vector<std::string> kept(kNames.begin(), kNames.end());
  for (const auto& [name, value] : environment.all()) {
    const auto opens = [&name = name](std::string_view prefix) { return name.starts_with(prefix); };
    if (std::ranges::any_of(kPrefixes, opens)) kept.push_back(name);
  }
  return kept;
}

bool is_plain_name(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return !name.empty() && name.size() <= kLongestName && name.front() != '-' && name.front() != '.' &&
         std::ranges::all_of(name, plain);
}

Failure unauthenticated(const std::string& program, const std::string& registry, std::string_view found) {
  return fail(ErrorCode::unauthenticated,
              concat(program, ": expected the login for registry ", registry, ", found ", found),
              concat("run `", program, " get` by hand, correct credHelpers or credsStore in docker's config.json, or ",
                     "give username and password"));
}

/// Its first line, harmless; what looks like its answer is not shown.
std::string complaint_of(const sys::ProcessOutcome& outcome) {
  const std::string& text = trim(outcome.out).empty() ? outcome.err : outcome.out;
  const std::string_view whole = trim(text);
  const std::string_view line = trim(whole.substr(0, whole.find_first_of("\r\n")));
  if (line.empty() || line.front() == '{') return {};
  return concat(": ", neutralise(redact(line.substr(0, kLongestComplaint))));
}

Result<std::optional<Credentials>> read_answer(const std::string& text, const std::string& program,
                                               const std::string& registry) {
  const auto document = json::Document::parse(text, "answer");
  if (!document || !document->root().is_object()) return unauthenticated(program, registry, "no JSON object");
  auto username = document->root().string_or("Username", ""), secret = document->root().string_or("Secret", "");
  if (!username || !secret) return unauthenticated(program, registry, "a Username or Secret that is no text");
  if (secret->empty()) return std::nullopt;
  Credentials login;
  if (*username == kTokenUser) {
    login.identity_token = Secret(*std::move(secret));
  } else {
    login = {*std::move(username), Secret(*std::move(secret))};
  }
  if (login.empty()) return unauthenticated(program, registry, "a secret without a user name");
  return login;
}

Result<std::optional<Credentials>> read_outcome(const sys::ProcessOutcome& outcome, const std::string& program,
                                                const std::string& registry) {
  if (outcome.cancelled) {
    return fail(sys::cancellation().value_or(ErrorCode::interrupted), concat(program, ": stopped, as the run was"));
  }
  if (outcome.timed_out) {
    return unauthenticated(program, registry, concat("no answer within ", kTimeLimit.count(), " s"));
  }
  if (outcome.dropped > 0 && outcome.out.size() >= kOutputLimit)
    return unauthenticated(program, registry, concat("more than ", kOutputLimit, " bytes"));
  if (outcome.exit_code == 0) return read_answer(outcome.out, program, registry);
  if (outcome.out.find("credentials not found") != std::string::npos) return std::nullopt;
  return unauthenticated(program, registry, concat("exit code ", outcome.exit_code, complaint_of(outcome)));
}

}  // namespace

Result<std::optional<Credentials>> CredentialHelpers::ask(const std::string& name, const std::string& registry) const {
  if (!is_plain_name(name)) {
    return fail(ErrorCode::bad_input,
                concat("docker's config.json: expected the name of a credential helper, as in docker-credential-NAME, ",
                       "found ", crategate::quoted(name)),
                "correct credHelpers or credsStore");
  }
  sys::Command command{.program = concat("docker-credential-", name),
                       .arguments = {"get"},
                       .directory = {},
                       .environment = sys::tool_environment(environment_, workspace_, kept_variables(environment_)),
                       .input = registry == "docker.io" ? std::string(kHubServer) : registry};
  const std::string& program = command.program;
  const auto ran = processes_.run(command, {.timeout = kTimeLimit, .capture_limit = kOutputLimit});
  if (!ran && ran.error().code == ErrorCode::not_found) return fail(ran.error());
  if (!ran) return unauthenticated(program, registry, ran.error().message);
  return read_outcome(*ran, program, registry);
}

Result<std::optional<Credentials>> find_login(const DockerConfig& config, const CredentialHelpers& helpers,
                                              const std::string& registry) {
  const std::string helper = config.helper_for(registry);
  auto in_file = config.login_for(registry);
  if (helper.empty()) return in_file;
  auto answer = helpers.ask(helper, registry);
  if (answer || answer.error().code != ErrorCode::not_found) return answer;
  if (in_file) return in_file;
  return unauthenticated(concat("docker-credential-", helper), registry, "no such program on PATH");
}

}  // namespace crategate::registry
