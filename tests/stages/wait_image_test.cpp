// wait-image: what GitHub lists from poll to poll, and what the registry has.
#include "stages/wait_image.h"

#include <gmock/gmock.h>

#include "stages/ci_image_project.h"
#include "stages/fake_github.h"

namespace crategate::stages {
namespace {

using pipeline::CiEvent;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class WaitImage : public sample::CiImageProject {
 protected:
  WaitImage() {
    project.write(sample::kDockerfile, "FROM busybox\n");
    push_change();
    check_out_merge();
    event();
    github.pull = sample::pull_request(head);
    github.runs = [this](int) { return listed; };
  }
  github::WorkflowRun run(const std::string& status, const std::string& conclusion = {}) const {
    return {.id = 30,
            .workflow_id = 1,
            .attempt = 1,
            .path = sample::kWorkflow,
            .event = "pull_request",
            .status = status,
            .head_sha = head,
            .head_branch = "fix",
            .created_at = "2026-11-20T09:29:18Z",
            .conclusion = conclusion,
            .head_repository_id = 1};
  }
  Result<ResolvedImage> wait() {
    const auto services = project.plan_services();
    const std::function<Result<github::GitHubClient*>()> client = [this]() -> Result<github::GitHubClient*> {
      return &github;
    };
    const std::function<void(std::string_view)> status = [this](std::string_view line) { lines.emplace_back(line); };
    return wait_for_image(project.plan_inputs(), place,
                          {.plan = services, .reader = registry, .github = client, .clock = clock, .status = status});
  }

  sample::FakeGitHub github;
  std::vector<github::WorkflowRun> listed;
  WaitPlace place{.repository = "o/r", .id = 1, .address = "https://github.example/o/r"};
  test::FakeClock clock;
  std::vector<std::string> lines;
};

TEST_F(WaitImage, PollsUntilTheBuildHasSucceededAndTakesItsImageByDigest) {
  publish("pr-7", std::string(40, 'c'));
  oci::Digest digest = publish("pr-7", head);
  publish("pr-7", std::string(40, 'c'));
  github.runs = [&](int poll) -> Result<std::vector<github::WorkflowRun>> {
    if (poll == 0) return std::vector<github::WorkflowRun>{};
    if (poll == 1) return std::vector{run("queued")};
    if (poll == 2) return std::vector{run("in_progress")};
    digest = publish("pr-7", head);
    return std::vector{run("completed", "success")};
  };
  const auto resolved = wait();
  ASSERT_TRUE(resolved) << describe(resolved.error());
  EXPECT_EQ(resolved->image, concat("ghcr.io/o/r/ci@", digest.text()));
  EXPECT_EQ(clock.sleeps(), std::vector<std::chrono::milliseconds>(3, seconds(20)));
  EXPECT_EQ(github.filter.workflow, "build-ci-image.yml");
  EXPECT_EQ(github.filter.head_sha, head);
  EXPECT_EQ(github.filter.event, "pull_request");
  ASSERT_THAT(lines, SizeIs(4));
  EXPECT_THAT(lines, Each(HasSubstr("waiting for ghcr.io/o/r/ci:pr-7: ")));
  EXPECT_THAT(lines[0], HasSubstr("no run of build-ci-image.yml"));
  EXPECT_THAT(lines[2], AllOf(HasSubstr("run 30 is in_progress, https://github.example/o/r/actions/runs/30"),
                              HasSubstr("of 20 min")));
}

/// C-6: what an earlier push has built is not what this one asked for, whatever the run says.
TEST_F(WaitImage, BelievesNoSuccessWithoutTheImage) {
  publish("pr-7", std::string(40, 'c'));
  listed = {run("completed", "success")};
  const auto resolved = wait();
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().code, ErrorCode::awaited_build_failed);
  EXPECT_THAT(resolved.error().message, HasSubstr("labelled with another commit"));
  EXPECT_EQ(github.polls, 3);
}

TEST_F(WaitImage, EndsAtOnceWithAFailureAndNamesTheRun) {
  listed = {run("completed", "failure")};
  const auto resolved = wait();
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().code, ErrorCode::awaited_build_failed);
  EXPECT_THAT(resolved.error().message, HasSubstr("https://github.example/o/r/actions/runs/30"));
  EXPECT_THAT(clock.sleeps(), IsEmpty());
}

