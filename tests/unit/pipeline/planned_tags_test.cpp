// Which tags there are: patterns, ranks and their order, and names that two tags would share.
#include "pipeline/planned_tags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/strings.h"
#include "unit/pipeline/sample.h"

namespace crategate::pipeline {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Project {
  config::Configuration configuration = sample::configuration();
  PlanFacts facts = sample::facts({"3.11"});

  config::Release& release() { return configuration.release; }
  Project& on(EventKind kind, const std::string& trigger, const std::string& branch) {
    facts.event = sample::event(kind, trigger);
    facts.event.ref = "refs/heads/" + branch;
    facts.policy.trigger = trigger;
    facts.policy.latest = false;
    return *this;
  }
  Project& of(const std::string& version) {
    facts.version = *parse_version(version);
    facts.event = sample::tag_push(version);
    return *this;
  }
  Plan plan() const { return compute_plan(facts, configuration).value(); }
  /// `rank cell tag` of the cell cpu, and of what has none.
  std::vector<std::string> tags(TagRank first = TagRank::version, TagRank last = TagRank::set) const {
    std::vector<std::string> found;
    const auto planned = planned_tags(plan(), configuration.release, "20261120", first, last).value();
    for (const auto& tag : planned) {
      if (!tag.cell.starts_with("cuda"))
        found.push_back(concat(to_string(tag.rank), " ", tag.repository, ":", tag.tag));
    }
    return found;
  }
};

const std::string kCpu = "braindotai/opencrate-cpu-py3.11:";

TEST(PlannedTags, AreThoseOfTheRanksInTheirOrder) {
  Project project;
  project.release().moving = {"latest", "v{major}.{minor}"};
  project.release().extra = {"{trigger}"};
  project.release().set = "me/Release-Set";
  EXPECT_THAT(project.tags(),
              ElementsAre("version " + kCpu + "v1.2.3", "extra " + kCpu + "release", "moving " + kCpu + "latest",
                          "moving " + kCpu + "v1.2", "set me/release-set:v1.2.3", "set me/release-set:latest"));
  EXPECT_THAT(project.tags(TagRank::extra, TagRank::extra), ElementsAre("extra " + kCpu + "release"));
}

TEST(PlannedTags, OfOneRankAreInPlanOrder) {
  Project project;
  project.release().moving = {"latest", "stable"};
  const auto plan = project.plan();
  std::vector<std::string> found;
  const auto planned = planned_tags(plan, project.release(), "", TagRank::moving, TagRank::moving).value();
  for (const auto& tag : planned) {
    found.push_back(concat(tag.cell, " ", tag.tag));
  }
  EXPECT_THAT(found, ElementsAre("cpu-py3.11 latest", "cuda-py3.11 latest", "cpu-py3.11 stable", "cuda-py3.11 stable"));
}

struct Pattern {
  std::string what, pattern, version;
  std::vector<std::string> expected;
};

void PrintTo(const Pattern& row, std::ostream* out) { *out << row.what; }

class MovingPatterns : public ::testing::TestWithParam<Pattern> {};

TEST_P(MovingPatterns, AreExpandedForTheVersion) {
  Project project;
  project.of(GetParam().version).release().moving = {GetParam().pattern};
  std::vector<std::string> expected;
  for (const auto& tag : GetParam().expected) expected.push_back("moving " + kCpu + tag);
  EXPECT_EQ(project.tags(TagRank::moving, TagRank::set), expected);
}

INSTANTIATE_TEST_SUITE_P(
    Table, MovingPatterns,
    ::testing::Values(Pattern{"plain", "latest", "v1.2.3", {"latest"}},
                      Pattern{"plain, pre-release", "latest", "v1.2.3-rc1", {"latest"}},
                      Pattern{"major", "v{major}", "v1.2.3", {"v1"}},
                      Pattern{"minor of PEP 440", "{major}.{minor}", "2.10.0.post1", {"2.10"}},
                      Pattern{"major, pre-release", "v{major}", "v1.2.3-rc1", {}},
                      Pattern{"major, pre-release of PEP 440", "v{major}", "v1.2.3rc1", {}},
                      Pattern{"patch, development release", "p{patch}", "v1.2.3.dev1", {}},
                      Pattern{"axes", "{runtime}-py{python}-v{major}", "v1.2.3", {"cpu-py3.11-v1"}},
                      Pattern{"cell", "{cell}-latest", "v1.2.3", {"cpu-py3.11-latest"}},
                      Pattern{"version in a name", "newest-{version}", "v1.2.3", {"newest-v1.2.3"}}));

TEST(PlannedTags, OfALineThatAPreReleaseDoesNotMoveAreExplained) {
  Project project;
  project.of("v1.2.3-rc1").release().moving = {"latest", "v{major}"};
  EXPECT_THAT(project.plan().policy.reasons, Contains("release.moving: v{major} stays, v1.2.3-rc1 is a pre-release"));
}

TEST(PlannedTags, MoveOnlyWhereThePolicySaysSo) {
  Project project;
  project.release().set = "me/set";
  project.facts.policy.latest = false;
  EXPECT_THAT(project.tags(TagRank::moving, TagRank::set), IsEmpty());
}

TEST(PlannedTags, CarryTheDateOnLaterRunsUnderDated) {
  Project project;
  const auto versions = [&] { return project.tags(TagRank::version, TagRank::version); };
  EXPECT_THAT(versions(), ElementsAre("version " + kCpu + "v1.2.3"));
  project.release().version_tag = config::VersionTagPolicy::dated;
  EXPECT_THAT(versions(), ElementsAre("version " + kCpu + "v1.2.3"));
  for (const auto* trigger : {"schedule", "manual"}) {
    project.on(EventKind::schedule, trigger, "main");
    EXPECT_THAT(versions(), ElementsAre("version " + kCpu + "v1.2.3-20261120")) << trigger;
  }
}

struct Branch {
  std::string name, expected;
};

void PrintTo(const Branch& row, std::ostream* out) { *out << row.name; }

class Branches : public ::testing::TestWithParam<Branch> {};

TEST_P(Branches, BecomeTags) {
  Project project;
  project.on(EventKind::dispatch, "manual", GetParam().name).release().extra = {"{branch}", "{trigger}-{branch}"};
  const auto tags = project.tags(TagRank::extra, TagRank::extra);
  EXPECT_EQ(tags[0], concat("extra ", kCpu, GetParam().expected));
  EXPECT_EQ(tags[1], concat("extra ", kCpu, "manual-", GetParam().expected));
}

INSTANTIATE_TEST_SUITE_P(Table, Branches,
                         ::testing::Values(Branch{"main", "main"}, Branch{"feature/new-thing", "feature-new-thing"},
                                           Branch{"user/ö_1.x", "user--_1.x"}, Branch{"ß", "_"},
                                           Branch{"a b#c", "a-b-c"}, Branch{"release/1.2", "release-1.2"},
                                           Branch{"1.2", "1.2"}));

TEST(ExtraTags, OfABranchAreLeftOutWhereThereIsNone) {
  Project project;
  project.release().extra = {"{branch}", "on-{branch}", "{trigger}"};
  EXPECT_THAT(project.tags(TagRank::extra, TagRank::extra), ElementsAre("extra " + kCpu + "release"));
}

TEST(ExtraTags, MaySayTheirOwnVersion) {
  Project project;
  for (const auto* pattern : {"v{major}", "{version}-slim", "v{major}.{minor}.{patch}-x", "py{python}", "{python}",
                              "1.2", "nightly", "1.2.3", "old-v1.2.4"}) {
    project.release().extra = {pattern};
    EXPECT_TRUE(compute_plan(project.facts, project.configuration)) << pattern;
  }
}

TEST(ExtraTags, AreForWhatPublishes) {
  Project project;
  project.release().extra = {"nightly"};
  project.facts.policy.push = false;
  EXPECT_THAT(project.tags(TagRank::extra, TagRank::extra), IsEmpty());
}

struct Bad {
  std::string what, message;
  std::function<void(Project&)> change;
};

void PrintTo(const Bad& row, std::ostream* out) { *out << row.what; }

class BadTags : public ::testing::TestWithParam<Bad> {};

TEST_P(BadTags, AreRefusedWhenThePlanIsMade) {
  Project project;
  GetParam().change(project);
  const auto plan = compute_plan(project.facts, project.configuration);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::bad_input);
  EXPECT_THAT(describe(plan.error()), HasSubstr(GetParam().message));
  EXPECT_FALSE(plan.error().hint.empty()) << describe(plan.error());
}

