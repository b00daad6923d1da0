#include "git/kept_logins.h"

#include <chrono>
#include <string_view>

#include "base/strings.h"
#include "git/invocation.h"
#include "git/remote_address.h"
#include "sys/cancel.h"

namespace crategate::git {
namespace {

constexpr std::chrono::seconds kTimeLimit{30};
constexpr int kNone = 1;  ///< exit code of git config
constexpr std::string_view kLogins =
    R"(^(http\.(.*\.)?(extraheader|cookiefile)|credential\.(.*\.)?helper|core\.(sshcommand|askpass))$)";
constexpr std::string_view kAddresses = R"(^(remote\..*\.(url|pushurl)|url\..*\.(pushinsteadof|insteadof))$)";

/// The address that a key with such a value is about.
std::string address_of(const std::string& key, const std::string& value) {
  if (!key.starts_with("url.")) return value;
  const auto first = key.find('.') + 1;
  return key.substr(first, key.rfind('.') - first);
}

/// A key as it may be shown: what is between its first and its last dot can be an address.
std::string shown(const std::string& key) {
  const auto first = key.find('.'), last = key.rfind('.');
  if (first == last) return key;
  const auto address = parse_remote_address(key.substr(first + 1, last - first - 1));
  return address ? concat(key.substr(0, first + 1), address->shown, key.substr(last)) : key;
}

bool has_login(const std::string& address) {
  const auto parsed = parse_remote_address(address);
  return parsed && !parsed->password.empty();
}

class Configuration {
 public:
  Configuration(sys::ProcessRunner& processes, const sys::Environment& environment, const sys::Path& directory)
      : processes_(processes), environment_(environment), directory_(directory) {}

  /// Key and value of those that match; empty outside of a repository.
  Result<std::vector<std::pair<std::string, std::string>>> entries(std::string_view pattern) {
    sys::Command command{.program = "git",
                         .arguments = safe_options(environment_, directory_),
                         .environment = local_environment(environment_, directory_)};
    command.arguments.insert(command.arguments.end(), {"-C", directory_.string(), "config", "--local", "--includes",
                                                       "--null", "--get-regexp", std::string(pattern)});
    CG_TRY(const auto outcome, processes_.run(command, {.timeout = kTimeLimit}));
    if (outcome.cancelled) CG_CHECK(sys::check_cancelled());
    std::vector<std::pair<std::string, std::string>> found;
    const bool no_repository = outcome.err.find("only be used inside a git repository") != std::string::npos;
    if (outcome.exit_code == kNone || no_repository) return found;
    if (outcome.exit_code != 0 || outcome.dropped > 0) {
      return fail(
          ErrorCode::bad_input,
          concat("the checkout's configuration: expected one that git reads, found ", quoted(trim(outcome.err), 300)),
          "Check the project out anew.");
    }
    for (const std::string& entry : split(outcome.out, '\0')) {
      const auto end = entry.find('\n');
      if (end != std::string::npos) found.emplace_back(entry.substr(0, end), entry.substr(end + 1));
    }
    return found;
  }

 private:
  sys::ProcessRunner& processes_;
  const sys::Environment& environment_;
  const sys::Path& directory_;
};

}  // namespace

Result<std::vector<std::string>> kept_logins(sys::ProcessRunner& processes, const sys::Environment& environment,
                                             const sys::Path& directory) {
  Configuration configuration(processes, environment, directory);
  std::vector<std::string> keys;
  CG_TRY(const auto logins, configuration.entries(kLogins));
  for (const auto& [key, value] : logins)
    if (!trim(value).empty()) keys.push_back(shown(key));
  CG_TRY(const auto addresses, configuration.entries(kAddresses));
  for (const auto& [key, value] : addresses)
    if (has_login(address_of(key, value))) keys.push_back(shown(key));
  return keys;
}

}  // namespace crategate::git
