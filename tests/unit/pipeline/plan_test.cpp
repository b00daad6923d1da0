// Cells, their names, and every way in which a configuration cannot be a plan.
#include "pipeline/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "base/strings.h"
#include "unit/pipeline/sample.h"

namespace crategate::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> keys(const Plan& plan) {
  std::vector<std::string> found;
  for (const auto& cell : plan.cells) found.push_back(cell.key);
  return found;
}

TEST(Plan, HasACellForEachCombinationInTheOrderOfTheAxes) {
  const auto plan = compute_plan(sample::facts(), sample::configuration());
  ASSERT_TRUE(plan) << describe(plan.error());
  EXPECT_THAT(keys(*plan), ElementsAre("cpu-py3.11", "cuda-py3.11", "cpu-py3.13", "cuda-py3.13"));
  ASSERT_NE(plan->find("cuda-py3.13"), nullptr);
  EXPECT_EQ(plan->find("cuda-py3.1"), nullptr);
}

TEST(Plan, NamesEverythingOfACell) {
  const auto plan = compute_plan(sample::facts(), sample::configuration());
  ASSERT_TRUE(plan);
  const Cell& cell = *plan->find("cpu-py3.11");
  EXPECT_EQ(cell.image, "braindotai/opencrate-cpu-py3.11");
  EXPECT_EQ(cell.candidate, cell.image);
  EXPECT_THAT(cell.tags, ElementsAre("v1.2.3"));
  EXPECT_EQ(cell.cache, "braindotai/opencrate-build-cache:cpu-py3.11");
  EXPECT_EQ(cell.dockerfile, "docker/dockerfiles/Dockerfile.cpu-py3.11");
  EXPECT_EQ(cell.log, "tests/logs/test-py3.11-cpu.log");
  EXPECT_EQ(cell.base, "ubuntu:22.04");
  EXPECT_EQ(cell.platform.text(), "linux/amd64");
  EXPECT_EQ(cell.variables.at("python"), "3.11");
  EXPECT_EQ(cell.variables.at("version"), "v1.2.3");
  EXPECT_EQ(cell.variables.at("cell"), "cpu-py3.11");
  EXPECT_EQ(cell.variables.at("pip-index"), "") << "a variable of another value exists, and is empty";
}

TEST(Plan, LowersImageNamesAndNothingElse) {
  auto project = sample::configuration();
  project.image = "BrainDotAI/OpenCrate-{cell}";
  project.cache = "BrainDotAI/Cache:{runtime}-PY{python}";
  project.tags = {"{version}-RC"};
  const auto plan = compute_plan(sample::facts(), project);
  ASSERT_TRUE(plan) << describe(plan.error());
  EXPECT_EQ(plan->cells[0].image, "braindotai/opencrate-cpu-py3.11");
  EXPECT_EQ(plan->cells[0].cache, "braindotai/cache:cpu-PY3.11");
  EXPECT_THAT(plan->cells[0].tags, ElementsAre("v1.2.3-RC"));
}

TEST(Plan, PutsThePrefixOfADestinationInPlaceOfTheRegistry) {
  struct Case {
    std::string prefix, image, expected, cache;
  };
  const Case rows[] = {
      {"localhost:5000", "braindotai/a-{cell}", "localhost:5000/braindotai/a-cpu-py3.11",
       "localhost:5000/braindotai/opencrate-build-cache:cpu-py3.11"},
      {"localhost:5000/", "braindotai/a-{cell}", "localhost:5000/braindotai/a-cpu-py3.11",
       "localhost:5000/braindotai/opencrate-build-cache:cpu-py3.11"},
      {"ghcr.io/me", "ghcr.io/you/a-{cell}", "ghcr.io/me/you/a-cpu-py3.11",
       "ghcr.io/me/braindotai/opencrate-build-cache:cpu-py3.11"},
      {"localhost:5000", "a-{cell}", "localhost:5000/a-cpu-py3.11",
       "localhost:5000/braindotai/opencrate-build-cache:cpu-py3.11"},
      {"docker.io", "quay.io/o/a-{cell}", "o/a-cpu-py3.11", "braindotai/opencrate-build-cache:cpu-py3.11"}};
  for (const auto& row : rows) {
    auto project = sample::configuration();
    project.image = row.image;
    project.candidate = "{image}-candidates";
    auto facts = sample::facts();
    facts.destination.prefix = row.prefix;
    const auto plan = compute_plan(facts, project);
    ASSERT_TRUE(plan) << describe(plan.error());
    EXPECT_EQ(plan->cells[0].image, row.expected);
    EXPECT_EQ(plan->cells[0].candidate, row.expected + "-candidates");
    EXPECT_EQ(plan->cells[0].cache, row.cache);
  }
}

