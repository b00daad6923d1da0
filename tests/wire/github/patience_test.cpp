// What is tried again, how long is waited for it, and what ends it. Time is the fake clock's.
#include <gmock/gmock.h>

#include "sys/cancel.h"
#include "wire/github/api_server.h"

namespace crategate::github {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::ApiFixture;
using test::artifact_json;
using test::kList;
using test::page_reply;
using test::Reply;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kNow = 1795166958;  // where the fake clock starts
const std::string kDelete = "/repos/o/r/actions/artifacts/3";
using Sleeps = std::vector<milliseconds>;

Reply used_up(std::int64_t reset) {
  return {.status = 403,
          .headers = {{"X-RateLimit-Remaining", "0"},
                      {"X-RateLimit-Reset", concat(reset)},
                      {"X-GitHub-Request-Id", "C0:FFEE"}},
          .body = R"({"message":"API rate limit exceeded for installation."})"};
}

Reply too_fast() { return {.status = 403, .body = R"({"message":"You have exceeded a secondary rate limit."})"}; }

struct PassingRow {
  const char* name;
  Reply first;
  Sleeps sleeps;
};

class PassingFailure : public testing::TestWithParam<PassingRow> {};

TEST_P(PassingFailure, IsFollowedByAnotherTry) {
  ApiFixture api;
  api.expect("GET", kList, GetParam().first);
  api.expect("GET", kList, page_reply(artifact_json(1)));
  const auto list = api.list();
  ASSERT_TRUE(list) << describe(list.error());
  EXPECT_EQ(list->size(), 1U);
  EXPECT_EQ(api.clock.sleeps(), GetParam().sleeps);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, PassingFailure,
    testing::Values(PassingRow{"B08ServerError", {.status = 500, .body = "<html>"}, {milliseconds(250)}},
                    PassingRow{"B08BadGateway", {.status = 502}, {milliseconds(250)}},
                    PassingRow{"B08GatewayTimeout", {.status = 504}, {milliseconds(250)}},
                    PassingRow{"Unavailable", {.status = 503, .headers = {{"Retry-After", "9"}}}, {seconds(9)}},
                    PassingRow{"UnavailableUntil",
                               {.status = 503, .headers = {{"Retry-After", "Fri, 20 Nov 2026 09:29:48 GMT"}}},
                               {seconds(30)}},
                    PassingRow{"B06TooManyRequests", {.status = 429, .headers = {{"Retry-After", "5"}}}, {seconds(5)}},
                    PassingRow{"B17Primary", used_up(kNow + 100), {seconds(101)}},
                    PassingRow{"B18Secondary", too_fast(), {seconds(60)}},
                    PassingRow{"B09ResetBeforeAnAnswer", {.cut_after = 0}, {milliseconds(250)}},
                    PassingRow{"B09ResetInTheHead", {.cut_after = 20}, {milliseconds(250)}},
                    PassingRow{"B11Truncated",
                               {.headers = {{"Content-Length", "500"}}, .body = R"({"artifacts":[]})", .close = true},
                               {milliseconds(250)}},
                    PassingRow{"B11ChunkMissing",
                               {.headers = {{"Transfer-Encoding", "chunked"}},
                                .body = "10\r\n{\"artifacts\":[]}\r\n",
                                .close = true},
                               {milliseconds(250)}}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(PassingFailure, ThatStaysIsAnErrorInTheEnd) {
  ApiFixture api;
  for (int i = 0; i < 6; ++i)
    api.expect("GET", kList, {.status = 503, .headers = {{"X-GitHub-Request-Id", "C0:FFEE"}}});
  const auto list = api.list();
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().code, ErrorCode::unavailable);
  EXPECT_THAT(describe(list.error()), HasSubstr("C0:FFEE"));
  EXPECT_THAT(describe(list.error()), HasSubstr("after 6 tries"));
  EXPECT_EQ(api.clock.sleeps(),
            (Sleeps{milliseconds(250), milliseconds(500), milliseconds(1000), milliseconds(2000), milliseconds(4000)}));
}

TEST(PassingFailure, TruncationThatStaysIsIntegrity) {
  ApiFixture api;
  for (int i = 0; i < 6; ++i)
    api.expect("GET", kList, {.headers = {{"Content-Length", "500"}}, .body = "{", .close = true});
  EXPECT_EQ(api.list().error().code, ErrorCode::integrity);
}

TEST(PassingFailure, OfAServerThatIsNotThereNamesTheTask) {
  net::Url gone;
  {
    test::ScriptedHttpServer closed;
    gone = closed.url("");
  }
  test::FakeClock clock;
  net::PosixHttpClient http;
  RestGitHubClient client(http, clock, {gone, Secret("ghs_open-sesame")});
  const auto list = client.run_artifacts(ApiFixture::repository(), 7, {});
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().code, ErrorCode::unavailable);
  EXPECT_THAT(describe(list.error()), HasSubstr("list the artifacts of run 7 of o/r"));
  EXPECT_FALSE(list.error().hint.empty());
  EXPECT_EQ(clock.sleeps().size(), 5U);
}

TEST(PassingFailure, IsNotWaitedForBeyondTheDeadline) {
  ApiFixture api;
  api.expect("GET", kList, {.status = 503, .headers = {{"Retry-After", "301"}}});
  EXPECT_EQ(api.list().error().code, ErrorCode::unavailable);
  EXPECT_TRUE(api.clock.sleeps().empty());
}

TEST(PassingFailure, SharesItsDeadlineOverAllPages) {
  ApiFixture api;
  api.expect("GET", kList, {.status = 503, .headers = {{"Retry-After", "200"}}});
  api.expect("GET", kList, page_reply("", {{"Link", "<?page=2>; rel=next"}}));
  api.expect("GET", "/repos/o/r/actions/runs/7/artifacts?page=2", {.status = 503, .headers = {{"Retry-After", "200"}}});
  EXPECT_FALSE(api.list());
  EXPECT_EQ(api.clock.sleeps(), Sleeps{seconds(200)});
}

struct FinalRow {
  const char* name;
  int status;
  ErrorCode code;
};

class FinalFailure : public testing::TestWithParam<FinalRow> {};

TEST_P(FinalFailure, IsNotTriedAgain) {
  ApiFixture api;
  api.expect("GET", kList, {.status = GetParam().status, .body = R"({"message":"no"})"});
  EXPECT_EQ(api.list().error().code, GetParam().code);
  EXPECT_TRUE(api.clock.sleeps().empty());
}

INSTANTIATE_TEST_SUITE_P(Rows, FinalFailure,
                         testing::Values(FinalRow{"BadRequest", 400, ErrorCode::github_api},
                                         FinalRow{"Unauthorized", 401, ErrorCode::unauthenticated},
                                         FinalRow{"Forbidden", 403, ErrorCode::forbidden},
                                         FinalRow{"NotFound", 404, ErrorCode::not_found},
                                         FinalRow{"Gone", 410, ErrorCode::not_found},
                                         FinalRow{"Invalid", 422, ErrorCode::github_api},
                                         FinalRow{"NotImplemented", 501, ErrorCode::unavailable}),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(A62Permission, IsNamedAsTheAnswerNamesIt) {
  ApiFixture api;
  api.expect("GET", kList,
             {.status = 403,
              .headers = {{"X-Accepted-GitHub-Permissions", "actions=read"}},
              .body = R"({"message":"Resource not accessible by integration"})"});
  const auto list = api.list();
  ASSERT_FALSE(list);
  EXPECT_THAT(list.error().message, HasSubstr("Resource not accessible by integration"));
  EXPECT_THAT(list.error().hint, HasSubstr("`permissions: actions: read`"));
  EXPECT_THAT(describe(list.error()) + list.error().hint, Not(HasSubstr("sesame")));
}

TEST(RateLimit, BeyondTheDeadlineNamesItsEndAndIsNotAskedAgain) {
  ApiFixture api;
  api.expect("GET", kList, used_up(kNow + 3600));
  const auto list = api.list();
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().code, ErrorCode::rate_limited);
  EXPECT_THAT(list.error().message, HasSubstr("2026-11-20T10:29:19Z"));
  EXPECT_THAT(describe(list.error()), HasSubstr("C0:FFEE"));
  EXPECT_EQ(api.list().error().code, ErrorCode::rate_limited);
  EXPECT_EQ(api.server.received().size(), 1U);
  EXPECT_TRUE(api.clock.sleeps().empty());
  EXPECT_EQ(api.client.held(), seconds(3601));
  api.clock.advance(seconds(3600));
  EXPECT_EQ(api.client.held(), seconds(1));
  api.clock.advance(seconds(1));
  EXPECT_EQ(api.client.held(), seconds(0));
  api.expect("GET", kList, page_reply(""));
  EXPECT_TRUE(api.list());
}

TEST(RateLimit, SecondaryDoublesUntilTheDeadline) {
  ApiFixture api;
  for (int i = 0; i < 3; ++i) api.expect("GET", kList, too_fast());
  EXPECT_EQ(api.list().error().code, ErrorCode::rate_limited);
  EXPECT_EQ(api.clock.sleeps(), (Sleeps{seconds(60), seconds(120)}));
}

TEST(RateLimit, MetAgainAndAgainEndsSomeday) {
  ApiFixture api;
  for (int i = 0; i < 5; ++i) api.expect("GET", kList, {.status = 429, .headers = {{"Retry-After", "1"}}});
  EXPECT_EQ(api.list().error().code, ErrorCode::rate_limited);
  EXPECT_EQ(api.clock.sleeps().size(), 4U);
}

TEST(RateLimit, IsSpreadByChance) {
  ApiFixture api;
  Options options;
  options.random = [] { return 0.5; };
  RestGitHubClient client(api.http, api.clock, api.endpoint, options);
  api.expect("GET", kList, too_fast());
  api.expect("GET", kList, page_reply(""));
  EXPECT_TRUE(client.run_artifacts(ApiFixture::repository(), 7, {}));
  EXPECT_EQ(api.clock.sleeps(), Sleeps{seconds(63)});
}

const std::string kComments = "/repos/o/r/issues/1/comments";

TEST(Post, IsNotRepeatedAfterAFailureThatMayHaveReachedGitHub) {
  for (const Reply& reply : {Reply{.status = 503}, Reply{.cut_after = 0}, Reply{.status = 500}}) {
    ApiFixture api;
    api.expect("POST", kComments, reply);
    const auto sent = api.send({.method = "POST", .path = kComments, .task = "comment", .body = R"({"body":"hello"})"});
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().code, ErrorCode::unavailable);
    EXPECT_TRUE(api.clock.sleeps().empty());
  }
}

