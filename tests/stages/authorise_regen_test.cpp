// authorise-regen: comments of real payloads, a repository of git, GitHub's answers from one question to the next.
#include "stages/authorise_regen.h"

#include <gmock/gmock.h>

#include "json/value.h"
#include "render/applied_regen.h"
#include "stages/ci_image_project.h"
#include "stages/fake_comments.h"
#include "stages/fake_github.h"

namespace crategate::stages {
namespace {

using github::Reaction;
using pipeline::RegenOutcome;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

const std::string kMoved(40, 'd');

class RecordingAnswer final : public RegenAnswer {
 public:
  Result<void> react(std::int64_t comment, Reaction reaction) override {
    EXPECT_EQ(comment, 100);
    reactions.push_back(reaction);
    return {};
  }
  Result<void> reply(std::int64_t pull_request, const std::string& marker, const std::string& text,
                     const OlderReply& stays_with) override {
    EXPECT_EQ(pull_request, 7);
    older_replies.push_back(stays_with);
    EXPECT_THAT(text, StartsWith(marker));
    replies.push_back(text);
    return {};
  }
  std::vector<Reaction> reactions;
  std::vector<std::string> replies;
  std::vector<OlderReply> older_replies;
};

class AuthoriseRegen : public sample::CiImageProject {
 protected:
  AuthoriseRegen() {
    project.write(sample::kDockerfile, "FROM busybox\n");
    push_change();
    project.git({"checkout", "-q", "--detach", "refs/remotes/origin/main"});
    settings().generate = {"make", "gen"};
    project.invocation.event = "issue_comment";
    project.invocation.ref = "refs/heads/main";
    comment("/regen");
    github.pull = sample::pull_request(head);
    github.pull.head.pushed_at = "2026-11-20T09:00:00Z";
    github.permission = github::Permission{.level = github::Permission::Level::write, .user = 5, .role = "write"};
    github.runs = [this](int) { return std::vector{built}; };
    publish("pr-7", head);
    built = {.id = 30,
             .workflow_id = 1,
             .attempt = 1,
             .path = sample::kWorkflow,
             .event = "pull_request",
             .status = "completed",
             .head_sha = head,
             .head_branch = "fix",
             .created_at = "2026-11-20T09:29:18Z",
             .conclusion = "success",
             .head_repository_id = 1};
  }
  void comment(const std::string& body, const std::string& login = "alice", const std::string& type = "User") {
    project.directory.write(
        "event.json",
        json::Value::object(
            {{"action", "created"},
             {"repository", json::Value::object({{"id", 1}})},
             {"sender", json::Value::object({{"id", 5}})},
             {"issue", json::Value::object({{"number", 7}, {"pull_request", json::Value::object()}})},
             {"comment",
              json::Value::object({{"id", 100},
                                   {"body", body},
                                   {"created_at", "2026-11-20T09:00:00Z"},
                                   {"user", json::Value::object({{"id", 5}, {"login", login}, {"type", type}})}})}})
            .canonical());
    project.invocation.payload = (project.directory / "event.json").string();
  }
  Result<AuthorisedRegen> run() {
    forget();
    const auto services = project.plan_services();
    const std::function<Result<github::GitHubClient*>()> client = [this]() -> Result<github::GitHubClient*> {
      return &github;
    };
    const std::function<void(std::string_view)> status = [](std::string_view) {};
    const PullRequestApi api{github, github::RepositoryName::parse("o/r").value()};
    const WaitServices wait{
        .plan = services, .reader = registry, .api = &api, .github = client, .clock = clock, .status = status};
    return authorise_regen(inputs(), {.plan = services, .github = github, .answer = answer}, wait);
  }
  /// As the job asks that writes.
  AuthorisedRegen again() {
    forget();
    const auto services = project.plan_services();
    auto result = authorise_regen_again(inputs(), {7, head}, {.plan = services, .github = github, .answer = answer});
    EXPECT_TRUE(result) << (result ? "" : describe(result.error()));
    return result.value_or(AuthorisedRegen{});
  }
  AuthoriseInputs inputs() {
    return {.plan = project.plan_inputs(),
            .place = {.repository = "o/r", .id = 1, .address = {}},
            .repository = github::RepositoryName::parse("o/r").value()};
  }
  void forget() {
    answer = {};
    github.pulls_asked = github.polls = 0;
    github.permissions_asked.clear();
  }
  AuthorisedRegen authorised() {
    auto result = run();
    EXPECT_TRUE(result) << (result ? "" : describe(result.error()));
    return result.value_or(AuthorisedRegen{});
  }
  /// Refused without failing the job, with the reaction and one reply that names the reason.
  void expect_refused(const std::string& reason) {
    const auto result = authorised();
    EXPECT_EQ(result.reason_id, reason) << result.reason;
    EXPECT_FALSE(result.accepted() || result.image || result.failure);
    ASSERT_THAT(answer.replies, SizeIs(1)) << reason;
    EXPECT_THAT(answer.replies[0], AllOf(HasSubstr(concat("`", reason, "`")), HasSubstr("`alice`")));
    EXPECT_EQ(answer.reactions.back(), Reaction::thumbs_down);
    EXPECT_EQ(github.polls, 0) << "nobody waits for an image";
  }