TEST(Plan, UsesNoRegistryCacheForALayout) {
  auto facts = sample::facts();
  facts.destination.layout = true;
  const auto plan = compute_plan(facts, sample::configuration());
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->layout);
  EXPECT_EQ(plan->cells[0].cache, "");
  EXPECT_EQ(plan->cells[0].image, "braindotai/opencrate-cpu-py3.11");
  EXPECT_FALSE(plan->policy.cache_read);
  EXPECT_FALSE(plan->policy.cache_write);
}

TEST(Plan, HasNoCellsWhenNothingRuns) {
  auto facts = sample::facts();
  facts.policy = {.trigger = "none", .reasons = {"no watched path changed"}};
  facts.event = sample::tag_push("nightly");
  const auto plan = compute_plan(facts, sample::configuration());
  ASSERT_TRUE(plan) << describe(plan.error());
  EXPECT_THAT(plan->cells, IsEmpty());
  EXPECT_EQ(matrix_json(*plan), R"({"include":[]})");
  EXPECT_EQ(python_versions_json(*plan), "[]");
}

TEST(Plan, RemovesExcludedAndAddsIncludedCells) {
  auto project = sample::configuration();
  project.exclude = {{{"runtime", "cuda"}, {"python", "3.11"}}, {{"python", "2.7"}}};
  project.include = {{{"runtime", "rocm"}, {"python", "3.12"}}};
  const auto plan = compute_plan(sample::facts(), project);
  ASSERT_TRUE(plan) << describe(plan.error());
  EXPECT_THAT(keys(*plan), ElementsAre("cpu-py3.11", "cpu-py3.13", "cuda-py3.13", "rocm-py3.12"));
  EXPECT_THAT(plan->policy.warnings, ElementsAre("exclude[1] matches no cell"));
  EXPECT_EQ(plan->cells[3].base, "");
  EXPECT_EQ(python_versions_json(*plan), R"(["3.11","3.13","3.12"])");
}

TEST(Plan, NeverPublishesAPartOfTheCells) {
  auto facts = sample::facts();
  facts.only = {"runtime=cpu"};
  const auto plan = compute_plan(facts, sample::configuration());
  ASSERT_TRUE(plan);
  EXPECT_THAT(keys(*plan), ElementsAre("cpu-py3.11", "cpu-py3.13"));
  EXPECT_FALSE(plan->policy.push);
  EXPECT_FALSE(plan->policy.latest);
  EXPECT_THAT(plan->policy.reasons.back(), HasSubstr("only 2 of 4 cells"));
}

TEST(Plan, SelectsByAlternativesOfOneAxisAndBothAxes) {
  const std::pair<std::vector<std::string>, std::size_t> rows[] = {
      {{"python=3.11", "python=3.13"}, 4}, {{"python=3.11", "runtime=cuda"}, 1}, {{"python=3.13"}, 2}};
  for (const auto& [only, count] : rows) {
    auto facts = sample::facts();
    facts.only = only;
    const auto plan = compute_plan(facts, sample::configuration());
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->cells.size(), count);
    EXPECT_EQ(plan->policy.push, count == 4) << "all cells are no part";
  }
}

