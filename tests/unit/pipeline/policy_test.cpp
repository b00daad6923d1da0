// The policy table, row by row, and what a configuration may change in it.
#include "pipeline/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "unit/pipeline/sample.h"

namespace crategate::pipeline {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ChangedPaths changed(std::vector<std::string> paths) { return {.paths = std::move(paths)}; }

/// The columns of the table as letters, upper case = yes: Run Fresh cacheRead(C) cacheWrite(W) Push Latest.
std::string columns(const Policy& policy) {
  const auto letter = [](char name, bool on) { return on ? name : static_cast<char>(name - 'A' + 'a'); };
  return {letter('R', policy.should_run),  letter('F', policy.fresh), letter('C', policy.cache_read),
          letter('W', policy.cache_write), letter('P', policy.push),  letter('L', policy.latest)};
}

struct Row {
  std::string what;
  Event event;
  bool dependencies_changed = false;
  bool publish = true;
  std::string columns, trigger;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.what; }

class PolicyTable : public ::testing::TestWithParam<Row> {};

TEST_P(PolicyTable, HasThisRow) {
  const auto& row = GetParam();
  const PolicyFacts facts{.event = row.event,
                          .pull_request_changes = changed({"src/a.py"}),
                          .last_commit_changes = changed({row.dependencies_changed ? "pyproject.toml" : "README.md"}),
                          .publish = row.publish};
  const auto policy = decide_policy(facts, sample::configuration());
  EXPECT_EQ(columns(policy), row.columns) << row.what;
  EXPECT_EQ(policy.trigger, row.trigger);
  EXPECT_EQ(policy.candidate, policy.push);
  EXPECT_THAT(policy.warnings, IsEmpty());
  EXPECT_FALSE(policy.reasons.empty());
}

Event dispatch(bool rebuild) {
  auto event = sample::event(EventKind::dispatch, "workflow_dispatch");
  event.rebuild_base = rebuild;
  return event;
}

Event deleted_tag() {
  auto event = sample::tag_push();
  event.deleted = true;
  return event;
}

const Event kSchedule = sample::event(EventKind::schedule, "schedule");

INSTANTIATE_TEST_SUITE_P(
    Listed, PolicyTable,
    ::testing::Values(Row{"pull request", sample::pull_request(), false, true, "RFcwpl", "pull-request"},
                      Row{"tag", sample::tag_push(), false, true, "RfCwPL", "release"},
                      Row{"tag, dependencies changed", sample::tag_push(), true, true, "RfCWPL", "release"},
                      Row{"schedule", kSchedule, false, true, "RFcWPl", "schedule"},
                      Row{"manual", dispatch(false), false, true, "RfCwPl", "manual"},
                      Row{"manual, dependencies changed", dispatch(false), true, true, "RfCWPl", "manual"},
                      Row{"manual, REBUILD_BASE", dispatch(true), false, true, "RFcWPl", "manual"}));

INSTANTIATE_TEST_SUITE_P(
    WithoutPublishing, PolicyTable,
    ::testing::Values(Row{"pull request", sample::pull_request(), false, false, "RFcwpl", "pull-request"},
                      Row{"tag", sample::tag_push(), true, false, "RfCwpl", "release"},
                      Row{"schedule", kSchedule, false, false, "RFcwpl", "schedule"},
                      Row{"manual", dispatch(false), true, false, "RfCwpl", "manual"},
                      Row{"manual, REBUILD_BASE", dispatch(true), false, false, "RFcwpl", "manual"}));

INSTANTIATE_TEST_SUITE_P(
    Unlisted, PolicyTable,
    ::testing::Values(
        Row{"pull request to another base", sample::pull_request("release-1"), false, true, "rfcwpl", "none"},
        Row{"branch push", sample::event(EventKind::branch_push, "push"), false, true, "rfcwpl", "none"},
        Row{"merge group", sample::event(EventKind::unknown, "merge_group"), false, true, "rfcwpl", "none"},
        Row{"unknown event", sample::event(EventKind::unknown, "gollum"), false, true, "rfcwpl", "none"},
        Row{"no event", {}, false, true, "rfcwpl", "none"},
        Row{"deleted tag", deleted_tag(), false, true, "rfcwpl", "none"},
        Row{"tag nightly", sample::tag_push("nightly"), false, true, "rfcwpl", "none"},
        Row{"tag 1.2.3", sample::tag_push("1.2.3"), false, true, "rfcwpl", "none"},
        Row{"tag v1.2", sample::tag_push("v1.2"), false, true, "rfcwpl", "none"},
        Row{"tag sub/v1.2.3", sample::tag_push("sub/v1.2.3"), false, true, "rfcwpl", "none"}));

TEST(Policy, SetsTheRebuildFlagForSchedulesAndRebuildBaseOnly) {
  const auto flag = [](const Event& event) {
    return decide_policy({.event = event, .last_commit_changes = changed({})}, sample::configuration()).rebuild_flag;
  };
  EXPECT_TRUE(flag(kSchedule));
  EXPECT_TRUE(flag(dispatch(true)));
  EXPECT_FALSE(flag(dispatch(false)));
  EXPECT_FALSE(flag(sample::tag_push()));
  EXPECT_FALSE(flag(sample::pull_request()));
}

TEST(Policy, RunsNothingForDocumentationOnly) {
  const auto policy =
      decide_policy({.event = sample::pull_request(), .pull_request_changes = changed({"README.md", "docs/a.md"})},
                    sample::configuration());
  EXPECT_FALSE(policy.should_run);
  EXPECT_THAT(policy.reasons, ElementsAre("no watched path changed"));
  EXPECT_THAT(policy.warnings, IsEmpty());
}

TEST(Policy, WatchesExactPathsAndTheWorkflowFile) {
  const std::string workflow = ".github/workflows/images.yml";
  const std::pair<std::string, bool> rows[] = {
      {"src/deep/er/a.py", true}, {"VERSION", true},         {workflow, true},  {"docs/VERSION", false},
      {"VERSION.md", false},      {"pyproject_toml", false}, {"srcs/a", false}, {".github/workflows/other.yml", false}};
  for (const auto& [path, runs] : rows) {
    const PolicyFacts facts{
        .event = sample::pull_request(), .pull_request_changes = changed({path}), .workflow_file = workflow};
    EXPECT_EQ(decide_policy(facts, sample::configuration()).should_run, runs) << path;
  }
}

TEST(Policy, CountsUnknownPullRequestChangesAsChangedAndSaysHowToMendIt) {
  const auto policy = decide_policy(
      {.event = sample::pull_request(), .pull_request_changes = {.why_not = "no merge base"}}, sample::configuration());
  EXPECT_TRUE(policy.should_run);
  EXPECT_THAT(policy.warnings, ElementsAre(AllOf(HasSubstr("no merge base"), HasSubstr("fetch-depth: 2"))));
}

TEST(Policy, CountsUnknownDependencyChangesAsChangedAndSaysHowToMendIt) {
  for (const auto& event : {sample::tag_push(), dispatch(false)}) {
    const auto policy = decide_policy({.event = event, .last_commit_changes = {.why_not = "the clone has one commit"}},
                                      sample::configuration());
    EXPECT_TRUE(policy.cache_write);
    EXPECT_THAT(policy.warnings, ElementsAre(AllOf(HasSubstr("one commit"), HasSubstr("fetch-depth: 2"))));
  }
}

TEST(Policy, TakesMainAsDefaultBranchWhenThePayloadNamesNone) {
  auto event = sample::pull_request("main");
  event.default_branch.clear();
  EXPECT_TRUE(decide_policy({.event = event}, sample::configuration()).should_run);
  event.base_branch = "trunk";
  EXPECT_FALSE(decide_policy({.event = event}, sample::configuration()).should_run);
  event.default_branch = "trunk";
  EXPECT_TRUE(decide_policy({.event = event}, sample::configuration()).should_run);
}

TEST(Policy, RunsUnlistedEventsByPullRequestRulesWhereTheConfigurationNamesThem) {
  const Event events[] = {sample::pull_request("release-1"), sample::event(EventKind::branch_push, "push"),
                          sample::event(EventKind::unknown, "merge_group"),
                          sample::event(EventKind::unknown, "release")};
  for (const auto& event : events) {
    auto project = sample::configuration();
    project.policy[event.name].fresh = config::Fresh::no;
    EXPECT_FALSE(decide_policy({.event = event}, project).should_run) << event.name << ": cells must be named";
    project.policy[event.name] = {.all_cells = true};
    EXPECT_EQ(columns(decide_policy({.event = event}, project)), "RFcwpl") << event.name;
  }
}

TEST(Policy, RunsNothingWhereTheConfigurationSaysNone) {
  for (const auto& event : {sample::pull_request(), sample::tag_push(), kSchedule, dispatch(true)}) {
    auto project = sample::configuration();
    project.policy[event.name].all_cells = false;
    const auto policy = decide_policy({.event = event}, project);
    EXPECT_FALSE(policy.should_run) << event.name;
    EXPECT_THAT(policy.reasons, ElementsAre(HasSubstr(concat("policy.", event.name, ".cells"))));
  }
}

TEST(Policy, LetsTheConfigurationOverrideARowThatPublishes) {
  auto project = sample::configuration();
  project.policy["push"] = {.cache_write = true, .latest = false, .fresh = config::Fresh::yes};
  EXPECT_EQ(columns(decide_policy({.event = sample::tag_push(), .last_commit_changes = changed({})}, project)),
            "RFcWPl");
  project.policy["schedule"] = {.cache_write = false, .latest = true, .fresh = config::Fresh::no};
  EXPECT_EQ(columns(decide_policy({.event = kSchedule}, project)), "RfCwPL");
  EXPECT_EQ(columns(decide_policy({.event = kSchedule, .publish = false}, project)), "RfCwpl");
}

TEST(Policy, RunsNothingForAClosedPullRequest) {
  auto event = sample::pull_request();
  event.closed = true;
  EXPECT_FALSE(decide_policy({.event = event, .pull_request_changes = changed({"VERSION"})}, sample::configuration())
                   .should_run);
}

TEST(Policy, LetsOneInvocationOverrideARowThatPublishes) {
  auto project = sample::configuration();
  project.policy["schedule"] = {.fresh = config::Fresh::no};
  const PolicyFacts facts{.event = kSchedule, .fresh = config::Fresh::yes, .cache_write = false};
  const auto policy = decide_policy(facts, project);
  EXPECT_EQ(columns(policy), "RFcwPl");
  EXPECT_THAT(policy.reasons, Contains("fresh: true, as fresh says"));
  EXPECT_THAT(policy.reasons, Contains("cache write: false, as cache-write says"));
  const auto pull_request = decide_policy({.event = sample::pull_request(),
                                           .pull_request_changes = changed({"VERSION"}),
                                           .fresh = config::Fresh::no,
                                           .cache_write = true},
                                          project);
  EXPECT_EQ(columns(pull_request), "RFcwpl");
  EXPECT_THAT(pull_request.warnings, ElementsAre(HasSubstr("fresh: ignored"), HasSubstr("cache-write: ignored")));
}

TEST(Policy, WatchesTheBaseInsteadOfBuildingEverythingFreshly) {
  auto project = sample::configuration();
  project.policy["schedule"] = {.fresh = config::Fresh::automatic};
  const PolicyFacts facts{.event = kSchedule};
  auto policy = decide_policy(facts, project);
  EXPECT_TRUE(policy.watch_base && policy.refresh_cache && policy.cache_read);
  EXPECT_FALSE(policy.fresh);
  EXPECT_THAT(policy.reasons, Contains("fresh: where the base image has moved, as policy.schedule.fresh says"));
  project.policy["schedule"].cache_write = false;
  EXPECT_FALSE(decide_policy(facts, project).refresh_cache);
  project.policy["schedule"].cache_write.reset();
  EXPECT_FALSE(decide_policy({.event = kSchedule, .publish = false}, project).refresh_cache);
  project.policy["pull_request"] = {.fresh = config::Fresh::automatic};
  policy = decide_policy({.event = sample::pull_request(), .pull_request_changes = changed({"VERSION"})}, project);
  EXPECT_TRUE(policy.fresh && !policy.watch_base && !policy.refresh_cache);
}

TEST(Policy, BuildsFreshlyWhatAPersonWantsFreshWhetherTheBaseMovedOrNot) {
  auto project = sample::configuration();
  project.policy["workflow_dispatch"] = {.fresh = config::Fresh::automatic};
  EXPECT_TRUE(decide_policy({.event = dispatch(false)}, project).watch_base);
  const auto policy = decide_policy({.event = dispatch(true)}, project);
  EXPECT_TRUE(policy.fresh && !policy.watch_base && !policy.cache_read);
  EXPECT_THAT(policy.reasons, Contains("fresh: REBUILD_BASE pulls new base layers"));
}

TEST(Policy, WarnsAboutOverridesThatPullRequestRulesIgnore) {
  auto project = sample::configuration();
  project.policy["pull_request"] = {.all_cells = true, .cache_write = true, .latest = true, .fresh = config::Fresh::no};
  const auto policy =
      decide_policy({.event = sample::pull_request(), .pull_request_changes = changed({"VERSION"})}, project);
  EXPECT_EQ(columns(policy), "RFcwpl");
  EXPECT_THAT(policy.warnings,
              ElementsAre(HasSubstr("policy.pull_request.fresh"), HasSubstr("cache-write"), HasSubstr("latest")));
}

TEST(Policy, DecidesLatestByTheReleaseSetting) {
  struct Case {
    config::LatestPolicy setting;
    bool is_prerelease, latest, warns;
  };
  const Case rows[] = {{config::LatestPolicy::every_release, false, true, false},
                       {config::LatestPolicy::every_release, true, true, true},
                       {config::LatestPolicy::stable, false, true, false},
                       {config::LatestPolicy::stable, true, false, false},
                       {config::LatestPolicy::never, false, false, false},
                       {config::LatestPolicy::never, true, false, false}};
  for (const auto& row : rows) {
    auto project = sample::configuration();
    project.release.latest = row.setting;
    const auto policy = decide_policy(
        {.event = sample::tag_push(), .last_commit_changes = changed({}), .is_prerelease = row.is_prerelease}, project);
    EXPECT_EQ(policy.latest, row.latest) << policy.reasons.back();
    EXPECT_EQ(!policy.warnings.empty(), row.warns);
  }
}

TEST(Policy, MovesNothingWhereNoTagIsToMove) {
  auto configuration = sample::configuration();
  configuration.release.moving.clear();
  const PolicyFacts facts{.event = sample::tag_push(), .last_commit_changes = changed({}), .is_prerelease = true};
  auto policy = decide_policy(facts, configuration);
  EXPECT_FALSE(policy.latest);
  EXPECT_THAT(policy.reasons, Contains("latest: false, release.moving lists no tag"));
  EXPECT_THAT(policy.warnings, IsEmpty()) << "it becomes latest nowhere";
  configuration.release.set = "me/set:latest";
  policy = decide_policy(facts, configuration);
  EXPECT_TRUE(policy.latest) << "the set moves";
}

TEST(Policy, WarnsWhenAnUntaggedRunMovesTheVersionTag) {
  PolicyFacts facts{.event = kSchedule, .version_tag_exists_at_head = false};
  auto project = sample::configuration();
  EXPECT_THAT(decide_policy(facts, project).warnings, ElementsAre(HasSubstr("git tag is not at this commit")));
  project.release.version_tag = config::VersionTagPolicy::dated;
  EXPECT_THAT(decide_policy(facts, project).warnings, IsEmpty());
  project.release.version_tag = config::VersionTagPolicy::move;
  facts.publish = false;
  EXPECT_THAT(decide_policy(facts, project).warnings, IsEmpty());
}

TEST(Policy, SaysThatRebuildBaseIsForManualRuns) {
  for (auto event : {sample::tag_push(), sample::pull_request()}) {
    event.rebuild_base = true;
    const PolicyFacts facts{
        .event = event, .pull_request_changes = changed({"VERSION"}), .last_commit_changes = changed({})};
    const auto policy = decide_policy(facts, sample::configuration());
    EXPECT_FALSE(policy.rebuild_flag);
    EXPECT_THAT(policy.warnings, Contains(HasSubstr("REBUILD_BASE")));
  }
}

TEST(Policy, HasNoCacheWhereNoneIsConfigured) {
  auto project = sample::configuration();
  project.cache.clear();
  EXPECT_EQ(columns(decide_policy({.event = sample::tag_push()}, project)), "RfcwPL");
  EXPECT_EQ(columns(decide_policy({.event = kSchedule}, project)), "RFcwPl");
}

}  // namespace
}  // namespace crategate::pipeline
