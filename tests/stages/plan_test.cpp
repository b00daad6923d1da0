// plan: what it reads from a real repository, and what it leaves for the next stage.
#include "stages/plan.h"

#include <gmock/gmock.h>

#include "json/value.h"
#include "stages/project.h"

namespace crategate::stages {
namespace {

using sample::Project;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(MakePlan, TakesAShellWithoutOptionsAsAManualRunOfHead) {
  Project project;
  const std::string head = project.init();
  const auto plan = project.plan();
  ASSERT_TRUE(plan) << describe(plan.error());
  EXPECT_EQ(plan->event, "workflow_dispatch");
  EXPECT_EQ(plan->ref, "refs/heads/main");
  EXPECT_EQ(plan->commit, head);
  EXPECT_EQ(plan->policy.trigger, "manual");
  EXPECT_FALSE(plan->version_released);
}

TEST(MakePlan, LeavesOutTheRunnersFactsOfAnotherEvent) {
  Project project;
  const std::string head = project.init();
  project.environment = test::FakeEnvironment{{{"PATH", "/usr/bin:/bin"},
                                               {"GITHUB_ACTIONS", "true"},
                                               {"GITHUB_EVENT_NAME", "push"},
                                               {"GITHUB_REF", "refs/tags/v1.2.3"},
                                               {"GITHUB_REF_TYPE", "tag"},
                                               {"GITHUB_SHA", std::string(40, 'a')},
                                               {"GITHUB_EVENT_PATH", "/nowhere"}}};
  project.invocation.event = "schedule";
  const auto plan = project.plan();
  ASSERT_TRUE(plan) << describe(plan.error());
  EXPECT_EQ(plan->policy.trigger, "schedule");
  EXPECT_EQ(plan->commit, head);
}

TEST(MakePlan, NeedsAnEventNameOnARunner) {
  Project project;
  project.init();
  project.environment.set("GITHUB_ACTIONS", "true");
  const auto plan = project.plan();
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::bad_input);
  EXPECT_THAT(plan.error().message, HasSubstr("GITHUB_EVENT_NAME"));
}

TEST(MakePlan, CountsAnUnknownDiffAsChangedAndSaysHowToMendIt) {
  Project project;
  project.git({"init", "-q"});
  project.commit("the only one");
  project.invocation.event = "push";
  project.invocation.ref = "refs/tags/v1.2.3";
  const auto plan = project.plan();
  ASSERT_TRUE(plan) << describe(plan.error());
  EXPECT_TRUE(plan->policy.cache_write);
  EXPECT_THAT(plan->policy.warnings, Contains(HasSubstr("fetch-depth")));
}

TEST(MakePlan, TellsWhetherTheVersionWasReleased) {
  Project project;
  project.init();
  project.git({"tag", "v1.2.3"});
  project.invocation.event = "schedule";
  auto plan = project.plan().value();
  EXPECT_TRUE(plan.version_released);
  EXPECT_THAT(plan.policy.warnings, IsEmpty());
  project.commit("after the release");
  plan = project.plan().value();
  EXPECT_TRUE(plan.version_released);
  EXPECT_THAT(plan.policy.warnings, ElementsAre(HasSubstr("git tag is not at this commit")));
}

TEST(MakePlan, NeedsARepository) {
  Project project;
  for (const std::string event : {"", "push", "schedule", "workflow_dispatch", "pull_request"}) {
    project.invocation.event = event;
    project.invocation.ref = event.empty() ? "" : event == "push" ? "refs/tags/v1.2.3" : "refs/heads/main";
    const auto plan = project.plan();
    ASSERT_FALSE(plan) << event;
    EXPECT_EQ(plan.error().code, ErrorCode::bad_input);
    EXPECT_THAT(plan.error().message, HasSubstr("not a git repository"));
    EXPECT_FALSE(plan.error().hint.empty());
  }
}

// A13
TEST(MakePlan, RefusesATagThatIsNotTheVersion) {
  Project project;
  project.init();
  project.invocation.event = "push";
  project.invocation.ref = "refs/tags/v1.2.4";
  const auto plan = project.plan();
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::bad_input);
  EXPECT_THAT(plan.error().message, AllOf(HasSubstr("v1.2.4"), HasSubstr("v1.2.3")));
}

TEST(MakePlan, ReadsTheVersionFromTheGitTagOrACommand) {
  Project project;
  project.init();
  project.configuration.version = {.file = "", .git_tag = true, .command = {}};
  EXPECT_THAT(project.plan().error().message, HasSubstr("git tag at HEAD"));
  project.git({"tag", "v4.5.6"});
  EXPECT_EQ(project.plan().value().version, "v4.5.6");
  project.configuration.version = {.file = "", .git_tag = false, .command = {"/bin/sh", "-c", "cat VERSION"}};
  EXPECT_EQ(project.plan().value().version, "v1.2.3");
  auto inside = project.plan_inputs();
  inside.in_action = true;
  EXPECT_THAT(make_plan(inside, project.plan_services()).error().message,
              HasSubstr("inside the action, found a command"));
  project.configuration.version.command = {"/bin/sh", "-c", "echo oh no >&2; exit 4"};
  EXPECT_THAT(project.plan().error().message, AllOf(HasSubstr("found 4"), HasSubstr("oh no")));
  project.configuration.version.command = {"/bin/sh", "-c", "echo '1.2.3; rm -rf /'"};
  EXPECT_EQ(project.plan().error().code, ErrorCode::bad_input);
}