TEST(Plan, ComparesTagAndVersionInCanonicalForm) {
  const std::pair<std::string, std::string> same[] = {
      {"v1.2.3", "1.2.3"}, {"v0.1.0-rc3", "v0.1.0rc3"}, {"v1.2.3", "V1.2.3"}, {"v1.2.3", "v1.2.3"}};
  for (const auto& [tag, version] : same) {
    auto facts = sample::facts();
    facts.event = sample::tag_push(tag);
    facts.version = *parse_version(version);
    const auto plan = compute_plan(facts, sample::configuration());
    ASSERT_TRUE(plan) << tag << " " << version;
    EXPECT_THAT(plan->cells[0].tags, ElementsAre(version));
  }
  for (const std::string tag : {"v1.2.4", "v1.2.3-rc1", "v1.2.30", "v1.2.3.4", "v1.x.3"}) {
    auto facts = sample::facts();
    facts.event = sample::tag_push(tag);
    const auto plan = compute_plan(facts, sample::configuration());
    ASSERT_FALSE(plan) << tag;
    EXPECT_EQ(plan.error().code, ErrorCode::bad_input);
    EXPECT_THAT(plan.error().message, AllOf(HasSubstr(tag), HasSubstr("v1.2.3")));
  }
}

TEST(Plan, TakesTheHeadCommitOfAPullRequest) {
  auto facts = sample::facts();
  facts.event = sample::pull_request();
  const auto plan = compute_plan(facts, sample::configuration());
  EXPECT_EQ(plan->commit, sample::kCommit);
  EXPECT_EQ(plan->head_commit, facts.event.head_sha);
}

TEST(Plan, NamesLogsByCellWhenTheDefaultPatternDoesNotFitTheAxes) {
  config::Configuration project;
  project.axes = {{.name = "distro", .values = {"bookworm", "trixie"}}};
  project.cell = "{distro}";
  project.image = "a/b-{distro}";
  auto facts = sample::facts();
  facts.axis_values.clear();
  EXPECT_EQ(compute_plan(facts, project)->cells[1].log, "") << "no tests, no log";
  project.test = config::Test{};
  EXPECT_EQ(compute_plan(facts, project)->cells[1].log, "tests/logs/test-trixie.log");
}

TEST(Plan, IsOneCellWithoutAxes) {
  config::Configuration project;
  project.cell = "main";
  project.image = "a/b";
  project.generate.output = "Dockerfile";
  const auto plan = compute_plan(sample::facts(), project);
  ASSERT_TRUE(plan) << describe(plan.error());
  EXPECT_EQ(matrix_json(*plan), R"({"include":[{"cell":"main"}]})");
}

TEST(Plan, KeepsTheMatrixToKeysAndAxes) {
  const auto plan = compute_plan(sample::facts({"3.11"}), sample::configuration());
  EXPECT_EQ(matrix_json(*plan), R"({"include":[{"cell":"cpu-py3.11","python":"3.11","runtime":"cpu"},)"
                                R"({"cell":"cuda-py3.11","python":"3.11","runtime":"cuda"}]})");
}

std::vector<std::string> numbers(std::size_t count) {
  std::vector<std::string> values;
  for (std::size_t i = 0; i < count; ++i) values.push_back(concat("n", i));
  return values;
}

TEST(Plan, HasAtMost256CellsUnlessSharded) {
  config::Configuration project;
  project.axes = {{.name = "n", .file = "N"}};
  project.cell = "{n}";
  project.image = "a/b-{n}";
  auto facts = sample::facts();
  facts.axis_values = {{"n", numbers(256)}};
  EXPECT_EQ(compute_plan(facts, project)->cells.size(), 256u);
  facts.axis_values = {{"n", numbers(257)}};
  const auto plan = compute_plan(facts, project);
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().message, AllOf(HasSubstr("256"), HasSubstr("257")));
  EXPECT_THAT(plan.error().hint, HasSubstr("shards"));
  project.shards = 2;
  EXPECT_EQ(compute_plan(facts, project)->cells.size(), 257u);
}

struct Bad {
  std::string what, message;
  std::function<void(config::Configuration&, PlanFacts&)> change;
};

void PrintTo(const Bad& row, std::ostream* out) { *out << row.what; }

class BadPlans : public ::testing::TestWithParam<Bad> {};

TEST_P(BadPlans, AreRefusedWithTheNameOfTheSetting) {
  auto project = sample::configuration();
  auto facts = sample::facts();
  GetParam().change(project, facts);
  const auto plan = compute_plan(facts, project);
  ASSERT_FALSE(plan) << GetParam().what;
  EXPECT_EQ(plan.error().code, ErrorCode::bad_input);
  EXPECT_THAT(describe(plan.error()), HasSubstr(GetParam().message));
  EXPECT_FALSE(plan.error().hint.empty()) << describe(plan.error());
}

