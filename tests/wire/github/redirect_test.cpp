// Where the token goes, and where it does not (A41, A42, A60).
#include <gmock/gmock.h>

#include "wire/github/api_server.h"

namespace crategate::github {
namespace {

using test::ApiFixture;
using test::artifact_json;
using test::kBase;
using test::kList;
using test::page_reply;
using testing::HasSubstr;

test::Reply redirect(int status, const std::string& location) {
  return {.status = status, .headers = {{"Location", location}}};
}

TEST(ApiRedirect, OnTheSameOriginKeepsTheToken) {
  for (const int status : {301, 302, 303, 307, 308}) {
    ApiFixture api;
    api.expect("GET", kList, redirect(status, kBase + "/repositories/1/artifacts"));
    api.expect("GET", "/repositories/1/artifacts", page_reply(artifact_json(1)));
    const auto list = api.list();
    ASSERT_TRUE(list) << status << ": " << describe(list.error());
    EXPECT_EQ(ApiFixture::authorized(api.server), 2) << status;
  }
}

TEST(ApiRedirect, A42ToAnotherOriginLosesTheToken) {
  for (const int status : {301, 302, 303, 307, 308}) {
    ApiFixture api;
    test::ScriptedHttpServer other;
    api.expect("GET", kList, redirect(status, other.url("/list").text()));
    other.expect("GET", "/list", page_reply(artifact_json(1)));
    const auto list = api.list();
    ASSERT_TRUE(list) << status << ": " << describe(list.error());
    EXPECT_EQ(ApiFixture::authorized(api.server), 1) << status;
    EXPECT_EQ(ApiFixture::authorized(other), 0) << status;
  }
}

TEST(ApiRedirect, BackHomeFromAnotherOriginGoesWithoutTheToken) {
  ApiFixture api;
  test::ScriptedHttpServer other;
  api.expect("GET", kList, redirect(302, other.url("/list").text()));
  other.expect("GET", "/list", redirect(302, api.server.url(kBase + "/back").text()));
  api.expect("GET", "/back", page_reply(artifact_json(1)));
  EXPECT_TRUE(api.list());
  EXPECT_EQ(ApiFixture::authorized(api.server), 1);
}

TEST(ApiRedirect, A41ToAServerThatWantsALoginGetsNone) {
  ApiFixture api;
  test::ScriptedHttpServer other;
  api.expect("GET", kList, redirect(302, other.url("/list").text()));
  other.expect("GET", "/list", {.status = 401, .headers = {{"WWW-Authenticate", "Basic realm=\"give me\""}}});
  const auto list = api.list();
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().code, ErrorCode::unavailable);
  EXPECT_EQ(ApiFixture::authorized(other), 0);
}

TEST(ApiRedirect, LimitsOfAnotherServerAreNotGitHubs) {
  ApiFixture api;
  test::ScriptedHttpServer other;
  api.expect("GET", kList, redirect(302, other.url("/list").text()));
  other.expect("GET", "/list", {.status = 403, .headers = {{"X-RateLimit-Remaining", "0"}}});
  EXPECT_EQ(api.list().error().code, ErrorCode::unavailable);
  EXPECT_TRUE(api.clock.sleeps().empty());
}

TEST(ApiRedirect, AnswersOfAnotherServerAreNotKept) {
  ApiFixture api;
  test::ScriptedHttpServer other;
  for (int i = 0; i < 2; ++i) {
    api.expect("GET", kList, redirect(302, other.url("/list").text()));
    other.expect("GET", "/list", page_reply(artifact_json(1), {{"ETag", "\"x\""}}));
    EXPECT_TRUE(api.list());
  }
  EXPECT_EQ(other.received().at(1).header("if-none-match"), "");
}

TEST(ApiRedirect, A43ToANonsensePlaceIsRefusedAtOnce) {
  for (const char* location : {"//evil.example/x", "file:///etc/passwd", "\\\\evil", "", "http://me:word@evil.example/",
                               "javascript:alert(1)", "http://evil%2eexample/"}) {
    ApiFixture api;
    api.expect("GET", kList, redirect(302, location));
    const auto list = api.list();
    ASSERT_FALSE(list) << location;
    EXPECT_EQ(list.error().code, ErrorCode::integrity) << location;
    EXPECT_TRUE(api.clock.sleeps().empty());
  }
}

TEST(ApiRedirect, A43WithoutEndIsRefused) {
  ApiFixture api;
  for (int i = 0; i < 6; ++i) api.expect("GET", kList, redirect(301, kBase + kList));
  const auto list = api.list();
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().code, ErrorCode::integrity);
  EXPECT_THAT(list.error().message, HasSubstr("at most 5 redirects"));
}

TEST(ApiRedirect, OfAChangeIsFollowedAtHomeOnlyAndWithItsMethod) {
  ApiFixture api;
  api.expect("DELETE", "/repos/o/r/actions/artifacts/3", redirect(307, kBase + "/repositories/1/actions/artifacts/3"));
  api.expect("DELETE", "/repositories/1/actions/artifacts/3", {.status = 204});
  const auto deleted = api.client.delete_artifact(ApiFixture::repository(), 3);
  EXPECT_TRUE(deleted) << describe(deleted.error());
  EXPECT_EQ(ApiFixture::authorized(api.server), 2);
}

TEST(ApiRedirect, OfAChangeToElsewhereIsRefused) {
  test::ScriptedHttpServer canary;
  for (const auto& [status, location] : std::vector<std::pair<int, std::string>>{{301, kBase + "/x"},
                                                                                 {302, kBase + "/x"},
                                                                                 {303, kBase + "/x"},
                                                                                 {307, canary.url("/x").text()},
                                                                                 {308, canary.url("/x").text()}}) {
    ApiFixture api;
    api.expect("DELETE", "/repos/o/r/actions/artifacts/3", redirect(status, location));
    const auto deleted = api.client.delete_artifact(ApiFixture::repository(), 3);
    ASSERT_FALSE(deleted) << status;
    EXPECT_EQ(deleted.error().code, ErrorCode::integrity) << status;
  }
  EXPECT_EQ(canary.connections(), 0);
}

}  // namespace
}  // namespace crategate::github