TEST(MakePlan, RefusesToPublishWhatIsNotTheCommitOfTheEventOrOfItsTag) {
  Project project;
  project.init();
  const std::string first = project.git({"rev-parse", "HEAD~1"}), head = project.git({"rev-parse", "HEAD"});
  project.invocation.event = "push";
  project.invocation.ref = "refs/tags/v1.2.3";
  EXPECT_THAT(project.plan().value().policy.warnings, Contains(HasSubstr("not in this clone")));
  project.git({"tag", "v1.2.3"});
  EXPECT_TRUE(project.plan());
  project.invocation.sha = first;
  EXPECT_THAT(project.plan().error().message, AllOf(HasSubstr(first), HasSubstr(head)));
  project.invocation.sha.clear();
  project.commit("after the release");
  EXPECT_THAT(project.plan().error().message, AllOf(HasSubstr("tag \"v1.2.3\""), HasSubstr(head)));
  project.git({"tag", "-f", "-a", "-m", "annotated", "v1.2.3"});
  EXPECT_TRUE(project.plan());
  project.invocation.publish = false;
  project.git({"tag", "-f", "v1.2.3", first});
  EXPECT_TRUE(project.plan()) << "nothing is published";
}

TEST(MakePlan, RefusesAManualRunOfAnotherCommitThanTheOneCheckedOut) {
  Project project;
  project.init();
  project.invocation.event = "workflow_dispatch";
  project.invocation.ref = "refs/heads/main";
  EXPECT_TRUE(project.plan());
  project.invocation.sha = project.git({"rev-parse", "HEAD~1"});
  EXPECT_THAT(project.plan().error().message, HasSubstr(project.invocation.sha));
}

TEST(MakePlan, WarnsOfAReleaseWithoutTests) {
  Project project;
  project.init();
  EXPECT_THAT(project.plan().value().policy.warnings, testing::Not(Contains(HasSubstr("no tests are configured"))));
  project.configuration.test.reset();
  EXPECT_THAT(project.plan().value().policy.warnings, Contains(HasSubstr("no tests are configured")));
}

TEST(MakePlan, WarnsOrRefusesWhenATagIsNotOnTheRequiredBranch) {
  Project project;
  project.init();
  project.git({"checkout", "-q", "--detach"});
  const std::string stray = project.commit("not on main");
  project.invocation.event = "push";
  project.invocation.ref = "refs/tags/v1.2.3";
  project.invocation.sha = stray;
  project.configuration.release.require_branch = "main";
  EXPECT_THAT(project.plan().value().policy.warnings, Contains(HasSubstr("not on branch main")));
  project.configuration.release.require_branch_refuses = true;
  EXPECT_EQ(project.plan().error().code, ErrorCode::bad_input);
  project.git({"checkout", "-q", "main"});
  project.invocation.sha = project.git({"rev-parse", "main"});
  EXPECT_TRUE(project.plan());
  project.configuration.release.require_branch = "gone";
  EXPECT_THAT(project.plan().error().message, HasSubstr("fetch-depth: 0"));
}

struct DestinationCase {
  std::string to;
  bool by_default, layout;
  std::string prefix;
};

TEST(ParseDestination, KnowsLayoutsAndRegistries) {
  for (const auto& row : {DestinationCase{"", true, true, ""}, DestinationCase{"", false, false, ""},
                          DestinationCase{"oci:", false, true, ""}, DestinationCase{"oci:out/images", false, true, ""},
                          DestinationCase{"localhost:5000", true, false, "localhost:5000"},
                          DestinationCase{"localhost", true, false, "localhost"},
                          DestinationCase{"[::1]:65535/a", true, false, "[::1]:65535/a"},
                          DestinationCase{"ghcr.io/me/", true, false, "ghcr.io/me"}}) {
    SCOPED_TRACE(row.to);
    const auto destination = parse_destination(row.to, row.by_default);
    ASSERT_TRUE(destination) << describe(destination.error());
    EXPECT_EQ(destination->layout, row.layout);
    EXPECT_EQ(destination->prefix, row.prefix);
  }
}