using Project = config::Configuration;

// Versions of clang-format break such rows in different ways.
// clang-format off
INSTANTIATE_TEST_SUITE_P(
    Names, BadPlans,
    ::testing::Values(
        Bad{"unknown placeholder", "{runtme}", [](Project& p, PlanFacts&) { p.image = "a/b-{runtme}"; }},
        Bad{"unclosed placeholder", "image", [](Project& p, PlanFacts&) { p.image = "a/b-{runtime"; }},
        Bad{"stray brace", "cell", [](Project& p, PlanFacts&) { p.cell = "{runtime}}-{python}"; }},
        Bad{"variable as placeholder", "{base}", [](Project& p, PlanFacts&) { p.image = "a/b-{base}"; }},
        Bad{"image with a tag", "image", [](Project& p, PlanFacts&) { p.image = "a/b-{cell}:x"; }},
        Bad{"image with a space", "image", [](Project& p, PlanFacts&) { p.image = "a/b {cell}"; }},
        Bad{"no image", "image", [](Project& p, PlanFacts&) { p.image = ""; }},
        Bad{"image with a dash in front", "image", [](Project& p, PlanFacts&) { p.image = "-a/{cell}"; }},
        Bad{"tag with a slash", "tags", [](Project& p, PlanFacts&) { p.tags = {"a/b"}; }},
        Bad{"tag of 129 characters", "tags", [](Project& p, PlanFacts&) { p.tags = {std::string(129, 'a')}; }},
        Bad{"no tags", "tags", [](Project& p, PlanFacts&) { p.tags.clear(); }},
        Bad{"the same tag twice", "v1.2.3", [](Project& p, PlanFacts&) { p.tags = {"{version}", "v1.2.3"}; }},
        Bad{"latest as version tag", "release.moving",
            [](Project& p, PlanFacts&) { p.tags = {"{version}", "latest"}; }},
        Bad{"moving tag outside the grammar", "release.moving",
            [](Project& p, PlanFacts&) { p.release.moving = {"a b"}; }},
        Bad{"no room for a date", "119",
            [](Project& p, PlanFacts&) {
              p.tags = {std::string(120, 'a')};
              p.release.version_tag = config::VersionTagPolicy::dated;
            }},
        Bad{"cache outside the grammar", "cache", [](Project& p, PlanFacts&) { p.cache = "a/b:{cell}:x"; }},
        Bad{"key with a slash", "cell", [](Project& p, PlanFacts&) { p.cell = "{runtime}/{python}"; }},
        Bad{"key with a dot in front", "cell", [](Project& p, PlanFacts&) { p.cell = ".{runtime}{python}"; }},
        Bad{"destination without a host", "--to", [](Project&, PlanFacts& f) { f.destination.prefix = "registry/x"; }},
        Bad{"destination with a scheme", "--to", [](Project&, PlanFacts& f) { f.destination.prefix = "https://r.io"; }},
        Bad{"two platforms", "build.platforms", [](Project& p, PlanFacts&) { p.build.platforms.resize(2); }},
        Bad{"no platform", "build.platforms", [](Project& p, PlanFacts&) { p.build.platforms.clear(); }}));
// clang-format on

INSTANTIATE_TEST_SUITE_P(
    Paths, BadPlans,
    ::testing::Values(
        Bad{"absolute", "generate.output", [](Project& p, PlanFacts&) { p.generate.output = "/etc/{cell}"; }},
        Bad{"parent", "generate.output", [](Project& p, PlanFacts&) { p.generate.output = "a/../../{cell}"; }},
        Bad{"dot", "test.log", [](Project& p, PlanFacts&) { p.test->log = "./{cell}"; }},
        Bad{"trailing slash", "test.log", [](Project& p, PlanFacts&) { p.test->log = "{cell}/"; }},
        Bad{"backslash", "test.log", [](Project& p, PlanFacts&) { p.test->log = "..\\{cell}"; }},
        Bad{"line feed", "test.log", [](Project& p, PlanFacts&) { p.test->log = "a\n{cell}"; }},
        Bad{"empty", "generate.output", [](Project& p, PlanFacts&) { p.generate.output = ""; }}));

