// Lists over pages, and what their answers must be like.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "wire/github/api_server.h"

namespace crategate::github {
namespace {

using test::ApiFixture;
using test::artifact_json;
using test::kList;
using test::page_reply;
using testing::HasSubstr;

TEST(GitHubRequest, SaysWhoAsksForWhichVersion) {
  ApiFixture api;
  api.expect("GET", kList, page_reply(""));
  EXPECT_TRUE(api.list()->empty());
  const auto request = api.server.received().at(0);
  EXPECT_EQ(request.header("accept"), "application/vnd.github+json");
  EXPECT_EQ(request.header("authorization"), "Bearer ghs_open-sesame");
  EXPECT_EQ(request.header("x-github-api-version"), "2022-11-28");
  EXPECT_THAT(request.header("user-agent"), testing::StartsWith("crategate/"));
}

TEST(GitHubRequest, WithoutATokenHasNoAuthorization) {
  ApiFixture api("");
  api.expect("GET", kList, page_reply(""));
  EXPECT_TRUE(api.list());
  EXPECT_EQ(ApiFixture::authorized(api.server), 0);
}

TEST(RunArtifacts, AreReadWithTheirRunAndDigest) {
  ApiFixture api;
  const std::string hex(64, 'a');
  api.expect(
      "GET", kList,
      page_reply(concat(artifact_json(3, "plan",
                                      concat(R"(,"digest":"sha256:)", hex,
                                             R"(","workflow_run":{"id":7,"repository_id":11,"head_repository_id":12,)",
                                             R"("head_branch":"feature","head_sha":"abc"})")),
                        ",", artifact_json(4, "old", R"(,"digest":null,"workflow_run":null)"))));
  const auto list = api.list();
  ASSERT_TRUE(list) << describe(list.error());
  ASSERT_EQ(list->size(), 2U);
  const RunArtifact& old = list->at(0);
  const RunArtifact& plan = list->at(1);
  EXPECT_EQ(plan.id, 3);
  EXPECT_EQ(plan.name, "plan");
  EXPECT_EQ(plan.size, 5U);
  EXPECT_EQ(plan.digest->text(), "sha256:" + hex);
  EXPECT_EQ(plan.run_id, 7);
  EXPECT_EQ(plan.repository_id, 11);
  EXPECT_EQ(plan.head_repository_id, 12);
  EXPECT_EQ(plan.head_branch, "feature");
  EXPECT_EQ(plan.head_sha, "abc");
  EXPECT_EQ(old.id, 4);
  EXPECT_FALSE(old.digest);
  EXPECT_FALSE(old.run_id);
}

TEST(RunArtifacts, OfAllPagesComeOnceAndNewestFirst) {
  ApiFixture api;
  const auto next = [&api](const std::string& path) -> net::Headers {
    return {{"Link", concat("<", api.server.url(test::kBase + path).text(), R"(>; rel="next", <x>; rel="last")")}};
  };
  api.expect("GET", kList, page_reply(concat(artifact_json(1), ",", artifact_json(9)), next(kList + "&page=2")));
  api.expect("GET", kList + "&page=2",
             page_reply(concat(artifact_json(9), ",", artifact_json(5)), next("/elsewhere?a=b")));
  api.expect("GET", "/elsewhere?a=b", page_reply(artifact_json(2), {{"Link", R"(<x>; rel="prev")"}}));
  const auto list = api.list();
  ASSERT_TRUE(list) << describe(list.error());
  std::vector<std::int64_t> ids;
  for (const RunArtifact& artifact : *list) ids.push_back(artifact.id);
  EXPECT_EQ(ids, (std::vector<std::int64_t>{9, 5, 2, 1}));
  EXPECT_EQ(ApiFixture::authorized(api.server), 3);
}

TEST(RunArtifacts, OfANameAreAskedForAndChosen) {
  ApiFixture api;
  api.expect("GET", kList + "&name=a%20%26b", page_reply(concat(artifact_json(1, "a &b"), ",", artifact_json(2, "a"))));
  const auto list = api.client.run_artifacts(ApiFixture::repository(), 7, "a &b");
  ASSERT_TRUE(list) << describe(list.error());
  ASSERT_EQ(list->size(), 1U);
  EXPECT_EQ(list->front().id, 1);
}

TEST(NextPage, A54ElsewhereIsNotAsked) {
  test::ScriptedHttpServer canary;
  for (const std::string& target :
       {canary.url("/2").text(), std::string("//evil.example/2"), std::string("ftp://evil.example/2")}) {
    ApiFixture api;
    api.expect("GET", kList, page_reply(artifact_json(1), {{"Link", concat("<", target, ">; rel=next")}}));
    const auto list = api.list();
    ASSERT_FALSE(list) << target;
    EXPECT_EQ(list.error().code, ErrorCode::integrity) << describe(list.error());
    EXPECT_THAT(describe(list.error()), HasSubstr("list the artifacts of run 7 of o/r"));
  }
  EXPECT_EQ(canary.connections(), 0);
}

TEST(NextPage, ThatCannotBeReadIsNoEndOfTheList) {
  ApiFixture api;
  api.expect("GET", kList, page_reply(artifact_json(1), {{"Link", "<broken; rel=next"}}));
  EXPECT_EQ(api.list().error().code, ErrorCode::github_api);
}

TEST(NextPage, WithoutEndIsRefused) {
  ApiFixture api;
  for (int i = 0; i < 100; ++i) api.expect("GET", kList, page_reply("", {{"Link", "<?per_page=100>; rel=next"}}));
  const auto list = api.list();
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().code, ErrorCode::github_api);
  EXPECT_THAT(list.error().message, HasSubstr("at most 100 pages"));
  EXPECT_EQ(api.server.received().size(), 100U);
}

