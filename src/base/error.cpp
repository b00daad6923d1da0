// The table of error codes and the one-line form of an error.
// Belongs here: names, exit codes, what is transient.  Not here: hints and colours (app).
#include "base/error.h"

#include <array>
#include <utility>

#include "base/strings.h"

namespace crategate {
namespace {

struct Row {
  ErrorCode code;
  int exit_code;
  std::string_view name;
};

constexpr std::array kRows{
    Row{ErrorCode::bad_input, 2, "bad-input"},
    Row{ErrorCode::gate_refused, 10, "gate-refused"},
    Row{ErrorCode::tests_failed, 11, "tests-failed"},
    Row{ErrorCode::scan_policy, 12, "scan-policy"},
    Row{ErrorCode::drifted, 13, "generated-files-drifted"},
    Row{ErrorCode::awaited_build_failed, 14, "awaited-build-failed"},
    Row{ErrorCode::wait_timed_out, 15, "wait-timed-out"},
    Row{ErrorCode::unauthenticated, 20, "unauthenticated"},
    Row{ErrorCode::forbidden, 21, "forbidden"},
    Row{ErrorCode::not_found, 22, "not-found"},
    Row{ErrorCode::rate_limited, 23, "rate-limited"},
    Row{ErrorCode::unavailable, 24, "unavailable"},
    Row{ErrorCode::integrity, 25, "integrity"},
    Row{ErrorCode::github_api, 30, "github-api"},
    Row{ErrorCode::artifact_service, 31, "artifact-service"},
    Row{ErrorCode::engine, 40, "engine"},
    Row{ErrorCode::no_space, 41, "no-space"},
    Row{ErrorCode::conflict, 50, "conflict"},
    Row{ErrorCode::rolled_back, 51, "rolled-back"},
    Row{ErrorCode::needs_person, 52, "needs-person"},
    Row{ErrorCode::internal, 70, "internal"},
    Row{ErrorCode::interrupted, 130, "interrupted"},
    Row{ErrorCode::terminated, 143, "terminated"},
};

constexpr const Row& row(ErrorCode code) { return kRows[static_cast<std::size_t>(code)]; }

constexpr bool rows_stand_in_enum_order() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<std::size_t>(kRows[i].code) != i) return false;
  }
  return kRows.size() == static_cast<std::size_t>(ErrorCode::terminated) + 1;
}
static_assert(rows_stand_in_enum_order());

std::string describe_location(const Location& where) {
  if (where.line == 0) return concat(where.file, ": ");
  if (where.column == 0) return concat(where.file, ":", where.line, ": ");
  return concat(where.file, ":", where.line, ":", where.column, ": ");
}

std::string describe_http(const HttpFailure& http) {
  std::string text = concat(" [", http.method, " ", http.url, " ");
  text += http.status == 0 ? "no answer" : std::to_string(http.status);
  if (!http.code.empty()) text += concat(" ", http.code);
  if (!http.request_id.empty()) text += concat(", request ", http.request_id);
  return text + "]";
}

}  // namespace

Error Error::within(std::string frame) && {
  context.push_back(std::move(frame));
  return std::move(*this);
}

Error Error::at(Location where) && {
  location = std::move(where);
  return std::move(*this);
}

int exit_code(ErrorCode code) { return row(code).exit_code; }

std::string_view name(ErrorCode code) { return row(code).name; }

std::string describe(const Error& error) {
  std::string text;
  if (error.location) text += describe_location(*error.location);
  for (auto frame = error.context.rbegin(); frame != error.context.rend(); ++frame) text += concat(*frame, ": ");
  text += error.message;
  if (error.http) text += describe_http(*error.http);
  return text;
}

bool is_transient(ErrorCode code) { return code == ErrorCode::rate_limited || code == ErrorCode::unavailable; }

}  // namespace crategate
