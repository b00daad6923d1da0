#include "github/failure.h"

#include <gmock/gmock.h>

#include "base/strings.h"

namespace crategate::github {
namespace {

using testing::HasSubstr;
using testing::Not;

Query query() {
  return {.path = "/repos/o/r/actions/runs/7/artifacts",
          .task = "list the artifacts of run 7 of o/r",
          .needs = "actions: read"};
}

Answer answer(int status, std::string body = {}, net::Headers headers = {}) {
  return {.response = {status, std::move(headers), std::move(body)},
          .url = *net::Url::parse("https://api.github.com/repos/o/r/actions/runs/7/artifacts?token=hidden")};
}

struct StatusRow {
  const char* name;
  int status;
  ErrorCode code;
  const char* hint;
};

class ApiFailure : public testing::TestWithParam<StatusRow> {};

TEST_P(ApiFailure, HasOneCodeAndAHint) {
  const Error error = api_failure(query(), answer(GetParam().status, "<html>"), false);
  EXPECT_EQ(error.code, GetParam().code) << name(error.code);
  EXPECT_THAT(error.hint, HasSubstr(GetParam().hint));
  EXPECT_EQ(error.http->status, GetParam().status);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, ApiFailure,
    testing::Values(StatusRow{"BadRequest", 400, ErrorCode::github_api, "message says why"},
                    StatusRow{"Unauthorized", 401, ErrorCode::unauthenticated, "github-token"},
                    StatusRow{"A62Unauthorized", 401, ErrorCode::unauthenticated, "`permissions: actions: read`"},
                    StatusRow{"A62Forbidden", 403, ErrorCode::forbidden, "`permissions: actions: read`"},
                    StatusRow{"A62B19NotFound", 404, ErrorCode::not_found, "`permissions: actions: read`"},
                    StatusRow{"NotFoundElsewhere", 404, ErrorCode::not_found, "its own repository only"},
                    StatusRow{"Gone", 410, ErrorCode::not_found, "run the workflow again"},
                    StatusRow{"Invalid", 422, ErrorCode::github_api, "message says why"},
                    StatusRow{"LegalReasons", 451, ErrorCode::github_api, "message says why"},
                    StatusRow{"Timeout", 408, ErrorCode::unavailable, ""},
                    StatusRow{"ServerError", 502, ErrorCode::unavailable, "githubstatus"},
                    StatusRow{"UnexpectedRedirect", 302, ErrorCode::github_api, ""},
                    StatusRow{"NotModifiedUnasked", 304, ErrorCode::github_api, ""}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(ApiError, NamesTheTaskTheMessageAndTheRequestButNoQuery) {
  const Error error = api_failure(query(),
                                  answer(422, R"({"message":"Validation Failed","errors":[{"code":"missing_field"}]})",
                                         {{"X-GitHub-Request-Id", "C0:FFEE"}}),
                                  false);
  const std::string line = describe(error);
  for (const char* part :
       {"list the artifacts of run 7 of o/r", "422", "Validation Failed", "missing_field", "C0:FFEE"})
    EXPECT_THAT(line, HasSubstr(part));
  EXPECT_THAT(line, Not(HasSubstr("hidden")));
}

TEST(ApiError, SaysThatA404HasTwoMeanings) {
  EXPECT_THAT(api_failure(query(), answer(404), false).message, HasSubstr("of what the token may not see"));
}

TEST(ApiError, TellsWhoGaveNoTokenToGiveOne) {
  for (const int status : {401, 403, 404})
    EXPECT_THAT(api_failure(query(), answer(status), true).hint, HasSubstr("no token was given"));
  EXPECT_THAT(api_failure(query(), answer(500), true).hint, Not(HasSubstr("token")));
}

TEST(ApiError, OfAnotherServerSaysNothingAboutPermissionsOrExistence) {
  for (const int status : {401, 403, 404, 500}) {
    Answer elsewhere = answer(status, "", {{"X-Accepted-GitHub-Permissions", "contents=write"}});
    elsewhere.by_api = false;
    const Error error = api_failure(query(), elsewhere, false);
    EXPECT_EQ(error.code, ErrorCode::unavailable);
    EXPECT_THAT(error.hint, Not(HasSubstr("permissions")));
  }
}

TEST(ApiError, A55NeverCarriesControlCharactersOrWorkflowCommands) {
  const std::string evil = R"("##[error]x \u001b[31m\n::set-output name=a::b")";
  const Error error = api_failure(query(),
                                  answer(403, concat(R"({"message":)", evil, R"(,"errors":[{"code":)", evil, "}]}"),
                                         {{"X-GitHub-Request-Id", "##[warning]"}}),
                                  false);
  for (const char* part : {"##[", "\x1b", "\n"}) EXPECT_THAT(describe(error), Not(HasSubstr(part)));
}

TEST(ApiError, IsMadeOfAnyBody) {
  for (const char* body : {"", "null", "[]", "7", R"({"message":7})", R"({"message":null,"errors":{}})",
                           R"({"errors":[7]})", R"({"errors":[]})", R"({"message":"\ud800"})"}) {
    const Error error = api_failure(query(), answer(400, body), false);
    EXPECT_EQ(error.code, ErrorCode::github_api) << body;
    EXPECT_EQ(error.message, "GitHub: cannot list the artifacts of run 7 of o/r: found 400") << body;
  }
}

TEST(LimitError, SaysUntilWhen) {
  const std::chrono::system_clock::time_point until{std::chrono::seconds(1795166958)};
  for (const bool primary : {false, true}) {
    const Error error = limit_failure(query(), {.is_primary = primary}, until, http_failure(query(), answer(403)));
    EXPECT_EQ(error.code, ErrorCode::rate_limited);
    EXPECT_THAT(error.message, HasSubstr("2026-11-20T09:29:18Z"));
    EXPECT_THAT(error.message, HasSubstr(primary ? "used up" : "too many"));
  }
}

}  // namespace
}  // namespace crategate::github