  sample::FakeGitHub github;
  github::WorkflowRun built;
  test::FakeClock clock;
  RecordingAnswer answer;
};

TEST_F(AuthoriseRegen, PinsTheCommitAndTakesItsImage) {
  comment(concat("/regen ", head.substr(0, 8)));
  const auto result = authorised();
  ASSERT_TRUE(result.accepted()) << result.reason;
  EXPECT_EQ(result.verdict.target.sha, head);
  EXPECT_EQ(result.image->image, concat("ghcr.io/o/r/ci@", publish("pr-7", head).text()));
  EXPECT_THAT(github.permissions_asked, ElementsAre("alice"));
  EXPECT_THAT(answer.reactions, ElementsAre(Reaction::eyes));
  EXPECT_THAT(answer.replies, IsEmpty()) << "the later jobs answer";
  test::RecordingWorkflow workflow;
  ASSERT_TRUE(publish_authorised(result, workflow));
  EXPECT_EQ(workflow.outputs["authorised"], "true");
  EXPECT_EQ(workflow.outputs["pull_request"], "7");
  EXPECT_EQ(workflow.outputs["sha"], head);
  EXPECT_EQ(workflow.outputs["head_ref"], "fix");
  EXPECT_EQ(workflow.outputs["fork"], "false");
  EXPECT_EQ(workflow.outputs["image"], result.image->image);
  EXPECT_THAT(workflow.outputs["reason"], AllOf(StartsWith("accepted: "), HasSubstr("an image of its own")));
}

TEST_F(AuthoriseRegen, AsksNobodyAboutWhatIsNotOurs) {
  project.configuration.ci_image.reset();
  for (const std::string body : {"thanks", "> /regen", "/regenerate"}) {
    comment(body);
    const auto result = authorised();
    EXPECT_EQ(result.verdict.outcome, RegenOutcome::ignored);
    EXPECT_EQ(result.reason_id, "no-command");
  }
  comment("/regen", "other[bot]", "Bot");
  EXPECT_EQ(authorised().reason_id, "bot");
  EXPECT_EQ(github.pulls_asked, 0);
  EXPECT_THAT(github.permissions_asked, IsEmpty());
  EXPECT_THAT(answer.reactions, IsEmpty());
  EXPECT_THAT(answer.replies, IsEmpty());
  test::RecordingWorkflow workflow;
  ASSERT_TRUE(publish_authorised(authorised(), workflow));
  EXPECT_EQ(workflow.outputs["authorised"], "false");
  EXPECT_EQ(workflow.outputs["sha"], "");
}

TEST_F(AuthoriseRegen, AsksOneThingAfterTheOther) {
  comment("/regen main");
  expect_refused("argument");
  EXPECT_EQ(answer.older_replies.back(), kReplaced);
  EXPECT_EQ(github.pulls_asked, 0);
  github.permission->level = github::Permission::Level::read;
  expect_refused("permission");
  EXPECT_EQ(answer.older_replies.back(), kKept);
  EXPECT_THAT(answer.replies.back(), Not(HasSubstr("main"))) << "a stranger's words";
  comment("/regen");
  expect_refused("permission");
  EXPECT_EQ(github.pulls_asked, 0);
  EXPECT_THAT(answer.reactions, ElementsAre(Reaction::thumbs_down)) << "no eyes for those who may not";
  github.permission->level = github::Permission::Level::write;
  github.pull.merged = true;
  expect_refused("merged");
  EXPECT_THAT(answer.reactions, ElementsAre(Reaction::eyes, Reaction::thumbs_down));
}

/// A31: every answer but a clear yes is a no; what is not known to be theirs ends the job, too.
TEST_F(AuthoriseRegen, DeniesWhereThePermissionIsNotKnown) {
  github.permission = fail(ErrorCode::not_found, "404");
  expect_refused("permission-unknown");
  for (const auto code : {ErrorCode::unavailable, ErrorCode::forbidden, ErrorCode::rate_limited, ErrorCode::github_api,
                          ErrorCode::bad_input}) {
    github.permission = fail(code, "no answer", "wait an hour");
    const auto result = authorised();
    EXPECT_FALSE(result.accepted());
    EXPECT_EQ(result.reason_id, name(code));
    ASSERT_TRUE(result.failure);
    EXPECT_EQ(result.failure->code, code);
    ASSERT_THAT(answer.replies, SizeIs(1));
    EXPECT_THAT(answer.replies[0], AllOf(HasSubstr("no answer"), HasSubstr("wait an hour")));
    EXPECT_EQ(github.pulls_asked, 0);
  }
}

TEST_F(AuthoriseRegen, EndsWithTheProcess) {
  github.permission = fail(ErrorCode::interrupted, "interrupted");
  EXPECT_EQ(run().error().code, ErrorCode::interrupted);
  EXPECT_THAT(answer.reactions, IsEmpty());
  EXPECT_THAT(answer.replies, IsEmpty());
}

TEST_F(AuthoriseRegen, BelievesTheListAboutApps) {
  project.configuration.regen.bots = {"renovate[bot]"};
  comment("/regen", "renovate[bot]", "Bot");
  EXPECT_TRUE(authorised().accepted());
  EXPECT_THAT(github.permissions_asked, IsEmpty());
}

/// A32: times are compared as what they mean.
TEST_F(AuthoriseRegen, ComparesTimes) {
  EXPECT_TRUE(authorised().accepted()) << "of the same second";
  github.pull.head.pushed_at = "2026-11-20T09:00:01Z";
  expect_refused("head-newer");
  for (const std::string odd : {"", "yesterday", "2026-11-20T08:00:00", "1763629200", "0026-11-20T08:00:00"}) {
    github.pull.head.pushed_at = odd;
    expect_refused("unclear");
  }
}

/// A32, A33: the head changes before its k-th reading, for every k; no commit is authorised that was not seen last.
TEST_F(AuthoriseRegen, NeverAuthorisesAHeadThatMoved) {
  project.git({"update-ref", "-d", "refs/remotes/origin/main"});  // GitHub is asked for the files, too
  github.files.paths = {sample::kDockerfile};
  github.runs = [this](int poll) { return poll < 2 ? std::vector<github::WorkflowRun>{} : std::vector{built}; };
  comment(concat("/regen ", head));
  ASSERT_TRUE(authorised().accepted());
  const int readings = github.pulls_asked;
  EXPECT_GE(readings, 4) << "to pin it, with the files, while waiting, at the end";
  const auto still = github.pull;
  for (int k = 1; k <= readings; ++k) {
    github.pull = still;
    github.before_pull = [&](int asked) {
      if (asked == k) github.pull.head.sha = kMoved;
    };
    const auto result = authorised();
    EXPECT_FALSE(result.accepted()) << k;
    EXPECT_EQ(result.reason_id, k == 1 ? "sha-differs" : "head-moved") << k;
    EXPECT_EQ(result.failure.has_value(), k > 1) << k;
    EXPECT_EQ(result.failure.value_or(Error{.code = ErrorCode::conflict}).code, ErrorCode::conflict) << k;
    ASSERT_THAT(answer.replies, SizeIs(1)) << k;
    test::RecordingWorkflow workflow;
    ASSERT_TRUE(publish_authorised(result, workflow));
    EXPECT_EQ(workflow.outputs["authorised"], "false");
    EXPECT_EQ(workflow.outputs["sha"], "");
  }
}

TEST_F(AuthoriseRegen, RefusesWhatWasClosedMeanwhile) {
  github.before_pull = [this](int asked) {
    if (asked > 1) github.pull.state = "closed";
  };
  const auto result = authorised();
  EXPECT_EQ(result.reason_id, "closed");
  EXPECT_FALSE(result.accepted() || result.failure);
}

TEST_F(AuthoriseRegen, WaitsForNoImageThatNothingIsMadeIn) {
  settings().generate.clear();
  const auto refused = authorised();
  ASSERT_TRUE(refused.failure);
  EXPECT_EQ(refused.failure->code, ErrorCode::bad_input);
  EXPECT_THAT(answer.replies.back(), HasSubstr("ci-image.generate"));
  EXPECT_EQ(github.polls, 0);
}

TEST_F(AuthoriseRegen, IsAskedAgainAboutTheSamePullRequestOnly) {
  const auto services = project.plan_services();
  const auto other = authorise_regen_again(inputs(), {8, head}, {.plan = services, .github = github, .answer = answer});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::bad_input);
  EXPECT_THAT(describe(other.error()), HasSubstr("pull-request: expected 7, which the comment is on, found 8"));
  EXPECT_THAT(answer.replies, IsEmpty());
}

/// A31, A34: rights are taken away and branches move between two jobs.
TEST_F(AuthoriseRegen, AsksOnceMoreBeforeAnythingIsWritten) {
  const auto still = again();
  ASSERT_TRUE(still.accepted()) << still.reason;
  EXPECT_EQ(still.verdict.target.sha, head);
  EXPECT_EQ(still.image, std::nullopt);
  EXPECT_THAT(github.permissions_asked, ElementsAre("alice"));
  EXPECT_THAT(answer.reactions, IsEmpty()) << "it was heard already";
  EXPECT_EQ(github.polls, 0);
  github.permission->level = github::Permission::Level::read;
  EXPECT_EQ(again().reason_id, "permission");
  ASSERT_THAT(answer.replies, SizeIs(1));
  EXPECT_EQ(answer.older_replies.back(), kKept);
  EXPECT_EQ(github.pulls_asked, 0);
  github.permission = fail(ErrorCode::unavailable, "no answer");
  const auto unknown = again();
  EXPECT_FALSE(unknown.accepted());
  EXPECT_EQ(unknown.failure->code, ErrorCode::unavailable);
  EXPECT_EQ(answer.older_replies.back(), kKept) << "nobody knows whose it is";
  github.permission = github::Permission{.level = github::Permission::Level::write, .user = 5, .role = "write"};
  github.pull.head.sha = kMoved;
  const auto moved = again();
  EXPECT_EQ(moved.reason_id, "head-moved");
  ASSERT_TRUE(moved.failure);
  EXPECT_EQ(exit_code(moved.failure->code), 50);
  EXPECT_EQ(answer.older_replies.back(), render::committed_on(head)) << "another request's commit is this one's answer";
  github.pull.head.sha = head;
  github.pull.state = "closed";
  EXPECT_EQ(again().reason_id, "closed");
  github.pull.state = "open";
  comment("/regenerate");  // a comment may have been edited since: the pinned commit is what is asked about
  EXPECT_TRUE(again().accepted());
}

/// The head's own image, even where the default branch is what is checked out, and an older one is there.
TEST_F(AuthoriseRegen, WaitsForTheImageOfThatCommit) {
  publish("pr-7", kMoved);
  github.runs = [this](int poll) {
    auto run = built;
    if (poll < 2) run.status = "in_progress", run.conclusion.clear();
    if (poll == 2) publish("pr-7", head);
    return std::vector{run};
  };
  const auto result = authorised();
  ASSERT_TRUE(result.accepted()) << result.reason;
  EXPECT_THAT(clock.sleeps(), SizeIs(2));
  EXPECT_EQ(github.filter.head_sha, head);
  EXPECT_EQ(github.filter.event, "pull_request");
}

TEST_F(AuthoriseRegen, AnswersWhenTheImageCannotBeHad) {
  built.conclusion = "failure";
  const auto result = authorised();
  ASSERT_TRUE(result.failure);
  EXPECT_EQ(result.failure->code, ErrorCode::awaited_build_failed);
  EXPECT_EQ(result.reason_id, "awaited-build-failed");
  EXPECT_THAT(answer.reactions, ElementsAre(Reaction::eyes, Reaction::thumbs_down));
  ASSERT_THAT(answer.replies, SizeIs(1));
  EXPECT_THAT(answer.replies[0], HasSubstr("run 30"));
}

TEST_F(AuthoriseRegen, TakesTheBaseImageForAFork) {
  github.pull.head = {.ref = "main", .sha = head, .repository_id = 2, .repository = "stranger/r", .pushed_at = {}};
  expect_refused("sha-needed");
  comment(concat("/regen ", head));
  const auto base = publish("latest", "");
  const auto result = authorised();
  ASSERT_TRUE(result.accepted()) << result.reason;
  EXPECT_EQ(result.image->image, concat("ghcr.io/o/r/ci@", base.text()));
  test::RecordingWorkflow workflow;
  ASSERT_TRUE(publish_authorised(result, workflow));
  EXPECT_EQ(workflow.outputs["fork"], "true");
  EXPECT_THAT(workflow.annotations, SizeIs(1)) << "it asks for another image";
}

TEST_F(AuthoriseRegen, NeedsThatEventAndAnImage) {
  for (const std::string event : {"pull_request", "workflow_dispatch", "pull_request_review_comment"}) {
    project.invocation.event = event;
    const auto result = run();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::bad_input);
    EXPECT_THAT(result.error().message, HasSubstr(concat("found \"", event, "\"")));
  }
  project.invocation.event = "issue_comment";
  project.configuration.ci_image.reset();
  EXPECT_EQ(run().error().code, ErrorCode::bad_input);
  project.invocation.payload.clear();
  EXPECT_THAT(run().error().message, HasSubstr("expected its payload"));
  EXPECT_THAT(answer.reactions, IsEmpty());
}