TEST(NotModified, CostsNothingAndGivesTheSameAnswer) {
  ApiFixture api;
  api.expect("GET", kList, page_reply(artifact_json(1), {{"ETag", "W/\"v1\""}, {"Link", "<?page=2>; rel=next"}}));
  api.expect("GET", "/repos/o/r/actions/runs/7/artifacts?page=2", page_reply(artifact_json(2)));
  ASSERT_EQ(api.list()->size(), 2U);
  api.expect("GET", kList, {.status = 304});
  api.expect("GET", "/repos/o/r/actions/runs/7/artifacts?page=2", page_reply(artifact_json(3)));
  const auto again = api.list();
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_EQ(again->at(0).id, 3);
  EXPECT_EQ(again->at(1).id, 1);
  const auto received = api.server.received();
  EXPECT_EQ(received.at(0).header("if-none-match"), "");
  EXPECT_EQ(received.at(2).header("if-none-match"), "W/\"v1\"");
  EXPECT_EQ(received.at(3).header("if-none-match"), "");
}

TEST(NotModified, GivesWayToANewAnswer) {
  ApiFixture api;
  for (const int id : {1, 2})
    api.expect("GET", kList, page_reply(artifact_json(id), {{"ETag", concat("\"", id, "\"")}}));
  EXPECT_EQ(api.list()->front().id, 1);
  EXPECT_EQ(api.list()->front().id, 2);
  api.expect("GET", kList, {.status = 304});
  EXPECT_EQ(api.list()->front().id, 2);
  EXPECT_EQ(api.server.received().at(2).header("if-none-match"), "\"2\"");
}

TEST(NotModified, UnaskedIsAnError) {
  ApiFixture api;
  api.expect("GET", kList, {.status = 304});
  EXPECT_EQ(api.list().error().code, ErrorCode::github_api);
}

TEST(GitHubRequest, MayComeFromSeveralThreads) {
  ApiFixture api;
  constexpr int kThreads = 4;
  constexpr int kEach = 10;
  for (int i = 0; i < kThreads * kEach; ++i)
    api.expect("GET", kList, page_reply(artifact_json(i + 1), {{"ETag", concat("\"", i, "\"")}}));
  std::vector<std::thread> threads;
  std::atomic<int> done = 0;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&api, &done] {
      for (int k = 0; k < kEach; ++k) done += api.list().has_value() ? 1 : 0;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(done, kThreads * kEach);
}

struct BodyRow {
  const char* name;
  std::string body;
};

class AnswerBody : public testing::TestWithParam<BodyRow> {};

TEST_P(AnswerBody, ThatIsNotAsDocumentedIsAnErrorAtOnce) {
  ApiFixture api;
  api.expect("GET", kList, {.headers = {{"X-GitHub-Request-Id", "C0:FFEE"}}, .body = GetParam().body});
  const auto list = api.list();
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().code, ErrorCode::github_api);
  EXPECT_THAT(describe(list.error()), HasSubstr("list the artifacts of run 7 of o/r"));
  EXPECT_THAT(describe(list.error()), HasSubstr("C0:FFEE"));
  EXPECT_FALSE(list.error().hint.empty());
  EXPECT_TRUE(api.clock.sleeps().empty());
}

INSTANTIATE_TEST_SUITE_P(
    Rows, AnswerBody,
    testing::Values(
        BodyRow{"B20Empty", ""}, BodyRow{"B20Html", "<html>"}, BodyRow{"HalfADocument", R"({"artifacts":[)"},
        BodyRow{"NoObject", "[]"}, BodyRow{"NoList", R"({"artifacts":7})"}, BodyRow{"Nothing", "{}"},
        BodyRow{"NoId", R"({"artifacts":[{"name":"x","size_in_bytes":1,"expired":false}]})"},
        BodyRow{"IdAsText", R"({"artifacts":[{"id":"1","name":"x","size_in_bytes":1,"expired":false}]})"},
        BodyRow{"NegativeSize", R"({"artifacts":[{"id":1,"name":"x","size_in_bytes":-1,"expired":false}]})"},
        BodyRow{"NoExpiry", R"({"artifacts":[{"id":1,"name":"x","size_in_bytes":1}]})"},
        BodyRow{"A46Digest", concat(R"({"artifacts":[)", artifact_json(1, "x", R"(,"digest":"sha256:../x")"), "]}")},
        BodyRow{"AnotherRun", concat(R"({"artifacts":[)", artifact_json(1, "x", R"(,"workflow_run":{"id":8})"), "]}")},
        BodyRow{"TooDeep", std::string(100, '[') + std::string(100, ']')}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(AnswerSize, HasALimitAndIsNotTriedAgain) {
  ApiFixture api;
  api.expect("GET", kList, {.body = std::string((16U << 20U) + 1, ' ')});
  const auto list = api.list();
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().code, ErrorCode::github_api);
  EXPECT_THAT(list.error().message, HasSubstr("larger than 16"));
}

}  // namespace
}  // namespace crategate::github