// Versions of clang-format break such rows in different ways.
// clang-format off
INSTANTIATE_TEST_SUITE_P(
    Table, BadTags,
    ::testing::Values(
        Bad{"unknown placeholder", "release.moving: \"v{mayor}\": expected one of the placeholders {cell}, {major}",
            [](Project& p) { p.release().moving = {"v{mayor}"}; }},
        Bad{"branch in a moving tag", "release.moving", [](Project& p) { p.release().moving = {"{branch}"}; }},
        Bad{"unknown placeholder, nothing moves", "release.moving",
            [](Project& p) { p.release().moving = {"{x}"}; p.release().latest = config::LatestPolicy::never;
                             p.facts.policy.latest = false; }},
        Bad{"unknown placeholder in extra", "release.extra", [](Project& p) { p.release().extra = {"{sha}"}; }},
        Bad{"axis in the set", "release.set", [](Project& p) { p.release().set = "me/{python}:latest"; }},
        Bad{"no tag", "release.extra", [](Project& p) { p.release().extra = {"a b"}; }},
        Bad{"version tag as moving tag", "v1.2.3",
            [](Project& p) { p.release().moving = {"v{major}.{minor}.{patch}"}; }},
        Bad{"one moving tag twice", "v1", [](Project& p) { p.release().moving = {"v1", "v{major}"}; }},
        Bad{"extra as moving tag", "release.extra", [](Project& p) { p.release().extra = {"latest"}; }},
        Bad{"a literal of another version", "release.extra: \"v1.2.4\": expected a tag of no other version than v1.2.3",
            [](Project& p) { p.release().extra = {"v1.2.4"}; }},
        Bad{"a literal of another pre-release", "release.extra: \"1.2.3-rc1\"",
            [](Project& p) { p.release().extra = {"1.2.3-rc1"}; }},
        Bad{"an axis that is a version", "release.extra: \"{python}.0\"",
            [](Project& p) { p.release().extra = {"{python}.0"}; }},
        Bad{"branch named like a version", "v9.9.9",
            [](Project& p) { p.on(EventKind::dispatch, "manual", "v9.9.9").release().extra = {"{branch}"}; }},
        Bad{"branch that makes a version", "v2.0.0",
            [](Project& p) { p.on(EventKind::dispatch, "manual", "2.0.0").release().extra = {"v{branch}"}; }},
        Bad{"branch named like a line", "{branch}",
            [](Project& p) { p.on(EventKind::dispatch, "manual", "v7").release().extra = {"{branch}"};
                             p.release().moving = {"v{major}"}; }},
        Bad{"branch named as a moving tag", "latest",
            [](Project& p) { p.on(EventKind::dispatch, "manual", "latest").release().extra = {"{branch}"}; }},
        Bad{"branch that is too long", "release.extra",
            [](Project& p) { p.on(EventKind::dispatch, "manual", std::string(129, 'a')).release().extra = {"{branch}"}; }},
        Bad{"set with a digest", "release.set", [](Project& p) { p.release().set = "me/set@sha256:" + std::string(64, 'a'); }},
        Bad{"set outside the grammar", "release.set", [](Project& p) { p.release().set = "me/-set:latest"; }},
        Bad{"set with the name of its version tag", "release.set", [](Project& p) { p.release().set = "me/set:{version}"; }},
        Bad{"set at an image's tag", "release.set",
            [](Project& p) { p.release().set = "braindotai/opencrate-cpu-py3.11:latest"; }}));
