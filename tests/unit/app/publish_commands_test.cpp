// What is asked and said before anything is published: the lease and its remote, the plan's release set.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/application.h"
#include "app/commands.h"
#include "stages/git_journal.h"
#include "stages/project.h"
#include "unit/git/ref_store_fixture.h"

namespace crategate::app {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class PublishCommands : public ::testing::Test {
 protected:
  PublishCommands() {
    project.write("crategate.yml",
                  "image: me/app-{cell}\naxes:\n  python: {file: PYTHON_VERSIONS}\n  runtime: [cpu, cuda]\n"
                  "generate: {output: \"Dockerfile.{cell}\"}\n");
    project.init();
  }
  Result<void> run(std::vector<std::string> words) {
    words.push_back("--workspace=" + project.workspace.root.string());
    CG_TRY(auto line, parse_command_line(words));
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    auto app = Application::create(std::move(line));
    auto done = app->load();
    if (done) done = run_command(*app);
    app.reset();
    out = ::testing::internal::GetCapturedStdout();
    err = ::testing::internal::GetCapturedStderr();
    return done;
  }
  /// To a registry that does not answer.
  Result<void> run_release(std::vector<std::string> words) {
    words.insert(words.end(), {"--to=127.0.0.1:1", "--event=push", "--ref=refs/tags/v1.2.3"});
    return run(std::move(words));
  }
  std::string out, err;
  stages::sample::Project project;
};

TEST_F(PublishCommands, RefuseALeaseRemoteThatCannotBeOneBeforeAnythingIsDone) {
  for (const char* remote : {"a b", "http://example.org/x", "ext::sh"}) {
    const auto done = run({"explain", concat("--release-lease-remote=", remote)});
    ASSERT_FALSE(done) << remote;
    EXPECT_EQ(done.error().code, ErrorCode::bad_input);
    EXPECT_THAT(describe(done.error()), HasSubstr("release.lease-remote: "));
  }
}

TEST_F(PublishCommands, RefuseALeaseRemoteThatTheCheckoutDoesNotHaveWithThePlan) {
  const std::string remote = "--release-lease-remote=nowhere";
  const auto refused = run_release({"plan", "--release-lease=git", remote});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::bad_input);
  EXPECT_THAT(describe(refused.error()), AllOf(HasSubstr("release.lease-remote: "), HasSubstr("\"nowhere\"")));
  EXPECT_FALSE(project.exists(".crategate/plan.json"));
  EXPECT_TRUE(run_release({"plan", remote})) << "no lease is asked for";
  EXPECT_TRUE(run_release({"plan", "--publish=false", "--release-lease=git", remote})) << "nothing is published";
}

TEST_F(PublishCommands, WarnInADryRunWhenSomebodyElseHasTheLease) {
  test::GitRemote remote;
  const std::vector<std::string> words = {"run", "--dry-run", "--release-lease=git",
                                          concat("--release-lease-remote=", remote.path().string())};
  ASSERT_TRUE(run_release({"plan"}));
  sys::PosixFileSystem files;
  const auto plan = stages::load_plan(files, project.workspace, "").value();
  sys::PosixProcessRunner processes;
  const test::FakeEnvironment environment = test::job_environment();
  sys::SystemClock clock;
  git::GitRefStore refs(processes, environment, remote.directory().path(), remote.path().string(), Secret());
  stages::GitJournal other(refs, clock, plan.image_set, {.run = "8", .attempt = "1", .id = "other"});
  ASSERT_TRUE(other.open());
  const auto dry = run_release(words);
  ASSERT_TRUE(dry) << describe(dry.error());
  EXPECT_THAT(err,
              AllOf(HasSubstr("another release has the lease: \"attempt 1 of the workflow run 8 (other)\", until "),
                    HasSubstr("exit code 50")));
  EXPECT_TRUE(other.hold()) << "nothing was taken";
  ASSERT_TRUE(other.close());
  ASSERT_TRUE(run_release(words));
  EXPECT_THAT(err, Not(HasSubstr("lease")));
}

TEST_F(PublishCommands, PublishAllCellsOrNone) {
  ASSERT_TRUE(run_release({"plan"}));
  for (const char* command : {"push", "release", "recover", "status"}) {
    for (const char* part : {"--only=runtime=cpu", "--cell=cpu-py3.11", "--cell=nope"}) {
      const auto refused = run({command, part});
      ASSERT_FALSE(refused) << command << part;
      EXPECT_EQ(refused.error().code, ErrorCode::bad_input);
      const std::string option = std::string(part).substr(0, 6);
      EXPECT_THAT(refused.error().message, HasSubstr(concat(option, ": expected nothing"))) << command;
    }
  }
}

TEST_F(PublishCommands, ResolveTheSetOfThePlanInForce) {
  const auto without = run({"resolve-set"});
  ASSERT_FALSE(without);
  EXPECT_THAT(without.error().message, HasSubstr("expected REF, or release.set"));
  const auto empty = run({"resolve-set", ""});
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().code, ErrorCode::bad_input) << "a variable that is not set is no wish for the plan's";
  ASSERT_TRUE(run_release({"plan", "--release-set=me/set:v{major}"}));
  const auto planned = run({"resolve-set"});
  ASSERT_FALSE(planned);
  EXPECT_EQ(planned.error().code, ErrorCode::unavailable);
  EXPECT_THAT(describe(planned.error()), HasSubstr("127.0.0.1:1/v2/me/set/manifests/v1"))
      << "neither --to nor settings";
  ASSERT_TRUE(run_release({"plan"}));
  const auto none = run({"resolve-set"});
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("makes no release set"));
}

}  // namespace
}  // namespace crategate::app