// Versions of clang-format break such rows in different ways.
// clang-format off
INSTANTIATE_TEST_SUITE_P(
    SharedNames, BadPlans,
    ::testing::Values(Bad{"key", "cell key", [](Project& p, PlanFacts&) { p.cell = "{runtime}"; }},
                      Bad{"key but for its case", "cell key",
                          [](Project& p, PlanFacts& f) {
                            p.include = {{{"runtime", "CPU"}, {"python", "3.11"}}};
                            f.axis_values["runtime"] = {"cpu", "cuda"};
                          }},
                      Bad{"image", "image", [](Project& p, PlanFacts&) { p.image = "a/b-{runtime}"; }},
                      Bad{"moving tag", "a/b:latest",
                          [](Project& p, PlanFacts&) {
                            p.image = "a/b";
                            p.tags = {"{version}-{cell}"};
                          }},
                      Bad{"Dockerfile", "Dockerfile",
                          [](Project& p, PlanFacts&) { p.generate.output = "Dockerfile.{runtime}"; }},
                      Bad{"log", "test log", [](Project& p, PlanFacts&) { p.test->log = "test-{runtime}.log"; }},
                      Bad{"cache", "cache", [](Project& p, PlanFacts&) { p.cache = "a/cache:{runtime}"; }},
                      Bad{"included cell that exists", "cell key",
                          [](Project& p, PlanFacts&) { p.include = {{{"runtime", "cpu"}, {"python", "3.11"}}}; }}));
// clang-format on

// Versions of clang-format break such rows in different ways.
// clang-format off
INSTANTIATE_TEST_SUITE_P(
    Axes, BadPlans,
    ::testing::Values(
        Bad{"no values", "axes.python", [](Project&, PlanFacts& f) { f.axis_values["python"].clear(); }},
        Bad{"malformed value", "axis python", [](Project&, PlanFacts& f) { f.axis_values["python"] = {"3.10 AS x"}; }},
        Bad{"value twice", "axes.python", [](Project&, PlanFacts& f) { f.axis_values["python"] = {"3.9", "3.9"}; }},
        Bad{"built-in name", "built-in", [](Project& p, PlanFacts&) { p.axes[1].name = "version"; }},
        Bad{"everything excluded", "at least one cell", [](Project& p, PlanFacts&) { p.exclude = {{}}; }},
        Bad{"exclude with an unknown axis", "exclude[0]",
            [](Project& p, PlanFacts&) { p.exclude = {{{"pyton", "3.11"}}}; }},
        Bad{"include without an axis", "include[0]",
            [](Project& p, PlanFacts&) { p.include = {{{"python", "3.12"}}}; }},
        Bad{"include with a bad value", "axis python",
            [](Project& p, PlanFacts&) { p.include = {{{"python", "3.x"}, {"runtime", "cpu"}}}; }},
        Bad{"ten thousand values, twice", "more than",
            [](Project& p, PlanFacts& f) {
              p.axes = {{.name = "a", .file = "A"}, {.name = "b", .file = "B"}};
              f.axis_values = {{"a", numbers(300)}, {"b", numbers(300)}};
            }},
        Bad{"variable with two values", "variable base",
            [](Project& p, PlanFacts&) { p.axes[0].variables = {{"3.11", {{"base", "debian"}}}}; }},
        Bad{"variable called like an axis", "variable python",
            [](Project& p, PlanFacts&) { p.axes[1].variables["cpu"]["python"] = "2"; }},
        Bad{"only without a value", "--only", [](Project&, PlanFacts& f) { f.only = {"runtime"}; }},
        Bad{"only of an unknown axis", "--only", [](Project&, PlanFacts& f) { f.only = {"runtme=cpu"}; }},
        Bad{"only of an unknown value", "cpu, cuda", [](Project&, PlanFacts& f) { f.only = {"runtime=cup"}; }}));
// clang-format on

}  // namespace
}  // namespace crategate::pipeline
