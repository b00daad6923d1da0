// The one error type of the product and its closed list of codes.
// Belongs here: what went wrong, as a value.  Not here: how it is printed (app) or retried (net).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crategate {

/// What kind of failure this is; each code has exactly one exit code and one name (docs/errors.md).
enum class ErrorCode : std::uint8_t {
  bad_input,             ///< 2: a file, option, event or template the user can correct
  gate_refused,          ///< 10: what would be published is not what was tested
  tests_failed,          ///< 11: tests or static checks failed, or ran no test
  scan_policy,           ///< 12
  drifted,               ///< 13: committed generated files differ
  awaited_build_failed,  ///< 14
  wait_timed_out,        ///< 15
  unauthenticated,       ///< 20
  forbidden,             ///< 21
  not_found,             ///< 22
  rate_limited,          ///< 23
  unavailable,           ///< 24: a remote did not answer, or answered 5xx
  integrity,             ///< 25: bytes do not match their digest or contradict themselves
  github_api,            ///< 30
  artifact_service,      ///< 31
  engine,                ///< 40: Docker engine, BuildKit
  no_space,              ///< 41
  conflict,              ///< 50
  rolled_back,           ///< 51
  needs_person,          ///< 52
  internal,              ///< 70: a defect of crategate
  interrupted,           ///< 130: SIGINT
  terminated,            ///< 143: SIGTERM
};

/// Where in a user's file the failure is. Line and column count from 1; 0 = unknown.
struct Location {
  std::string file;
  int line = 0;
  int column = 0;
  bool operator==(const Location&) const = default;
};

/// What a server answered. `url` is already without credentials, queries and fragments.
struct HttpFailure {
  std::string method;
  std::string url;
  int status = 0;          ///< 0 = no answer at all
  std::string code;        ///< the registry's or API's own error code
  std::string request_id;  ///< for a support ticket
  bool operator==(const HttpFailure&) const = default;
};

/// A failure: what, expected and found in `message`; what to do in `hint`.
struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;
  std::string hint;
  std::vector<std::string> context;  ///< outermost last: "reading crategate.yml"
  std::optional<Location> location;
  std::optional<HttpFailure> http;
  /// An earlier try of what failed had no answer, and may still take effect.
  bool unsettled = false;

  /// The same error seen from further out; the frame is printed in front of the message.
  Error within(std::string frame) &&;
  Error at(Location where) &&;
};

/// Exit code of `spec §4`; the only mapping there is.
int exit_code(ErrorCode code);
/// Stable kebab-case name ("gate-refused"), printed in the last lines and in docs/errors.md.
std::string_view name(ErrorCode code);
/// One line: "file:line:column: context: message [GET https://… 503 CODE]"; no hint.
std::string describe(const Error& error);
/// True where trying again may help without anybody changing anything.
bool is_transient(ErrorCode code);

}  // namespace crategate