// --- where answers go ------------------------------------------------------------------------------------------------

class FakeReactions final : public github::ReactionClient {
 public:
  Result<void> react(const github::RepositoryName&, std::int64_t comment, Reaction reaction) override {
    if (error) return fail(*error);
    seen.emplace_back(comment, reaction);
    return {};
  }
  std::optional<Error> error;
  std::vector<std::pair<std::int64_t, Reaction>> seen;
};

TEST(RegenAnswer, IsAReactionAndOneReply) {
  sample::FakeComments comments;
  FakeReactions reactions;
  test::RecordingWorkflow workflow;
  GitHubRegenAnswer answer(github::RepositoryName::parse("o/r").value(), comments, reactions, workflow);
  const std::string marker = regen_marker(config::CiImage{.image = "ghcr.io/o/r/ci"});
  ASSERT_TRUE(answer.react(100, Reaction::eyes));
  ASSERT_TRUE(answer.reply(7, marker, marker + "\none\n", kKept));
  ASSERT_TRUE(answer.reply(7, marker, marker + "\ntwo\n", kReplaced));
  ASSERT_TRUE(answer.reply(7, marker, marker + "\na stranger's\n", kKept));
  EXPECT_THAT(reactions.seen, ElementsAre(std::pair(100, Reaction::eyes)));
  ASSERT_THAT(comments.all, SizeIs(1));
  EXPECT_EQ(comments.all[0].body, marker + "\ntwo\n");
  ASSERT_TRUE(answer.reply(7, marker, marker + "\nthree\n", "two")) << "what is quoted decides nothing";
  EXPECT_EQ(comments.all[0].body, marker + "\nthree\n");
  const std::string committed = concat(render::kLastRegenCommit, "c on b\n");
  ASSERT_TRUE(answer.reply(7, marker, concat(marker, "\nfour\n\n", committed), kReplaced));
  ASSERT_TRUE(answer.reply(7, marker, marker + "\ntoo late\n", " on b"));
  EXPECT_EQ(comments.all[0].body, concat(marker, "\nfour\n\n", committed));
  ASSERT_TRUE(answer.reply(7, marker, marker + "\nfive\n", " on a"));
  EXPECT_EQ(comments.all[0].body, concat(marker, "\nfive\n\n", committed));
  EXPECT_THAT(workflow.annotations, IsEmpty());
}

