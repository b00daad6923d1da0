// Who may do what, pull requests, workflow runs.
#include <gmock/gmock.h>

#include "wire/github/api_server.h"

namespace crategate::github {
namespace {

using test::ApiFixture;
using testing::HasSubstr;

const std::string kSha(40, 'a');
const std::string kOther(40, 'b');
using Level = Permission::Level;

struct PermissionRow {
  const char* name;
  int status;
  std::string body;
  std::optional<Level> level;  ///< nullopt = an error, which means no
};

class A31Permission : public testing::TestWithParam<PermissionRow> {};

TEST_P(A31Permission, IsWhatTheApiSaysNow) {
  ApiFixture api;
  api.expect("GET", "/repos/o/r/collaborators/octo-cat/permission",
             {.status = GetParam().status, .body = GetParam().body});
  const auto permission = api.client.permission_of(ApiFixture::repository(), "octo-cat");
  ASSERT_EQ(permission.has_value(), GetParam().level.has_value());
  if (!permission) return;
  EXPECT_EQ(permission->level, *GetParam().level);
  EXPECT_EQ(permission->user.has_value(), GetParam().body.find(R"("id":1)") != std::string::npos);
  EXPECT_EQ(permission->may_write(), *GetParam().level >= Level::write);
}

std::string permission_json(const std::string& level, const std::string& login = "Octo-Cat") {
  return concat(R"({"permission":")", level, R"(","role_name":"x","user":{"login":")", login, R"(","id":1}})");
}

INSTANTIATE_TEST_SUITE_P(
    Rows, A31Permission,
    testing::Values(PermissionRow{"Admin", 200, permission_json("admin"), Level::admin},
                    PermissionRow{"Write", 200, permission_json("write"), Level::write},
                    PermissionRow{"Read", 200, permission_json("read"), Level::read},
                    PermissionRow{"None", 200, permission_json("none"), Level::none},
                    PermissionRow{"NoUser", 200, R"({"permission":"read","role_name":"triage","user":null})",
                                  Level::read},
                    PermissionRow{"AnotherUser", 200, permission_json("admin", "mallory"), std::nullopt},
                    PermissionRow{"UnknownLevel", 200, permission_json("owner"), std::nullopt},
                    PermissionRow{"NoLevel", 200, R"({"role_name":"admin"})", std::nullopt},
                    PermissionRow{"NotFound", 404, "{}", std::nullopt},
                    PermissionRow{"Forbidden", 403, "{}", std::nullopt}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(UserPermission, OfAnAppIsAskedForByItsEncodedName) {
  ApiFixture api;
  api.expect("GET", "/repos/o/r/collaborators/dependabot%5Bbot%5D/permission",
             {.body = permission_json("write", "dependabot[bot]")});
  EXPECT_TRUE(api.client.permission_of(ApiFixture::repository(), "dependabot[bot]")->may_write());
}

TEST(UserPermission, OfWhatIsNoNameIsNotAskedFor) {
  ApiFixture api;
  for (const char* user : {"", "..", "a/b", "a?b", "a b", "a%2fb", "a\nb"})
    EXPECT_EQ(api.client.permission_of(ApiFixture::repository(), user).error().code, ErrorCode::bad_input) << user;
}

std::string side(const std::string& ref, const std::string& sha, const std::string& repository) {
  return concat(R"({"label":"x:y","ref":")", ref, R"(","sha":")", sha, R"(","repo":)", repository, "}");
}

std::string pull_json(const std::string& head, const std::string& more = "") {
  return concat(R"({"number":5,"state":"open","head":)", head, R"(,"base":)",
                side("main", kOther, R"({"id":1,"full_name":"o/r","pushed_at":null})"), more, "}");
}

TEST(PullRequest, HasItsTwoSides) {
  ApiFixture api;
  api.expect("GET", "/repos/o/r/pulls/5",
             {.body = pull_json(side("fix", kSha, R"({"id":2,"full_name":"f/r","pushed_at":"2026-11-20T09:00:00Z"})"),
                                R"(,"user":{"login":"eve"},"draft":true,"merged":true,"maintainer_can_modify":true)")});
  const auto pull = api.client.pull_request(ApiFixture::repository(), 5);
  ASSERT_TRUE(pull) << describe(pull.error());
  EXPECT_EQ(pull->number, 5);
  EXPECT_EQ(pull->state, "open");
  EXPECT_EQ(pull->head.ref, "fix");
  EXPECT_EQ(pull->head.sha, kSha);
  EXPECT_EQ(pull->head.repository_id, 2);
  EXPECT_EQ(pull->head.repository, "f/r");
  EXPECT_EQ(pull->head.pushed_at, "2026-11-20T09:00:00Z");
  EXPECT_EQ(pull->base.ref, "main");
  EXPECT_EQ(pull->base.sha, kOther);
  EXPECT_EQ(pull->author, "eve");
  EXPECT_TRUE(pull->draft);
  EXPECT_TRUE(pull->merged);
  EXPECT_TRUE(pull->maintainer_can_modify);
  EXPECT_TRUE(pull->from_fork());
}

TEST(PullRequest, IsAForksWhenItsRepositoryIsGoneAndNotByItsName) {
  for (const auto& [repository, is_fork] : std::vector<std::pair<std::string, bool>>{
           {"null", true}, {R"({"id":1,"full_name":"renamed/r"})", false}, {R"({"id":2,"full_name":"o/r"})", true}}) {
    ApiFixture api;
    api.expect("GET", "/repos/o/r/pulls/5", {.body = pull_json(side("fix", kSha, repository))});
    const auto pull = api.client.pull_request(ApiFixture::repository(), 5);
    ASSERT_TRUE(pull) << describe(pull.error());
    EXPECT_EQ(pull->from_fork(), is_fork) << repository;
  }
}

TEST(PullRequest, ThatIsNotTheOneOrHasNoCommitIsRefused) {
  const std::string repository = R"({"id":1,"full_name":"o/r"})";
  for (const std::string& body :
       {replace_all(pull_json(side("fix", kSha, repository)), "\"number\":5", "\"number\":6"),
        pull_json(side("fix", "HEAD", repository)), pull_json(side("fix", kSha + "a", repository)),
        pull_json(side("fix", std::string(40, 'A'), repository)), pull_json("null"), pull_json(side("fix", kSha, "7")),
        pull_json(side("fix", kSha, repository), R"(,"draft":"no")"),
        pull_json(side("fix", kSha, repository), R"(,"merged":1)")}) {
    ApiFixture api;
    api.expect("GET", "/repos/o/r/pulls/5", {.body = body});
    const auto pull = api.client.pull_request(ApiFixture::repository(), 5);
    ASSERT_FALSE(pull) << body;
    EXPECT_EQ(pull.error().code, ErrorCode::github_api);
    EXPECT_THAT(describe(pull.error()), HasSubstr("read pull request 5 of o/r"));
  }
}

std::string run_json(std::int64_t id, const std::string& conclusion, const std::string& head_repository) {
  return concat(R"({"id":)", id,
                R"(,"workflow_id":4,"run_attempt":2,"path":".github/workflows/ci.yml","event":"push",)",
                R"("status":"x","conclusion":)", conclusion, R"(,"head_sha":")", kSha,
                R"(","head_branch":null,"created_at":"2026-11-20T09:00:00Z","repository":{"id":3},"head_repository":)",
                head_repository, "}");
}

TEST(WorkflowRuns, OfAFileAndCommitAreListed) {
  ApiFixture api;
  api.expect(
      "GET",
      concat("/repos/o/r/actions/workflows/ci.yml/runs?per_page=100&head_sha=", kSha, "&event=a%26b&status=success"),
      {.body = concat(R"({"total_count":2,"workflow_runs":[)", run_json(9, R"("success")", R"({"id":1})"), ",",
                      replace_all(run_json(8, "null", "null"), R"("run_attempt":2,)", ""), "]}")});
  const auto runs = api.client.workflow_runs(
      ApiFixture::repository(), {.workflow = "ci.yml", .head_sha = kSha, .event = "a&b", .status = "success"});
  ASSERT_TRUE(runs) << describe(runs.error());
  ASSERT_EQ(runs->size(), 2U);
  EXPECT_EQ(runs->at(0).id, 9);
  EXPECT_EQ(runs->at(0).workflow_id, 4);
  EXPECT_EQ(runs->at(0).attempt, 2);
  EXPECT_EQ(runs->at(0).path, ".github/workflows/ci.yml");
  EXPECT_EQ(runs->at(0).conclusion, "success");
  EXPECT_EQ(runs->at(0).head_repository_id, 1);
  EXPECT_EQ(runs->at(0).repository_id, 3);
  EXPECT_EQ(runs->at(1).conclusion, "");
  EXPECT_EQ(runs->at(1).attempt, 1);
  EXPECT_FALSE(runs->at(1).head_repository_id);
}

TEST(WorkflowRuns, OfAllFilesAreListedWithoutAFilter) {
  ApiFixture api;
  api.expect("GET", "/repos/o/r/actions/runs?per_page=100", {.body = R"({"total_count":0,"workflow_runs":[]})"});
  EXPECT_TRUE(api.client.workflow_runs(ApiFixture::repository(), {})->empty());
  EXPECT_EQ(api.client.workflow_runs(ApiFixture::repository(), {.workflow = ".."}).error().code, ErrorCode::bad_input);
}

class PullRequestFilesTest : public testing::Test {
 protected:
  static std::string named(int from, int to) {
    std::vector<std::string> entries;
    for (int i = from; i < to; ++i) entries.push_back(concat(R"({"filename":"f)", i, R"(","status":"added"})"));
    return concat("[", join(entries, ","), "]");
  }
  static std::string path_of(int page) {
    return page == 1 ? "/repos/o/r/pulls/7/files?per_page=100"
                     : concat("/repositories/1/pulls/7/files?per_page=100&page=", page);
  }
  void expect_page(int page, const std::string& body, bool more) {
    net::Headers headers;
    if (more) {
      headers = {{"Link", concat("<", api.server.url(test::kBase + path_of(page + 1)).text(), ">; rel=next")}};
    }
    api.expect("GET", path_of(page), {.headers = headers, .body = body});
  }
  Result<PullRequestFiles> files() { return api.client.pull_request_files(ApiFixture::repository(), 7); }
  ApiFixture api;
};

TEST_F(PullRequestFilesTest, AreListedByPagesAndByBothNames) {
  for (int reading = 0; reading < 2; ++reading) {
    expect_page(1, named(0, 100), true);
    expect_page(2, R"([{"filename":"new","previous_filename":"old","status":"renamed"}])", false);
  }
  const auto files = this->files();
  ASSERT_TRUE(files) << describe(files.error());
  EXPECT_EQ(files->entries, 101U);
  EXPECT_EQ(files->paths.size(), 102U);
  EXPECT_EQ(files->paths.back(), "old");
  EXPECT_TRUE(files->complete);
}

/// Fifteen files leave the first page: those that were on the second are on it now, and nobody has read them.
TEST_F(PullRequestFilesTest, AreReadAgainWhenPagesShrinkMeanwhile) {
  expect_page(1, named(0, 100), true);
  expect_page(2, named(115, 136), false);
  for (int reading = 0; reading < 2; ++reading) {
    expect_page(1, named(15, 115), true);
    expect_page(2, named(115, 136), false);
  }
  const auto files = this->files();
  ASSERT_TRUE(files) << describe(files.error());
  EXPECT_THAT(files->paths, testing::Contains("f106"));
  EXPECT_EQ(files->entries, 121U);
}

TEST_F(PullRequestFilesTest, ThatChangeEachTimeAreNoAnswer) {
  for (int reading = 0; reading < 3; ++reading) {
    expect_page(1, named(reading, 100 + reading), true);
    expect_page(2, named(100 + reading, 136), false);
  }
  const auto files = this->files();
  ASSERT_FALSE(files);
  EXPECT_EQ(files.error().code, ErrorCode::conflict);
  EXPECT_THAT(files.error().message, HasSubstr("changed each time"));
}

TEST_F(PullRequestFilesTest, AsManyAsGitHubListsAreNotAll) {
  for (const int last : {99, 100}) {
    for (int reading = 0; reading < 2; ++reading) {
      for (int page = 1; page <= 30; ++page) expect_page(page, named(0, page == 30 ? last : 100), page < 30);
    }
    EXPECT_EQ(files()->complete, last == 99);
  }
}

}  // namespace
}  // namespace crategate::github