TEST(Post, IsSentOnceMoreAfterALimitWhichDidNothing) {
  ApiFixture api;
  api.expect("POST", kComments, {.status = 429, .headers = {{"Retry-After", "5"}}});
  api.expect("POST", kComments, {.status = 201, .body = "{}"});
  const auto sent = api.send({.method = "POST", .path = kComments, .task = "comment", .body = R"({"body":"hello"})"});
  ASSERT_TRUE(sent) << describe(sent.error());
  const auto received = api.server.received();
  EXPECT_EQ(received.at(1).body, R"({"body":"hello"})");
  EXPECT_EQ(received.at(1).header("content-type"), "application/json");
}

TEST(Delete, B18ComesASecondAfterTheOneBefore) {
  ApiFixture api;
  for (int i = 0; i < 3; ++i) {
    api.expect("DELETE", kDelete, {.status = 204});
    EXPECT_TRUE(api.client.delete_artifact(ApiFixture::repository(), 3));
  }
  EXPECT_EQ(api.clock.sleeps(), (Sleeps{seconds(1), seconds(1)}));
}

TEST(Delete, OfWhatAnEarlierTryRemovedIsDone) {
  ApiFixture api;
  api.expect("DELETE", kDelete, {.status = 502});
  api.expect("DELETE", kDelete, {.status = 404, .body = R"({"message":"Not Found"})"});
  const auto deleted = api.client.delete_artifact(ApiFixture::repository(), 3);
  EXPECT_TRUE(deleted) << describe(deleted.error());
}

TEST(Delete, OfWhatIsNotThereNamesThePermission) {
  ApiFixture api;
  api.expect("DELETE", kDelete, {.status = 404, .body = R"({"message":"Not Found"})"});
  const auto deleted = api.client.delete_artifact(ApiFixture::repository(), 3);
  ASSERT_FALSE(deleted);
  EXPECT_EQ(deleted.error().code, ErrorCode::not_found);
  EXPECT_THAT(deleted.error().hint, HasSubstr("`permissions: actions: write`"));
}

TEST(Cancellation, EndsEverything) {
  ApiFixture api;
  sys::request_cancellation(ErrorCode::interrupted);
  const auto list = api.list();
  sys::reset_cancellation();
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().code, ErrorCode::interrupted);
  EXPECT_TRUE(api.server.received().empty());
}

}  // namespace
}  // namespace crategate::github
