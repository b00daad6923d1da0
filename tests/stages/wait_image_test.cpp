// wait-image: what GitHub lists from poll to poll, and what the registry has.
#include "stages/wait_image.h"

#include <gmock/gmock.h>

#include "base/log.h"
#include "net/request_error.h"
#include "stages/ci_image_project.h"
#include "stages/fake_github.h"

namespace crategate::stages {
namespace {

using pipeline::CiEvent;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
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
            .head_repository_id = 1,
            .repository_id = 1};
  }
  Result<ResolvedImage> wait() {
    const auto services = project.plan_services();
    const std::function<Result<github::GitHubClient*>()> client = [this]() -> Result<github::GitHubClient*> {
      return &github;
    };
    const std::function<void(std::string_view)> status = [this](std::string_view line) { lines.emplace_back(line); };
    const PullRequestApi api{github, github::RepositoryName::parse("o/r").value()};
    return wait_for_image(project.plan_inputs(), place,
                          {.plan = services,
                           .reader = reader,
                           .api = has_token ? &api : nullptr,
                           .github = client,
                           .clock = clock,
                           .status = status});
  }
  sample::FakeGitHub github;
  std::vector<github::WorkflowRun> listed;
  WaitPlace place{.repository = "o/r", .id = 1, .address = "https://github.example/o/r"};
  bool has_token = true;
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

/// Whatever state the run of the old head is in: nothing of it says what to do about the new one. The head is asked for where
/// the wait would end, and from the second poll on.
TEST_F(WaitImage, EndsWhenThePullRequestHasMovedOn) {
  for (const auto& [status, conclusion] :
       {std::pair{"completed", "cancelled"}, {"completed", "failure"}, {"in_progress", ""}, {"queued", ""}}) {
    listed = {run(status, conclusion)};
    github.pull.head.sha = std::string(40, 'd');
    github.polls = github.pulls_asked = 0;
    const auto resolved = wait();
    ASSERT_FALSE(resolved) << status;
    EXPECT_EQ(resolved.error().code, ErrorCode::conflict) << status;
    EXPECT_THAT(resolved.error().message, HasSubstr("dddddddddddd"));
    EXPECT_EQ(github.pulls_asked, 1) << status;
    EXPECT_EQ(github.polls, conclusion == std::string("failure") ? 1 : 2) << status;
  }
}

TEST_F(WaitImage, NoticesAPushWhileTheOldBuildRuns) {
  github.runs = [this](int poll) {
    if (poll == 3) github.pull.head.sha = std::string(40, 'd');
    return std::vector{run("in_progress")};
  };
  EXPECT_EQ(wait().error().code, ErrorCode::conflict);
  EXPECT_EQ(github.polls, 4);
}

/// B17, B20: neither a limit nor a bad quarter of an hour of GitHub or of the registry ends the wait.
TEST_F(WaitImage, OutlastsWhatPasses) {
  publish("pr-7", head);
  github.hold = seconds(60);
  reader.down = Error{.code = ErrorCode::unavailable, .message = "the registry is away", .hint = {}};
  github.runs = [this](int poll) -> Result<std::vector<github::WorkflowRun>> {
    if (poll < 5) return fail(ErrorCode::unavailable, "500");
    if (poll < 9) return fail(ErrorCode::rate_limited, "the hour's requests are used up until noon");
    if (poll == 12) reader.down.reset();
    return std::vector{run("completed", "success")};
  };
  const auto resolved = wait();
  ASSERT_TRUE(resolved) << describe(resolved.error());
  EXPECT_EQ(github.polls, 13);
  EXPECT_THAT(lines[8], HasSubstr("pr-7: the hour's requests are used up until noon ("));
  EXPECT_THAT(
      lines[9],
      HasSubstr("pr-7: run 30 has succeeded; the registry is away, https://github.example/o/r/actions/runs/30"));
}

Error cut_short() {
  return {.code = ErrorCode::integrity,
          .message = "the answer is too short",
          .hint = {},
          .http = HttpFailure{.status = 200, .code = std::string(net::kCutShort)}};
}

