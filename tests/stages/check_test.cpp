// check: real commands on the host, scripted ones in a container.
#include "stages/check.h"

#include <gmock/gmock.h>

#include <chrono>
#include <fstream>

#include "stages/project.h"
#include "support/fake_engine.h"
#include "sys/cancel.h"

namespace crategate::stages {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class CheckStage : public ::testing::Test {
 protected:
  CheckStage() {
    for (const char* name : {"check:1", "ghcr.io/astral-sh/ruff"}) engine.add(name, {});
  }
  CheckInputs inputs() const { return {check, project.workspace, in_action}; }
  Result<CommandResult> run() {
    return run_check(inputs(), {project.files,
                                {project.processes, project.environment},
                                [this]() -> Result<docker::Engine*> {
                                  ++engines;
                                  return &engine;
                                },
                                progress});
  }
  config::Check check;
  bool in_action = false;
  int engines = 0;
  sample::Project project;
  test::FakeEngine engine;
  std::vector<std::string> lines;
  Progress progress = [this](std::string_view line) { lines.emplace_back(line); };
};

TEST_F(CheckStage, PassesOnExitZeroAndLeavesALog) {
  check.setup = {"/bin/sh", "-c", "echo set up"};
  check.run = {"/bin/sh", "-c", "echo all good; cat VERSION"};
  const auto result = run();
  ASSERT_TRUE(result) << describe(result.error());
  EXPECT_EQ(project.read(".crategate/logs/check.log"), "set up\nall good\nv1.2.3\n");
  EXPECT_THAT(lines, ElementsAre("set up", "all good", "v1.2.3"));
  EXPECT_EQ(engines, 0);
}

TEST_F(CheckStage, FailsWithTheExitCodeTheLastLineTheLogAndTheCommand) {
  check.run = {"/bin/sh", "-c", "echo first; echo 'E501 line too long'; echo; exit 3"};
  const auto result = run();
  ASSERT_FALSE(result);
  EXPECT_EQ(exit_code(result.error().code), 11);
  EXPECT_THAT(result.error().message, AllOf(HasSubstr("found exit 3"), HasSubstr("E501 line too long"),
                                            HasSubstr(".crategate/logs/check.log")));
  EXPECT_THAT(result.error().hint, AllOf(HasSubstr("crategate check"), HasSubstr("/bin/sh -c")));
  EXPECT_THAT(project.read(".crategate/logs/check.log"), HasSubstr("E501"));
}

TEST_F(CheckStage, FailsWhenSetupFails) {
  check.setup = {"/bin/sh", "-c", "exit 9"};
  check.run = {"/bin/sh", "-c", "touch ran"};
  EXPECT_THAT(run().error().message, HasSubstr("found exit 9"));
  EXPECT_FALSE(project.exists("ran"));
}

/// Alive, and not a zombie that waits for its parent.
bool is_running(const std::string& process) {
  std::ifstream status("/proc/" + process + "/stat");
  std::string text{std::istreambuf_iterator<char>(status), {}};
  const auto end = text.rfind(')');
  return end != std::string::npos && text.substr(end + 2, 1) != "Z";
}

TEST_F(CheckStage, KillsACommandThatForksWhenItsTimeIsUp) {
  check.run = {"/bin/sh", "-c", "sleep 60 & echo $! >child; (setsid sleep 60 & wait) & echo waiting; wait"};
  check.timeout = std::chrono::milliseconds(500);
  const auto began = std::chrono::steady_clock::now();
  const auto result = run();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::tests_failed);
  EXPECT_THAT(result.error().message, AllOf(HasSubstr("time limit"), HasSubstr("waiting")));
  EXPECT_FALSE(is_running(std::string(trim(project.read("child")))));
}

TEST_F(CheckStage, MakesWorkflowCommandsHarmless) {
  check.run = {"/bin/sh", "-c", "echo '::set-output name=push::true'; echo 'x ##[add-path]/evil'"};
  ASSERT_TRUE(run());
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_THAT(lines[0], Not(::testing::StartsWith("::")));
  EXPECT_THAT(lines[1], Not(HasSubstr("##[")));
}