// clang-format on

TEST(PlannedTags, ThatAreTwiceThereAreMendedWhereTheyAre) {
  const struct {
    std::string part;
    std::function<void(Project&)> change;
  } rows[] = {
      {"Two entries of release.moving make this tag",
       [](Project& p) {
         p.release().moving = {"latest", "latest"};
       }},
      {"made by itself", [](Project& p) { p.release().set = "me/set:{version}"; }},
      {"one of the settings only", [](Project& p) { p.release().extra = {"latest"}; }},
  };
  for (const auto& row : rows) {
    Project project;
    row.change(project);
    const auto plan = compute_plan(project.facts, project.configuration);
    ASSERT_FALSE(plan) << row.part;
    EXPECT_THAT(plan.error().hint, HasSubstr(row.part));
  }
}

TEST(ReleaseSetTags, AreAtTheDestinationAndTravelInThePlan) {
  Project project;
  project.facts.destination.prefix = "localhost:5000/mirror";
  project.release().set = "me/set-{major}:v{major}.{minor}";
  const auto plan = project.plan();
  EXPECT_EQ(plan.release_set, "localhost:5000/mirror/me/set-1:v1.2");
  EXPECT_EQ(parse_plan(to_json(plan), "plan.json").value(), plan);
  EXPECT_THAT(project.tags(TagRank::set, TagRank::set),
              ElementsAre("set localhost:5000/mirror/me/set-1:v1.2.3", "set localhost:5000/mirror/me/set-1:v1.2"));
}

TEST(ReleaseSetTags, OfAPreReleaseAreNotThoseOfALine) {
  Project project;
  project.of("v1.2.3-rc1").release().set = "me/set:v{major}";
  EXPECT_THAT(project.tags(TagRank::set, TagRank::set), ElementsAre("set me/set:v1.2.3-rc1"));
}

TEST(PlannedTags, FindTwoOfOneNameInAPlanOfSomebodyElse) {
  Project project;
  auto plan = project.plan();
  plan.cells[1].image = plan.cells[0].image;
  const auto tags = planned_tags(plan, project.release(), "", TagRank::version, TagRank::version);
  ASSERT_FALSE(tags);
  EXPECT_EQ(tags.error().code, ErrorCode::bad_input);
  EXPECT_THAT(tags.error().message, AllOf(HasSubstr("cpu-py3.11"), HasSubstr("cuda-py3.11"), HasSubstr("v1.2.3")));
}

}  // namespace
}  // namespace crategate::pipeline