/// Half an answer says nothing yet; bytes that are not those of their digest say enough.
TEST_F(WaitImage, OutlastsAnswersThatAreCutShort) {
  publish("pr-7", head);
  reader.down = cut_short();
  github.pull_failure = cut_short();
  github.runs = [this](int poll) -> Result<std::vector<github::WorkflowRun>> {
    if (poll < 2) return fail(cut_short());
    if (poll < 4) return std::vector{run("in_progress")};
    if (poll == 6) reader.down.reset();
    return std::vector{run("completed", "success")};
  };
  const auto resolved = wait();
  ASSERT_TRUE(resolved) << describe(resolved.error());
  EXPECT_EQ(github.polls, 7);
  listed = {run("completed", "success")};
  github.runs = [this](int) { return listed; };
  reader.down = Error{.code = ErrorCode::integrity, .message = "expected sha256:1, found sha256:2", .hint = {}};
  EXPECT_EQ(wait().error().code, ErrorCode::integrity);
}

/// Somebody deletes the run between two polls; the next one is another.
TEST_F(WaitImage, GoesOnWhereTheRunIsDeleted) {
  publish("pr-7", head);
  github.runs = [this](int poll) -> Result<std::vector<github::WorkflowRun>> {
    if (poll == 0) return std::vector{run("in_progress")};
    if (poll < 3) return std::vector<github::WorkflowRun>{};
    auto next = run("completed", "success");
    next.id = 31;
    return std::vector{next};
  };
  const auto resolved = wait();
  ASSERT_TRUE(resolved) << describe(resolved.error());
  EXPECT_THAT(lines[1], HasSubstr("run 30 is gone"));
  EXPECT_THAT(lines[3], HasSubstr("run 31 has succeeded"));
  github.polls = 0;
  github.runs = [this](int poll) {
    return poll == 0 ? std::vector{run("in_progress")} : std::vector<github::WorkflowRun>{};
  };
  const auto gone = wait();
  EXPECT_EQ(gone.error().code, ErrorCode::awaited_build_failed);
  EXPECT_THAT(gone.error().hint, HasSubstr("It was deleted"));
  EXPECT_EQ(github.polls, 4);
}

/// B17: there is nothing to wait for.
TEST_F(WaitImage, EndsWithALimitThatOutlastsIt) {
  github.runs = [](int) { return fail(ErrorCode::rate_limited, "used up until noon", "run again after that time"); };
  for (const auto& [hold, polls] : {std::pair{settings().wait_timeout + seconds(1), 1}, {settings().wait_timeout, 2}}) {
    github.hold = hold;
    github.polls = 0;
    const auto limited = wait();
    ASSERT_FALSE(limited);
    EXPECT_EQ(limited.error().code, ErrorCode::rate_limited);
    EXPECT_THAT(limited.error().message, HasSubstr("found used up until noon"));
    EXPECT_EQ(limited.error().hint, "run again after that time");
    EXPECT_EQ(github.polls, polls);
  }
}