TEST_F(CheckStage, NeedsAnImageInsideTheAction) {
  in_action = true;
  check.run = {"/bin/sh", "-c", "touch ran"};
  const auto result = run();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::bad_input);
  EXPECT_THAT(result.error().message, HasSubstr("check.image"));
  EXPECT_FALSE(project.exists("ran"));
  EXPECT_FALSE(project.exists(".crategate"));
  EXPECT_FALSE(describe_check(inputs()));
}

TEST_F(CheckStage, RunsInAContainerThatSeesTheWorkspace) {
  in_action = true;
  check.image = "check:1";
  check.setup = {"pip", "install", ".[ci]"};
  check.run = {"make", "test"};
  check.timeout = std::chrono::minutes(2);
  engine.containers_print("ruff: ok\n");
  ASSERT_TRUE(run());
  ASSERT_THAT(engine.containers, SizeIs(1));
  const auto& spec = engine.containers.front();
  EXPECT_EQ(spec.image, "check:1");
  EXPECT_THAT(spec.binds, ElementsAre(project.workspace.root.string() + ":/work"));
  EXPECT_EQ(spec.workdir, "/work");
  EXPECT_THAT(spec.env, IsEmpty());
  EXPECT_EQ(engine.runs.front().timeout, std::chrono::minutes(2));
  EXPECT_EQ(project.read(".crategate/logs/check.log"), "ruff: ok\n");
}

TEST_F(CheckStage, TakesThePlaceOfTheImagesEntrypoint) {
  check.image = "ghcr.io/astral-sh/ruff";  // its entrypoint is ruff itself
  check.run = {"make", "test"};
  engine.containers_print("");
  ASSERT_TRUE(run());
  const auto& spec = engine.containers.front();
  EXPECT_TRUE(spec.override_entrypoint);
  EXPECT_THAT(spec.entrypoint, ElementsAre("make"));
  EXPECT_THAT(spec.command, ElementsAre("test"));
}

TEST_F(CheckStage, FailsAsItsContainerDoes) {
  check.image = "check:1";
  check.run = {"make", "test"};
  engine.containers_print("mypy: error\n", 2);
  EXPECT_THAT(run().error().message, AllOf(HasSubstr("exit 2"), HasSubstr("mypy: error")));
  engine.containers_run([](const auto&, const auto&) {
    docker::ContainerOutcome outcome;
    outcome.timed_out = true;
    return Result<docker::ContainerOutcome>(outcome);
  });
  EXPECT_EQ(run().error().code, ErrorCode::tests_failed);
  engine.containers_run([](const auto&, const auto&) -> Result<docker::ContainerOutcome> {
    return fail(ErrorCode::not_found, "no such image: check:1");
  });
  EXPECT_EQ(run().error().code, ErrorCode::not_found);
}

TEST_F(CheckStage, DescribesWhatItWouldRun) {
  check.run = {"make", "test all"};
  EXPECT_THAT(*describe_check(inputs()), ElementsAre("make 'test all'"));
  check.setup = {"pip", "install", ".[ci]"};
  EXPECT_THAT(*describe_check(inputs()), ElementsAre("pip install '.[ci]'", "make 'test all'"));
  check.image = "check:1";
  EXPECT_THAT(*describe_check(inputs()), ElementsAre(::testing::StartsWith("docker run --rm --init")));
}

TEST_F(CheckStage, ReportsACancellationAsSuch) {
  check.run = {"sleep", "60"};
  sys::request_cancellation(ErrorCode::terminated);
  const auto result = run();
  sys::reset_cancellation();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::terminated);
}

TEST_F(CheckStage, PullsAnImageThatTheEngineLacks) {
  check.run = {"make", "test"};
  check.image = "check:1";
  engine.containers_print("fine\n");
  ASSERT_TRUE(run());
  EXPECT_THAT(engine.pulled, IsEmpty()) << "it has this one";
  check.image = "another:1";
  ASSERT_TRUE(run());
  EXPECT_THAT(engine.pulled, ElementsAre("another:1"));
  check.image = "nowhere:1";
  engine.pull_error = Error{ErrorCode::not_found, "none", "", {}, {}, {}};
  EXPECT_EQ(run().error().code, ErrorCode::not_found);
  EXPECT_THAT(engine.containers, SizeIs(2));
}

}  // namespace
}  // namespace crategate::stages
