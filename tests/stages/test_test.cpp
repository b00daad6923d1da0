// test: what counts as passed, which container runs, and what is written down.
#include "stages/test.h"

#include <gmock/gmock.h>

#include "stages/build.h"
#include "stages/project.h"
#include "support/fake_engine.h"

namespace crategate::stages {
namespace {

using pipeline::TestVerdict;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kImage = "braindotai/opencrate-cpu-py3.11:v1.2.3";
constexpr const char* kLog = "tests/logs/test-py3.11-cpu.log";

class TestStage : public ::testing::Test {
 protected:
  TestStage() {
    project.configuration.test->run = {"python3", "-m", "pytest"};
    id = engine.add(kImage, image);
  }
  TestInputs inputs() const { return {project.configuration, *plan, plan->cells.front(), project.workspace}; }
  Result<pipeline::TestResult> run() {
    plan = sample::release_plan(project.configuration);
    return run_test(inputs(), {project.files, engine, progress});
  }
  Result<docker::ContainerSpec> container() {
    plan = sample::release_plan(project.configuration);
    return test_container(inputs(), "image");
  }
  sample::Project project;
  test::TestImage image;
  test::FakeEngine engine;
  std::string id;
  std::optional<pipeline::Plan> plan;
  std::vector<std::string> lines;
  Progress progress = [this](std::string_view line) { lines.emplace_back(line); };
};

struct VerdictCase {
  std::string what, output;
  docker::ContainerOutcome outcome;
  std::string count;
  TestVerdict verdict;
  std::int64_t total = 0, failed = 0, skipped = 0;
};

void PrintTo(const VerdictCase& row, std::ostream* out) { *out << row.what; }

docker::ContainerOutcome ended(std::int64_t exit_code) { return {.exit_code = exit_code, .image_id = {}}; }

class Verdicts : public TestStage, public ::testing::WithParamInterface<VerdictCase> {};

TEST_P(Verdicts, FollowExitCodeTimeAndCount) {
  const auto& row = GetParam();
  project.configuration.test->count = row.count;
  engine.containers_run([&row](const auto&, const docker::ContainerRun& run) -> Result<docker::ContainerOutcome> {
    CG_CHECK(run.on_output(row.output));
    return row.outcome;
  });
  const auto result = run();
  ASSERT_TRUE(result) << describe(result.error());
  EXPECT_EQ(to_string(result->verdict), to_string(row.verdict));
  EXPECT_EQ(result->total, row.total);
  EXPECT_EQ(result->failed, row.failed);
  EXPECT_EQ(result->skipped, row.skipped);
  EXPECT_EQ(result->exit_code, row.outcome.exit_code);
  const auto passed = require_passed(*result, plan->cells.front(), "crategate test --cell cpu-py3.11");
  EXPECT_EQ(passed.has_value(), row.verdict == TestVerdict::passed);
  if (!passed && row.verdict != TestVerdict::cancelled) {
    EXPECT_EQ(exit_code(passed.error().code), 11);
    EXPECT_THAT(passed.error().hint, HasSubstr("crategate test --cell cpu-py3.11"));
    EXPECT_THAT(passed.error().message, HasSubstr(kLog));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, Verdicts,
    ::testing::Values(
        VerdictCase{"passed", "== 21 passed, 2 skipped in 0.41s ==\n", ended(0), "", TestVerdict::passed, 21, 0, 2},
        VerdictCase{"failed", "== 3 failed, 21 passed in 0.41s ==\n", ended(1), "", TestVerdict::failed, 24, 3, 0},
        VerdictCase{"exit code without a count", "Segmentation fault\n", ended(139), "", TestVerdict::failed},
        VerdictCase{"all passed, then a crash", "== 21 passed in 0.41s ==\n", ended(139), "", TestVerdict::failed, 21},
        VerdictCase{"exit 0 although tests failed", "== 1 failed, 2 passed in 1s ==\n", ended(0), "",
                    TestVerdict::failed, 3, 1, 0},
        VerdictCase{"no test ran", "no tests ran in 0.01s\n", ended(0), "", TestVerdict::none_ran},
        VerdictCase{"only skipped tests", "== 4 skipped in 0.01s ==\n", ended(0), "", TestVerdict::none_ran, 0, 0, 4},
        VerdictCase{"nothing printed", "", ended(0), "", TestVerdict::none_ran},
        VerdictCase{"nothing to recognise", "all good\n", ended(0), "", TestVerdict::none_ran},
        VerdictCase{"exit code is enough", "all good\n", ended(0), "exit-code", TestVerdict::passed},
        VerdictCase{"exit code says no", "== 1 passed in 1s ==\n", ended(2), "exit-code", TestVerdict::failed},
        VerdictCase{"own pattern", "checks: 7\nchecks: 5\n", ended(0), "checks: ([0-9]+)", TestVerdict::passed, 12},
        VerdictCase{"own pattern without a match", "== 9 passed in 1s ==\n", ended(0), "checks: ([0-9]+)",
                    TestVerdict::none_ran},
        VerdictCase{"own pattern with nothing", "checks: 0\n", ended(0), "checks: ([0-9]+)", TestVerdict::none_ran},
        VerdictCase{"time is up",
                    "== 9 passed in 1s ==\n",
                    {.exit_code = 137, .timed_out = true, .image_id = {}},
                    "",
                    TestVerdict::timed_out,
                    9},
        VerdictCase{
            "cancelled", "", {.exit_code = 137, .cancelled = true, .image_id = {}}, "", TestVerdict::cancelled}));

TEST_F(TestStage, WritesTheResultBoundToPlanCellAndImage) {
  engine.containers_print("== 21 passed in 0.41s ==\n");
  const auto result = run();
  ASSERT_TRUE(result) << describe(result.error());
  EXPECT_EQ(result->image_id, id);
  EXPECT_EQ(result->config_digest, image.config_digest());
  EXPECT_EQ(result->plan_id, plan->plan_id);
  EXPECT_EQ(result->cell, "cpu-py3.11");
  EXPECT_EQ(result->log, kLog);
  EXPECT_EQ(result->duration_ms, 1200);
  const auto kept = load_test_result(project.files, project.workspace, *plan, "cpu-py3.11").value();
  ASSERT_TRUE(kept);
  EXPECT_EQ(pipeline::to_json(*kept), pipeline::to_json(*result));
  EXPECT_EQ(project.read(kLog), "== 21 passed in 0.41s ==\n");
  EXPECT_THAT(lines, ElementsAre("== 21 passed in 0.41s =="));
}

TEST_F(TestStage, RunsAgainOnceWhenNothingWasPrintedAndPassesOnlyWithTests) {
  engine.containers_run([this](const auto&, const docker::ContainerRun& run) -> Result<docker::ContainerOutcome> {
    if (engine.runs.size() == 2) {
      CG_CHECK(run.on_output("== 3 passed in 0.1s ==\n"));
    }
    return ended(0);
  });
  EXPECT_EQ(run().value().verdict, TestVerdict::passed);
  EXPECT_EQ(engine.runs.size(), 2U);
  EXPECT_EQ(project.read(kLog), "== 3 passed in 0.1s ==\n");
  engine.containers_print("");
  EXPECT_EQ(run().value().verdict, TestVerdict::none_ran);
  EXPECT_EQ(engine.runs.size(), 4U);
  engine.containers_print("", 1);
  EXPECT_EQ(run().value().verdict, TestVerdict::failed);
  EXPECT_EQ(engine.runs.size(), 5U) << "a failure is never run again";
}

TEST_F(TestStage, CountsTestsThatTheEndOfALongLogDoesNotShow) {
  engine.containers_print("not ok 1 early\n" + std::string(200'000, '\n') + "ok 2 late\n");
  const auto result = run();
  ASSERT_TRUE(result) << describe(result.error());
  EXPECT_EQ(result->total, 2);
  EXPECT_EQ(result->failed, 1);
  EXPECT_EQ(result->verdict, TestVerdict::failed);
}

TEST_F(TestStage, KeepsTheResultOfFailedTestsToo) {
  engine.containers_print("== 1 failed in 0.41s ==\n", 1);
  ASSERT_TRUE(run());
  const auto kept = load_test_result(project.files, project.workspace, *plan, "cpu-py3.11").value();
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->verdict, TestVerdict::failed);
}

TEST_F(TestStage, WritesTheLogWhileTheTestsRun) {
  std::string seen;
  engine.containers_run([&](const auto&, const docker::ContainerRun& run) -> Result<docker::ContainerOutcome> {
    CG_CHECK(run.on_output("first\n"));
    seen = project.read(kLog);
    return docker::ContainerOutcome{};
  });
  ASSERT_TRUE(run());
  EXPECT_EQ(seen, "first\n");
}

TEST_F(TestStage, TestsWhatThisPlanBuiltRatherThanWhateverHasTheName) {
  test::TestImage other;
  other.env = {"OTHER=1"};
  const std::string built = engine.add("unnamed", other);
  engine.containers_print("== 1 passed in 1s ==\n");
  plan = sample::release_plan(project.configuration);
  ASSERT_TRUE(save_built(project.files, project.workspace, {plan->plan_id, "cpu-py3.11", built, 1}));
  EXPECT_EQ(run().value().image_id, built);
  ASSERT_TRUE(save_built(project.files, project.workspace, {"sha256:another-plan", "cpu-py3.11", built, 1}));
  EXPECT_EQ(run().value().image_id, id);
}

TEST_F(TestStage, SaysThatTheImageIsMissingAndHowToMakeIt) {
  ASSERT_TRUE(engine.remove_image(kImage));
  const auto result = run();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::not_found);
  EXPECT_THAT(result.error().message, HasSubstr(kImage));
  EXPECT_THAT(result.error().hint, AllOf(HasSubstr("crategate build --cell cpu-py3.11"), HasSubstr("commit VERSION")));
}

TEST_F(TestStage, RefusesABadPatternBeforeItRunsAnything) {
  for (const std::string count : {"(", "no group", "(two) (groups)"}) {
    project.configuration.test->count = count;
    const auto result = run();
    ASSERT_FALSE(result) << count;
    EXPECT_EQ(result.error().code, ErrorCode::bad_input);
  }
  EXPECT_THAT(engine.containers, IsEmpty());
}

TEST_F(TestStage, NamesTheCellWhenTheEngineFails) {
  engine.containers_run([](const auto&, const auto&) -> Result<docker::ContainerOutcome> {
    return fail(ErrorCode::engine, "the engine went away");
  });
  EXPECT_THAT(describe(run().error()), HasSubstr("tests of cell cpu-py3.11"));
}

TEST_F(TestStage, IsNotConfiguredWithoutASection) {
  project.configuration.test.reset();
  const auto result = run();
  ASSERT_TRUE(result) << describe(result.error());
  EXPECT_EQ(result->verdict, TestVerdict::not_configured);
  EXPECT_TRUE(require_passed(*result, plan->cells.front(), ""));
  EXPECT_THAT(engine.containers, IsEmpty());
}

TEST_F(TestStage, IsAContainerOfTheImageAsShipped) {
  project.configuration.test->env = {"CI=true"};
  project.configuration.test->user = "1000:1000";
  project.configuration.test->network = "none";
  const auto spec = container().value();
  EXPECT_EQ(spec.image, "image");
  EXPECT_TRUE(spec.override_entrypoint);
  EXPECT_THAT(spec.entrypoint, ElementsAre("python3"));
  EXPECT_THAT(spec.command, ElementsAre("-m", "pytest"));
  EXPECT_THAT(spec.env, ElementsAre("CI=true"));
  EXPECT_THAT(spec.binds, IsEmpty());
  EXPECT_EQ(spec.workdir, "");
  EXPECT_EQ(spec.user, "1000:1000");
  EXPECT_EQ(spec.network, "none");
  EXPECT_EQ(spec.labels.at("io.crategate.cell"), "cpu-py3.11");
}

TEST_F(TestStage, RunsSetupByTheConstantScript) {
  project.configuration.test->setup = {"pip", "install", "pytest"};
  const auto spec = container().value();
  EXPECT_THAT(spec.entrypoint, ElementsAre("/bin/sh"));
  ASSERT_THAT(spec.command, SizeIs(10));
  EXPECT_EQ(spec.command[0], "-c");
  EXPECT_EQ(spec.command[3], "3");
  EXPECT_EQ(spec.command.back(), "pytest");
}

TEST_F(TestStage, MountsOnlyWhenTheSourceIsMounted) {
  project.configuration.test->mounts = {"tests:/work/tests:ro"};
  EXPECT_EQ(container().error().code, ErrorCode::bad_input);
  EXPECT_THAT(container().error().message, HasSubstr("source: image"));
  project.configuration.test->source = config::TestSource::mounted;
  const std::string root = project.workspace.root.string();
  EXPECT_THAT(container().value().binds, ElementsAre(root + "/tests:/work/tests:ro"));
  project.configuration.test->mounts.clear();
  EXPECT_THAT(container().value().binds, ElementsAre(root + ":/work"));
  EXPECT_EQ(container().value().workdir, "/work");
  project.configuration.test->workdir = "/src";
  EXPECT_THAT(container().value().binds, ElementsAre(root + ":/src"));
  project.configuration.test->mounts = {"../../etc:/x"};
  EXPECT_EQ(run().error().code, ErrorCode::bad_input);
  EXPECT_THAT(engine.containers, IsEmpty());
}

TEST(KnownConfigDigest, IsTheIdInTheClassicStoreOnly) {
  test::FakeEngine engine;
  const auto digest = oci::Digest::of("config");
  EXPECT_EQ(known_config_digest(engine, digest.text()).value(), digest);
  EXPECT_FALSE(known_config_digest(engine, "opencrate:v1"));
  engine.containerd_store = true;
  EXPECT_EQ(known_config_digest(engine, digest.text()).value(), std::nullopt);
}

}  // namespace
}  // namespace crategate::stages