/// The advice is that of what is in the way, not of triggers.
TEST_F(WaitImage, EndsAnOutageWithItsOwnAdvice) {
  github.runs = [](int) { return fail(ErrorCode::unavailable, "GitHub: found 500", "look at its status page"); };
  const auto away = wait();
  EXPECT_EQ(away.error().code, ErrorCode::wait_timed_out);
  EXPECT_THAT(away.error().message, EndsWith(", found GitHub: found 500"));
  EXPECT_EQ(away.error().hint, "look at its status page");
  listed = {run("completed", "success")};
  github.runs = [this](int) { return listed; };
  reader.down = Error{.code = ErrorCode::unavailable, .message = "no registry", .hint = "check the network"};
  EXPECT_EQ(wait().error().hint, "check the network");
  reader.down->code = ErrorCode::forbidden;
  EXPECT_EQ(wait().error().code, ErrorCode::forbidden) << "which does not pass";
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

/// GitHub runs what the merge has: a base that got the workflow meanwhile is enough, and so is a head that brings it.
TEST_F(WaitImage, TakesAWorkflowThatOnlyOneSideHas) {
  project.git({"checkout", "-q", "--detach", "refs/remotes/origin/main"});
  project.write(".github/workflows/new.yml", "on: pull_request\n");
  project.commit("main gets a workflow");
  project.git({"update-ref", "refs/remotes/origin/main", "HEAD"});
  publish("pr-7", head);
  listed = {run("completed", "success")};
  listed.front().path = ".github/workflows/new.yml";
  settings().workflow = "new.yml";
  const auto base = project.git({"rev-parse", "HEAD"});
  for (const std::string& checked_out : {base, head}) {
    project.git({"checkout", "-q", "--detach", checked_out});
    const auto resolved = wait();
    EXPECT_TRUE(resolved) << checked_out << (resolved ? "" : describe(resolved.error()));
  }
  project.git({"update-ref", "refs/remotes/origin/main", "main"});
  project.git({"checkout", "-q", "--detach", base});
  EXPECT_TRUE(wait()) << "the checkout has it";
  project.git({"checkout", "-q", "--detach", head});
  EXPECT_EQ(wait().error().code, ErrorCode::bad_input);
}

/// The merge has what the pull request renamed no longer: nobody will ever build, whatever the base still has.
TEST_F(WaitImage, RefusesAWorkflowThatThePullRequestRenames) {
  project.git({"mv", sample::kWorkflow, ".github/workflows/renamed.yml"});
  push_change();
  check_out_merge();
  event();
  settings().workflow = sys::Path(sample::kWorkflow).filename();
  const auto renamed = wait();
  ASSERT_FALSE(renamed);
  EXPECT_EQ(renamed.error().code, ErrorCode::bad_input);
  EXPECT_THAT(renamed.error().message, HasSubstr(sample::kWorkflow));
}

/// GitHub says 404 of what a token may not see, too: nobody should wait for the end to hear of it.
TEST_F(WaitImage, NamesAtOnceWhatTheTokenMayLack) {
  github.runs = [](int) { return fail(ErrorCode::not_found, "404", "add `permissions: actions: read` to the job"); };
  const auto unseen = wait();
  EXPECT_EQ(unseen.error().code, ErrorCode::wait_timed_out);
  EXPECT_THAT(unseen.error().hint, HasSubstr("the token does not see its runs: add `permissions: actions: read`"));
  EXPECT_THAT(lines.front(), HasSubstr("add `permissions: actions: read`"));
  EXPECT_THAT(lines[1], Not(HasSubstr("add `permissions"))) << "once is enough";
  has_token = false;
  const auto anonymous = wait();
  EXPECT_EQ(anonymous.error().code, ErrorCode::bad_input);
  EXPECT_THAT(anonymous.error().message, HasSubstr("github-token"));
}

/// Without a permission it goes on, asks no more, and says so.
TEST_F(WaitImage, NamesThePermissionForTheHead) {
  github.pull_failure = Error{.code = ErrorCode::forbidden, .message = "403", .hint = "add `pull-requests: read`"};
  listed = {run("in_progress")};
  EXPECT_THAT(wait().error().hint, AllOf(HasSubstr("ci-image.wait-timeout"), HasSubstr("add `pull-requests: read`")));
  EXPECT_EQ(github.pulls_asked, 1);
  EXPECT_THAT(lines[1], HasSubstr("moved on: add `pull-requests: read`."));
  listed = {run("completed", "failure")};
  EXPECT_THAT(wait().error().hint, HasSubstr("add `pull-requests: read`"));
  github.pulls_asked = 0;
  github.pull_failure->code = ErrorCode::unavailable;
  settings().wait_timeout = seconds(50);
  listed = {run("in_progress")};
  EXPECT_THAT(wait().error().hint, Not(HasSubstr("pull-requests")));
  EXPECT_EQ(github.pulls_asked, 3) << "it may answer the next time";
}

/// What is shown to nobody without a login is answered as what is not there.
TEST_F(WaitImage, SaysThatALoginMayBeMissing) {
  listed = {run("completed", "success")};
  EXPECT_THAT(wait().error().hint, Not(HasSubstr("login")));
  reader.anonymous = true;
  const auto unseen = wait();
  EXPECT_EQ(unseen.error().code, ErrorCode::awaited_build_failed);
  EXPECT_THAT(unseen.error().hint, AllOf(HasSubstr("shown to nobody without a login"), HasSubstr("packages: read")));
  publish("pr-7", std::string(40, 'c'));
  EXPECT_THAT(wait().error().hint, Not(HasSubstr("login"))) << "it is seen";
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
  EXPECT_THAT(wait().error().hint, AllOf(HasSubstr("runs on `pull_request`"), HasSubstr("300 changed files")));
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