TEST_F(WaitImage, EndsWhenThePullRequestHasMovedOn) {
  listed = {run("completed", "cancelled")};
  github.pull.head.sha = std::string(40, 'd');
  const auto resolved = wait();
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().code, ErrorCode::conflict);
  EXPECT_THAT(resolved.error().message, HasSubstr("dddddddddddd"));
}

/// B17, B20: neither a limit nor a bad quarter of an hour of GitHub ends the wait.
TEST_F(WaitImage, OutlastsWhatPasses) {
  publish("pr-7", head);
  github.runs = [this](int poll) -> Result<std::vector<github::WorkflowRun>> {
    if (poll < 5) return fail(ErrorCode::unavailable, "500");
    if (poll < 9) return fail(ErrorCode::rate_limited, "the hour's requests are used up");
    return std::vector{run("completed", "success")};
  };
  EXPECT_TRUE(wait());
  EXPECT_THAT(lines[8], HasSubstr("GitHub does not answer: the hour's requests"));
}

TEST_F(WaitImage, EndsWithWhatDoesNotPass) {
  for (const auto code : {ErrorCode::forbidden, ErrorCode::unauthenticated, ErrorCode::github_api}) {
    github.runs = [code](int) { return fail(code, "no"); };
    EXPECT_EQ(wait().error().code, code);
  }
  EXPECT_THAT(clock.sleeps(), IsEmpty());
}

/// GitHub knows a workflow once it has run: of one that is in the commit, "not found" says no more than that.
TEST_F(WaitImage, WaitsForAWorkflowThatHasNeverRun) {
  publish("pr-7", head);
  github.runs = [this](int poll) -> Result<std::vector<github::WorkflowRun>> {
    if (poll == 0) return fail(ErrorCode::not_found, "404");
    return std::vector{run("completed", "success")};
  };
  EXPECT_TRUE(wait());
  settings().workflow = "build-image.yml";
  const auto misnamed = wait();
  ASSERT_FALSE(misnamed);
  EXPECT_EQ(misnamed.error().code, ErrorCode::bad_input);
  EXPECT_THAT(misnamed.error().message,
              AllOf(HasSubstr("ci-image.workflow"), HasSubstr(".github/workflows/build-image.yml")));
  EXPECT_THAT(misnamed.error().hint, HasSubstr(sample::kWorkflow));
}

TEST_F(WaitImage, GivesUpAfterItsTime) {
  settings().wait_timeout = seconds(50);
  listed = {run("in_progress")};
  const auto slow = wait();
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().code, ErrorCode::wait_timed_out);
  EXPECT_EQ(clock.passed(), seconds(50));
  EXPECT_EQ(github.polls, 4) << "once more at the end";
  EXPECT_THAT(slow.error().hint, HasSubstr("ci-image.wait-timeout"));
  listed.clear();
  EXPECT_THAT(wait().error().hint, HasSubstr("runs on `pull_request`"));
}

TEST_F(WaitImage, WaitsForNothingWhereNothingIsBuilt) {
  event("pull_request", 2);
  const auto digest = publish("latest", "");
  github.runs = [](int) { return fail(ErrorCode::internal, "nobody should ask"); };
  const auto resolved = wait();
  ASSERT_TRUE(resolved) << describe(resolved.error());
  EXPECT_EQ(resolved->decision.event, CiEvent::fork_changed);
  EXPECT_EQ(resolved->image, concat("ghcr.io/o/r/ci@", digest.text()));
  EXPECT_THAT(lines, IsEmpty());
}

TEST_F(WaitImage, NeedsARepositoryAndAWorkflow) {
  place.repository.clear();
  EXPECT_THAT(wait().error().message, HasSubstr("GITHUB_REPOSITORY"));
  place.repository = "o/r";
  settings().watch = {sample::kDockerfile};
  EXPECT_THAT(wait().error().message, HasSubstr("ci-image.workflow"));
  settings().workflow = sample::kWorkflow;
  publish("pr-7", head);
  listed = {run("completed", "success")};
  EXPECT_TRUE(wait()) << "the whole path is understood";
}

}  // namespace
}  // namespace crategate::stages