/// A62: neither is worth a job, but the permission is named.
TEST(RegenAnswer, IsLeftOutWithAWarning) {
  sample::FakeComments comments;
  FakeReactions reactions;
  test::RecordingWorkflow workflow;
  GitHubRegenAnswer answer(github::RepositoryName::parse("o/r").value(), comments, reactions, workflow);
  reactions.error = Error{ErrorCode::forbidden, "403", "add `permissions: pull-requests: write` to the job"};
  comments.write_error = reactions.error;
  EXPECT_TRUE(answer.react(100, Reaction::eyes));
  EXPECT_TRUE(answer.reply(7, "<!-- m -->", "<!-- m -->\n", kReplaced));
  ASSERT_THAT(workflow.annotations, SizeIs(2));
  for (const auto& warning : workflow.annotations)
    EXPECT_THAT(warning.message, HasSubstr("permissions: pull-requests: write"));
  reactions.error->code = ErrorCode::interrupted;
  EXPECT_FALSE(answer.react(100, Reaction::eyes));
}

TEST(RegenAnswer, IsPrintedInADryRun) {
  std::string printed;
  PlannedRegenAnswer answer([&printed](std::string_view text) { printed += text; });
  ASSERT_TRUE(answer.react(100, Reaction::thumbs_down));
  ASSERT_TRUE(answer.reply(7, "<!-- m -->", "<!-- m -->\nno\n", kReplaced));
  EXPECT_EQ(printed, "reaction -1 to comment 100\nreply on pull request 7:\n<!-- m -->\nno\n");
}

}  // namespace
}  // namespace crategate::stages
