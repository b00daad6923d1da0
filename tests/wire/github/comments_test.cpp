// Comments of a pull request over the wire, and whose token writes them.
#include <gmock/gmock.h>

#include "wire/github/api_server.h"

namespace crategate::github {
namespace {

using test::ApiFixture;
using test::Reply;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kComments = "/repos/o/r/issues/7/comments";
const std::string kPage = kComments + "?per_page=50";
const std::string kGraphQl = "/api/graphql";

std::string comment_json(std::int64_t id, const std::string& body,
                         const std::string& user = R"({"login":"a","id":5})") {
  return concat(R"({"id":)", id, R"(,"node_id":"x","html_url":"https://github.com/o/r/pull/7#issuecomment-)", id,
                R"(","body":)", json::Value(body).canonical(), R"(,"user":)", user,
                R"(,"created_at":"2026-11-20T09:29:18Z","performed_via_github_app":null})");
}

std::string numbered(std::int64_t from, std::int64_t to) {
  std::string items;
  for (std::int64_t id = from; id <= to; ++id) items += concat(items.empty() ? "" : ",", comment_json(id, "hello"));
  return items;
}

struct Comments : ApiFixture {
  /// `more`: number of the next page.
  void expect_page(const std::string& items, int number = 1, int more = 0, const std::string& tag = "") {
    expect("GET", path_of(number), {.headers = headers(more, tag), .body = concat("[", items, "]")});
  }
  net::Headers headers(int more, const std::string& tag) const {
    net::Headers headers;
    if (more > 0)
      headers.emplace_back("Link", concat("<", server.url(test::kBase + path_of(more)).text(), R"(>; rel="next")"));
    if (!tag.empty()) headers.emplace_back("ETag", tag);
    return headers;
  }
  static std::string path_of(int number) { return number == 1 ? kPage : concat(kPage, "&page=", number); }
  Result<std::vector<IssueComment>> find(const std::string& body = "ours") {
    return client.issue_comments(repository(), 7, [body](const IssueComment& each) { return each.body == body; });
  }
  /// Their ids; what was wrong fails the test.
  std::vector<std::int64_t> ids(const std::string& body = "ours") {
    const auto found = find(body);
    EXPECT_TRUE(found) << (found ? "" : describe(found.error()));
    std::vector<std::int64_t> all;
    for (const auto& each : found.value_or(std::vector<IssueComment>{})) all.push_back(each.id);
    return all;
  }
  std::size_t requests() const { return server.received().size(); }
};

TEST(Viewer, IsWhoseTokenItIs) {
  ApiFixture api;
  api.server.expect("POST", kGraphQl,
                    {.body = R"({"data":{"viewer":{"databaseId":41898282,"login":"github-actions[bot]"}}})"});
  const auto viewer = api.client.viewer();
  ASSERT_TRUE(viewer) << describe(viewer.error());
  EXPECT_EQ(viewer->id, 41898282);
  EXPECT_EQ(viewer->login, "github-actions[bot]");
  const auto request = api.server.received().at(0);
  EXPECT_EQ(request.body, R"({"query":"query { viewer { databaseId login } }"})");
  EXPECT_EQ(request.header("authorization"), "Bearer ghs_open-sesame");
  EXPECT_EQ(request.header("content-type"), "application/json");
}

/// It changes nothing: unlike any other POST it may be asked again, and nothing waits for its turn.
TEST(Viewer, IsAskedAgain) {
  ApiFixture api;
  api.server.expect("POST", kGraphQl, {.status = 502});
  api.server.expect("POST", kGraphQl, {.body = R"({"data":{"viewer":{"databaseId":1,"login":"a"}}})"});
  api.expect("POST", kComments, {.status = 201, .body = comment_json(1, "x")});
  EXPECT_TRUE(api.client.viewer());
  const auto passed = api.clock.passed();
  EXPECT_TRUE(api.client.create_comment(ApiFixture::repository(), 7, "x"));
  EXPECT_EQ(api.clock.passed(), passed);
}

struct ViewerRow {
  const char* name;
  int status;
  const char* body;
  ErrorCode code;
  const char* text;
};

class ViewerError : public testing::TestWithParam<ViewerRow> {};

TEST_P(ViewerError, SaysWhatWasAsked) {
  ApiFixture api;
  api.server.expect("POST", kGraphQl, {.status = GetParam().status, .body = GetParam().body});
  const auto viewer = api.client.viewer();
  ASSERT_FALSE(viewer);
  EXPECT_EQ(viewer.error().code, GetParam().code) << describe(viewer.error());
  EXPECT_THAT(describe(viewer.error()), AllOf(HasSubstr("learn whose token it is"), HasSubstr(GetParam().text)));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, ViewerError,
    testing::Values(ViewerRow{"WrongToken", 401, R"({"message":"Bad credentials"})", ErrorCode::unauthenticated,
                              "Bad credentials"},
                    ViewerRow{"NoGraphQl", 404, "{}", ErrorCode::not_found, "404"},
                    ViewerRow{"Limit", 200, R"({"errors":[{"type":"RATE_LIMITED","message":"too many"}]})",
                              ErrorCode::rate_limited, "too many"},
                    ViewerRow{"Refused", 200,
                              R"({"data":null,"errors":[{"type":"FORBIDDEN","message":"not\u001b[31m accessible"}]})",
                              ErrorCode::github_api, "not accessible"},
                    ViewerRow{"Nobody", 200, R"({"data":{"viewer":null}})", ErrorCode::github_api, "viewer"},
                    ViewerRow{"NoNumber", 200, R"({"data":{"viewer":{"databaseId":null,"login":"a"}}})",
                              ErrorCode::github_api, "databaseId"},
                    ViewerRow{"NoAnswer", 200, R"({"errors":[]})", ErrorCode::github_api, "errors"},
                    ViewerRow{"NoJson", 200, "<html>", ErrorCode::github_api, "answer"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(IssueComments, AreReadFromAllPages) {
  Comments api;
  api.expect_page(concat(comment_json(1, "ours"), ",", comment_json(2, "hello")), 1, 2);
  api.expect_page(comment_json(3, "hello"), 2, 3);
  api.expect_page(comment_json(4, "ours", "null"), 3);
  const auto found = api.find();
  ASSERT_TRUE(found) << describe(found.error());
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ(found->at(0).id, 1);
  EXPECT_EQ(found->at(0).author, 5);
  EXPECT_EQ(found->at(0).body, "ours");
  EXPECT_EQ(found->at(0).url, "https://github.com/o/r/pull/7#issuecomment-1");
  EXPECT_FALSE(found->at(1).author) << "the account was deleted";
}

TEST(IssueComments, OfOnePageAreReadOnce) {
  Comments api;
  api.expect_page(numbered(1, 50));
  EXPECT_THAT(api.ids(), ElementsAre());
  EXPECT_EQ(api.requests(), 1U);
}

/// One of the first page is deleted after it was read: the first of the second page moves to where nobody looks again.
TEST(IssueComments, AreReadAgainWhenPagesShrinkMeanwhile) {
  Comments api;
  api.expect_page(numbered(1, 50), 1, 2);
  api.expect_page(numbered(52, 60), 2);
  api.expect_page(concat(numbered(2, 50), ",", comment_json(51, "ours")), 1, 2);
  api.expect_page(numbered(52, 60), 2);
  EXPECT_THAT(api.ids(), ElementsAre(51));
}

TEST(IssueComments, AreReadUntilTwoReadingsAgreeAtMostThreeTimes) {
  {
    Comments api;
    for (int reading = 0; reading < 2; ++reading) {
      api.expect_page(numbered(1, 50), 1, 2);
      api.expect_page(numbered(51, 60), 2);
    }
    EXPECT_THAT(api.ids(), ElementsAre());
    EXPECT_EQ(api.requests(), 4U);
  }
  Comments api;
  for (int reading = 0; reading < 3; ++reading) {
    api.expect_page(numbered(1 + reading, 50 + reading), 1, 2);
    api.expect_page(numbered(51 + reading, 60), 2);
  }
  EXPECT_THAT(api.ids(), ElementsAre());
  EXPECT_EQ(api.requests(), 6U);
}

TEST(IssueComments, CostNothingTheSecondTime) {
  Comments api;
  api.expect_page(numbered(1, 50), 1, 2, "\"one\"");
  api.expect_page(numbered(51, 60), 2, 0, "\"two\"");
  api.expect("GET", Comments::path_of(1), {.status = 304});
  api.expect("GET", Comments::path_of(2), {.status = 304});
  EXPECT_THAT(api.ids(), ElementsAre());
  EXPECT_EQ(api.server.received().at(3).header("if-none-match"), "\"two\"");
}

/// 65,536 characters of four bytes each.
TEST(IssueComments, OfTheGreatestLengthFitIntoAnAnswer) {
  Comments api;
  std::string longest;
  while (longest.size() < (256U << 10U)) longest += "\xF0\x9F\x9A\x80";
  std::string items = comment_json(1, longest);
  for (std::int64_t id = 2; id <= 49; ++id) items += concat(",", comment_json(id, longest));
  api.expect_page(concat(items, ",", comment_json(50, "ours")));
  EXPECT_THAT(api.ids(), ElementsAre(50));
}

TEST(IssueComments, ThatAreNoneAreRefused) {
  for (const std::string& items :
       {std::string("7"), std::string("{}"), replace_all(comment_json(1, "x"), "\"id\":1,", ""),
        comment_json(1, "x", R"({"login":"a"})"), comment_json(1, "x", "\"a\"")}) {
    Comments api;
    api.expect_page(items);
    const auto found = api.find();
    ASSERT_FALSE(found) << items;
    EXPECT_EQ(found.error().code, ErrorCode::github_api);
    EXPECT_THAT(describe(found.error()), HasSubstr("list the comments of pull request 7 of o/r"));
  }
}

TEST(IssueComment, IsWrittenAndReadBack) {
  Comments api;
  api.expect("POST", kComments, {.status = 201, .body = comment_json(9, "a \"b\"\n")});
  api.expect("PATCH", "/repos/o/r/issues/comments/9", {.body = comment_json(9, "c")});
  const auto created = api.client.create_comment(ApiFixture::repository(), 7, "a \"b\"\n\xF0\x9F\x9A\x80");
  ASSERT_TRUE(created) << describe(created.error());
  EXPECT_EQ(created->id, 9);
  EXPECT_EQ(created->url, "https://github.com/o/r/pull/7#issuecomment-9");
  EXPECT_TRUE(api.client.update_comment(ApiFixture::repository(), 9, "c"));
  const auto requests = api.server.received();
  EXPECT_EQ(requests.at(0).body, "{\"body\":\"a \\\"b\\\"\\n\xF0\x9F\x9A\x80\"}");
  EXPECT_EQ(requests.at(1).body, R"({"body":"c"})");
  EXPECT_GE(api.clock.passed(), std::chrono::seconds(1)) << "writes come a second apart";
}

/// GitHub may have obeyed already.
TEST(IssueComment, IsNotWrittenTwice) {
  Comments api;
  api.expect("POST", kComments, {.status = 502});
  api.expect("PATCH", "/repos/o/r/issues/comments/9", {.close = true, .reset = true});
  EXPECT_EQ(api.client.create_comment(ApiFixture::repository(), 7, "a").error().code, ErrorCode::unavailable);
  EXPECT_EQ(api.client.update_comment(ApiFixture::repository(), 9, "a").error().code, ErrorCode::unavailable);
}

TEST(Reaction, IsPutOnAComment) {
  Comments api;
  const std::string path = "/repos/o/r/issues/comments/9/reactions";
  api.expect("POST", path, {.status = 201, .body = R"({"id":1,"content":"eyes"})"});
  api.expect("POST", path, {.body = R"({"id":1,"content":"-1"})"});  // it was there
  api.expect("POST", path, {.status = 502});
  for (const auto reaction : {Reaction::eyes, Reaction::thumbs_down})
    EXPECT_TRUE(api.client.react(ApiFixture::repository(), 9, reaction));
  EXPECT_EQ(api.client.react(ApiFixture::repository(), 9, Reaction::eyes).error().code, ErrorCode::unavailable);
  const auto requests = api.server.received();
  EXPECT_EQ(requests.at(0).body, R"({"content":"eyes"})");
  EXPECT_EQ(requests.at(1).body, R"({"content":"-1"})");
}

struct RefusalRow {
  const char* name;
  int status;
  const char* accepted;
  ErrorCode code;
};

class A62Comment : public testing::TestWithParam<RefusalRow> {};

TEST_P(A62Comment, NamesThePermissionThatIsMissing) {
  const Reply refusal{.status = GetParam().status,
                      .headers = {{"X-Accepted-GitHub-Permissions", GetParam().accepted}},
                      .body = R"({"message":"Resource not accessible by integration"})"};
  Comments api;
  Reply listing = refusal;
  listing.headers[0].second = replace_all(listing.headers[0].second, "write", "read");
  api.expect("GET", kPage, listing);
  api.expect("POST", kComments, refusal);
  api.expect("PATCH", "/repos/o/r/issues/comments/9", refusal);
  api.expect("POST", "/repos/o/r/issues/comments/9/reactions", refusal);
  const auto listed = api.find();
  const auto created = api.client.create_comment(ApiFixture::repository(), 7, "a");
  const auto updated = api.client.update_comment(ApiFixture::repository(), 9, "a");
  const auto reacted = api.client.react(ApiFixture::repository(), 9, Reaction::eyes);
  ASSERT_FALSE(listed || created || updated || reacted);
  // The list is read in order to write: its own permission would be refused again one step later.
  for (const Error& error : {listed.error(), created.error(), updated.error(), reacted.error()}) {
    EXPECT_EQ(error.code, GetParam().code);
    EXPECT_THAT(error.hint, HasSubstr("`permissions: pull-requests: write`"));
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, A62Comment,
                         testing::Values(RefusalRow{"Forbidden", 403, "", ErrorCode::forbidden},
                                         RefusalRow{"ForbiddenWithAlternatives", 403,
                                                    "issues=write; pull_requests=write", ErrorCode::forbidden},
                                         RefusalRow{"NotFound", 404, "", ErrorCode::not_found}),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace crategate::github
