// The last two lines of a failure.
#include "render/failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/secret.h"
#include "base/strings.h"

namespace crategate::render {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr ErrorCode kCodes[] = {ErrorCode::bad_input,      ErrorCode::gate_refused,    ErrorCode::tests_failed,
                                ErrorCode::scan_policy,    ErrorCode::drifted,         ErrorCode::awaited_build_failed,
                                ErrorCode::wait_timed_out, ErrorCode::unauthenticated, ErrorCode::forbidden,
                                ErrorCode::not_found,      ErrorCode::rate_limited,    ErrorCode::unavailable,
                                ErrorCode::integrity,      ErrorCode::github_api,      ErrorCode::artifact_service,
                                ErrorCode::engine,         ErrorCode::no_space,        ErrorCode::conflict,
                                ErrorCode::rolled_back,    ErrorCode::needs_person,    ErrorCode::internal,
                                ErrorCode::interrupted,    ErrorCode::terminated};

TEST(ErrorLines, SayWhatAndWhatToDo) {
  const Error error{.code = ErrorCode::bad_input,
                    .message = "version: expected one line, found two",
                    .hint = "Write one line.",
                    .location = Location{"VERSION", 2, 1}};
  const auto [what, remedy_line] = error_lines(error);
  EXPECT_EQ(what, "crategate: 2 bad-input: VERSION:2:1: version: expected one line, found two");
  EXPECT_EQ(remedy_line, "→ Write one line.");
}

TEST(ErrorLines, AlwaysHaveARemedy) {
  for (const auto code : kCodes) {
    for (const std::string hint : {"", " \n\t"}) {
      const auto lines = error_lines({.code = code, .message = "m", .hint = hint});
      EXPECT_EQ(lines[1], concat("→ ", remedy(code)));
      EXPECT_FALSE(remedy(code).empty());
      EXPECT_THAT(lines[0], StartsWith(concat("crategate: ", exit_code(code), " ", name(code), ": ")));
    }
  }
}

TEST(ErrorLines, AreOneLineEachAndNoWorkflowCommand) {
  const std::string hostile = "a\nb\r\nc\xE2\x80\xA8::error::d\x1b[2J##[group]e";
  for (const auto& line : error_lines({.code = ErrorCode::engine, .message = hostile, .hint = hostile})) {
    for (const std::string raw : {"\n", "\r", "\xE2\x80\xA8", "\x1b", "##["}) EXPECT_THAT(line, Not(HasSubstr(raw)));
  }
}

TEST(ErrorLines, HoldNoSecret) {
  const Secret secret("hunter2-hunter2");
  const Error error{.code = ErrorCode::unauthenticated,
                    .message = "login with hunter2-hunter2 failed",
                    .hint = "not hunter2-hunter2"};
  for (const auto& line : error_lines(error)) {
    EXPECT_THAT(line, Not(HasSubstr("hunter2-hunter2")));
    EXPECT_THAT(line, HasSubstr("***"));
  }
}

}  // namespace
}  // namespace crategate::render