TEST(ParseDestination, RefusesWhatIsNoRegistry) {
  for (const std::string to :
       {"images", "me/app", "https://ghcr.io", "ghcr.io/Me", "ghcr.io//a", "-x", "ghcr.io/a b", "ghcr.io/../a",
        "OCI:dir", "localhost:port", "localhost:0", "localhost:65536/a", "localhost:99999999999999999999"}) {
    const auto destination = parse_destination(to, true);
    ASSERT_FALSE(destination) << to;
    EXPECT_EQ(destination.error().code, ErrorCode::bad_input);
    EXPECT_THAT(destination.error().message, HasSubstr("--to"));
  }
}

TEST(PublishPlan, WritesThePlanTheOutputsAndTheSummary) {
  Project project;
  const auto plan = sample::release_plan(project.configuration);
  test::RecordingWorkflow workflow;
  ASSERT_TRUE(publish_plan(plan, false, project.workspace, project.files, workflow));
  EXPECT_EQ(project.read(".crategate/plan.json"), pipeline::to_json(plan));
  EXPECT_EQ(load_plan(project.files, project.workspace, "").value(), plan);
  const std::map<std::string, std::string> expected = {{"version", "v1.2.3"},
                                                       {"rebuild_flag", "false"},
                                                       {"cache_update", "false"},
                                                       {"python_versions_json", R"(["3.11","3.13"])"},
                                                       {"matrix", pipeline::matrix_json(plan)},
                                                       {"should_run", "true"},
                                                       {"fresh", "false"},
                                                       {"push", "true"},
                                                       {"latest", "true"},
                                                       {"is_prerelease", "false"},
                                                       {"reason", join(plan.policy.reasons, "; ")},
                                                       {"plan", std::string(trim(pipeline::to_json(plan)))},
                                                       {"dry_run", "false"}};
  EXPECT_EQ(workflow.outputs, expected);
  EXPECT_THAT(workflow.summary, HasSubstr("cpu-py3.11"));
}

TEST(PublishPlan, GivesAMatrixForFromJson) {
  Project project;
  const auto plan = sample::release_plan(project.configuration);
  const auto matrix = json::Document::parse(pipeline::matrix_json(plan), "matrix").value();
  const auto cells = matrix.root().at("include").value().items().value();
  ASSERT_THAT(cells, SizeIs(4));
  EXPECT_EQ(cells[1].string("cell").value(), "cuda-py3.11");
  EXPECT_EQ(cells[1].string("python").value(), "3.11");
  EXPECT_EQ(cells[1].string("runtime").value(), "cuda");
}

TEST(PublishPlan, WritesNoFileInADryRun) {
  Project project;
  test::RecordingWorkflow workflow;
  ASSERT_TRUE(
      publish_plan(sample::release_plan(project.configuration), true, project.workspace, project.files, workflow));
  EXPECT_FALSE(project.exists(".crategate"));
  EXPECT_EQ(workflow.outputs["dry_run"], "true");
  EXPECT_EQ(workflow.outputs["should_run"], "true");
}

TEST(PublishPlan, TurnsWarningsIntoAnnotations) {
  Project project;
  auto plan = sample::release_plan(project.configuration);
  plan.policy.warnings = {"one", "two"};
  test::RecordingWorkflow workflow;
  ASSERT_TRUE(publish_plan(plan, true, project.workspace, project.files, workflow));
  ASSERT_THAT(workflow.annotations, SizeIs(2));
  EXPECT_EQ(workflow.annotations[1].message, "two");
  EXPECT_EQ(workflow.annotations[1].severity, actions::Severity::warning);
}

TEST(PublishPlan, LeavesALargePlanOutOfTheOutputs) {
  Project project;
  project.configuration.generate.template_file.clear();
  std::vector<std::string> pythons;
  for (int minor = 0; minor < 100; ++minor) pythons.push_back(concat("3.", minor));
  const auto plan = sample::release_plan(project.configuration, pythons);
  test::RecordingWorkflow workflow;
  ASSERT_TRUE(publish_plan(plan, false, project.workspace, project.files, workflow));
  EXPECT_EQ(workflow.outputs.at("plan"), "");
  EXPECT_EQ(load_plan(project.files, project.workspace, "").value(), plan);
}

TEST(PublishPlan, WritesOutputsAsTheRunnerReadsThem) {
  Project project;
  project.environment.set("GITHUB_ACTIONS", "true");
  project.environment.set("GITHUB_OUTPUT", (project.directory / "out").string());
  project.environment.set("GITHUB_STEP_SUMMARY", (project.directory / "summary").string());
  actions::RunnerWorkflow workflow(project.environment, project.files, [](std::string_view) {});
  ASSERT_TRUE(
      publish_plan(sample::release_plan(project.configuration), false, project.workspace, project.files, workflow));
  EXPECT_THAT(project.directory.read("out"),
              ::testing::ContainsRegex("version<<(ghadelimiter_[0-9a-f]+)\nv1.2.3\nghadelimiter_[0-9a-f]+\n"));
  EXPECT_THAT(project.directory.read("summary"), HasSubstr("cpu-py3.11"));
}

}  // namespace
}  // namespace crategate::stages
