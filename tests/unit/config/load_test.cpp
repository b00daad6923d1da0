// Precedence, names, conflicts and origins.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/strings.h"
#include "config/placement.h"
#include "config/settings.h"

namespace crategate::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Given option(std::string name, std::string value) {
  const std::string written = "--" + name;
  return {std::move(name), std::move(value), {OriginKind::command_line, {}, written}};
}

Given input(std::string name, std::string value) {
  std::string written = "INPUT_" + name;
  std::transform(written.begin(), written.end(), written.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return {std::move(name), std::move(value), {OriginKind::input, {}, written}};
}

Loaded loaded(const std::optional<std::string>& file, const std::vector<Given>& given) {
  auto out = load(file ? std::optional(File{"crategate.yml", *file}) : std::nullopt, given);
  EXPECT_TRUE(out) << (out ? "" : describe(out.error()));
  return out ? *std::move(out) : Loaded{};
}

std::string refusal(const std::optional<std::string>& file, const std::vector<Given>& given) {
  const auto out = load(file ? std::optional(File{"crategate.yml", *file}) : std::nullopt, given);
  EXPECT_FALSE(out);
  return out ? "" : concat(describe(out.error()), " | ", out.error().hint);
}

const InForce& row(const Loaded& loaded, std::string_view name) {
  const auto at = std::find_if(loaded.in_force.begin(), loaded.in_force.end(),
                               [name](const InForce& item) { return item.setting->name == name; });
  EXPECT_NE(at, loaded.in_force.end()) << name;
  return *at;
}

TEST(ConfigLoad, WithoutAFileEverythingIsDefault) {
  const Loaded out = loaded(std::nullopt, {});
  EXPECT_EQ(out.configuration, Configuration{});
  EXPECT_EQ(out.invocation, Invocation{});
  EXPECT_EQ(out.in_force.size(), settings_table().size());
  for (const InForce& item : out.in_force) EXPECT_EQ(item.origin.text(), "default") << item.setting->name;
}

TEST(ConfigLoad, CommandLineBeatsInputBeatsFileBeatsDefault) {
  const std::string file = "build:\n  timeout: 1m\n";
  EXPECT_EQ(loaded("", {}).configuration.build.timeout, 30min);
  EXPECT_EQ(loaded(file, {}).configuration.build.timeout, 1min);
  EXPECT_EQ(loaded(file, {input("build-timeout", "2m")}).configuration.build.timeout, 2min);
  const Loaded all = loaded(file, {option("build-timeout", "3m"), input("build-timeout", "2m")});
  EXPECT_EQ(all.configuration.build.timeout, 3min);
}

TEST(ConfigLoad, EveryOriginIsNamed) {
  const Loaded out =
      loaded("image: me/app\nbuild:\n  timeout: 1m\n", {option("jobs", "4"), input("test-timeout", "2m")});
  EXPECT_EQ(row(out, "image").origin.text(), "crategate.yml:1:8");
  EXPECT_EQ(row(out, "build.timeout").origin.text(), "crategate.yml:3:12");
  EXPECT_EQ(row(out, "jobs").origin.text(), "--jobs");
  EXPECT_EQ(row(out, "test.timeout").origin.text(), "INPUT_TEST-TIMEOUT");
  EXPECT_EQ(row(out, "gate.mode").origin.text(), "default");
  EXPECT_EQ(row(out, "gate.mode").value, "promote");
}

TEST(ConfigLoad, AnEmptyInputIsNotGivenAndAnEmptyOptionIs) {
  EXPECT_EQ(loaded("cache: a/b:c\n", {input("cache", "")}).configuration.cache, "a/b:c");
  EXPECT_EQ(loaded("cache: a/b:c\n", {input("cache", " \n")}).configuration.cache, "a/b:c");
  EXPECT_EQ(loaded("cache: a/b:c\n", {option("cache", "")}).configuration.cache, "");
}

TEST(ConfigLoad, InputsAreTrimmedAsTheRunnersToolkitDoes) {
  const Loaded out = loaded(std::nullopt, {input("publish", " false\n"), input("build-timeout", " 2m ")});
  EXPECT_FALSE(out.invocation.publish);
  EXPECT_EQ(out.configuration.build.timeout, 2min);
  EXPECT_THAT(refusal(std::nullopt, {option("publish", " false")}), HasSubstr("--publish: expected true or false"));
}

TEST(ConfigLoad, ListsAreLinesWithCommentsOrFlowText) {
  const auto labels = [](const std::string& text) {
    return loaded(std::nullopt, {input("labels", text)}).configuration.build.labels;
  };
  EXPECT_THAT(labels("a=1,2\n\n# comment\r\n  b=x # y\n"), ElementsAre("a=1,2", "b=x # y"));
  EXPECT_THAT(labels("[a=1, 'b=2, 3']"), ElementsAre("a=1", "b=2, 3"));
}

TEST(ConfigLoad, CommasSeparateWhereNoItemCanContainOne) {
  const Loaded out = loaded(std::nullopt, {input("platforms", "linux/amd64, linux/arm64"), option("only", "a=1,b=2")});
  EXPECT_EQ(out.configuration.build.platforms.size(), 2U);
  EXPECT_THAT(out.invocation.only, ElementsAre("a=1", "b=2"));
}

TEST(ConfigLoad, ARepeatedListOptionAddsUp) {
  const Loaded out =
      loaded("build: {build-args: [FILE=1]}", {option("build-args", "A=1"), option("build-args", "B=2")});
  EXPECT_THAT(out.configuration.build.build_args, ElementsAre("A=1", "B=2"));
}

TEST(ConfigLoad, CommandsAreListsOfWords) {
  EXPECT_THAT(loaded(std::nullopt, {option("test-run", "[make, test]")}).configuration.test->run,
              ElementsAre("make", "test"));
  EXPECT_THAT(loaded(std::nullopt, {input("test-run", "make\ntest")}).configuration.test->run,
              ElementsAre("make", "test"));
  EXPECT_THAT(refusal(std::nullopt, {input("test-run", "make test")}), HasSubstr("write [make, test]"));
}

TEST(ConfigLoad, StructuresAreYamlText) {
  const Loaded out =
      loaded("image: a\n", {option("axes", "{python: [3.10], runtime: {cpu: {base: x}}}"),
                            input("exclude", "- {python: 3.10}"), option("policy", "{push: {cells: all}}")});
  EXPECT_THAT(out.configuration.axes[0].values, ElementsAre("3.10"));
  EXPECT_EQ(out.configuration.exclude.size(), 1U);
  EXPECT_TRUE(out.configuration.policy.at("push").all_cells.value());
  EXPECT_EQ(row(out, "axes").value, "{python: [3.10], runtime: {cpu: {base: x}}}");
}

TEST(ConfigLoad, ErrorsInAnOptionNameItAndThePlace) {
  EXPECT_THAT(refusal(std::nullopt, {option("axes", "{python: [3.10, 3.10]}")}),
              testing::StartsWith("--axes:1:17: axes.python[1]: expected each value once"));
  EXPECT_THAT(refusal(std::nullopt, {input("test-timeout", "300")}),
              testing::StartsWith("INPUT_TEST-TIMEOUT: expected a duration with its unit, found \"300\""));
}

TEST(ConfigLoad, APatchIsNoLargerThanItsFormCanHold) {
  EXPECT_EQ(loaded("regen: {max-mib: 256}\n", {}).configuration.regen.max_mib, 256);
  EXPECT_THAT(refusal("regen: {max-mib: 257}\n", {}),
              testing::HasSubstr("regen.max-mib: expected a number from 0 to 256"));
  EXPECT_THAT(refusal(std::nullopt, {input("regen-max-mib", "257")}), testing::HasSubstr("a number from 0 to 256"));
}

TEST(ConfigLoad, ABadFileIsReportedEvenWhereAnOptionOverridesIt) {
  EXPECT_THAT(refusal("build: {timeout: 5}", {option("build-timeout", "5m")}), HasSubstr("crategate.yml:1:18"));
}

TEST(ConfigLoad, ShortNamesOfTheDockerActionsWork) {
  const Loaded out =
      loaded(std::nullopt, {input("context", "sub"), input("target", "prod"), input("build-args", "A=1"),
                            input("secrets", "id=x,env=Y"), input("annotations", "a=b"), input("network", "host"),
                            input("builder", "b"), input("file", "D.{cell}"), input("build-contexts", "x=y")});
  EXPECT_EQ(out.configuration.build.context, "sub");
  EXPECT_EQ(out.configuration.build.target, "prod");
  EXPECT_THAT(out.configuration.build.secrets, ElementsAre("id=x,env=Y"));
  EXPECT_EQ(out.configuration.generate.output, "D.{cell}");
  EXPECT_EQ(row(out, "build.target").origin.text(), "INPUT_TARGET");
}

TEST(ConfigLoad, NamesThatThePlanDecidesAreRefusedWithTheReason) {
  for (const char* name : {"cache-from", "cache-to", "no-cache", "pull", "push", "load", "sbom"}) {
    const std::string text = refusal(std::nullopt, {input(name, "true")});
    EXPECT_THAT(text, HasSubstr("is not a setting of crategate")) << name;
    EXPECT_FALSE(text.ends_with("| ")) << name;
  }
}

TEST(ConfigLoad, UnknownNamesAreRefusedWithTheNearestOne) {
  EXPECT_THAT(refusal(std::nullopt, {option("test-timeuot", "5m")}),
              HasSubstr("--test-timeuot: unknown setting | did you mean test-timeout?"));
  EXPECT_THAT(refusal(std::nullopt, {input("platfroms", "x")}), HasSubstr("did you mean platforms?"));
  // What an option says already is not said again, also where it leaves out its command's section.
  const Given own = {"test-timeout", "x", {OriginKind::command_line, {}, "--timeout"}};
  EXPECT_THAT(refusal(std::nullopt, {own}), testing::StartsWith("--timeout: expected a duration of more than 0"));
  const Given job = {"test-timeout", "x", {OriginKind::input, {}, "input test-timeout"}};
  EXPECT_THAT(refusal(std::nullopt, {job}), testing::StartsWith("input test-timeout: expected"));
  EXPECT_THAT(refusal(std::nullopt, {option("xyzzy-plugh", "x")}), HasSubstr("crategate explain"));
  EXPECT_THAT(refusal(std::nullopt, {option("", "x")}), HasSubstr("unknown setting"));
  EXPECT_THAT(refusal(std::nullopt, {input("platfroms", "")}), HasSubstr("unknown setting"));
}

TEST(ConfigLoad, SeedNamesWorkInTheirOwnSpelling) {
  const Loaded out =
      loaded("test: {run: [pytest], setup: [make, deps]}",
             {input("rebuild_base", "true"), input("MODE", "push"), input("PYTHON_VERSION", "3.10"),
              input("runtime", "cpu"), input("REBUILD_FLAG", "true"), input("CACHE_UPDATE", "false"),
              input("CACHE_IMAGE_PREFIX", "ghcr.io/me/cache"), input("VERSION", "v1.2.3"), input("DEPS", "ci,dev")});
  EXPECT_EQ(out.invocation.rebuild_base, true);
  EXPECT_EQ(out.invocation.mode, "push");
  EXPECT_THAT(out.invocation.only, ElementsAre("python=3.10", "runtime=cpu"));
  EXPECT_EQ(out.invocation.fresh, Fresh::yes);
  EXPECT_EQ(out.invocation.cache_write, false);
  EXPECT_EQ(out.configuration.cache, "ghcr.io/me/cache:{cell}");
  EXPECT_EQ(out.configuration.version, (VersionSource{"", false, {}, "v1.2.3"}));
  EXPECT_THAT(out.configuration.test->setup, ElementsAre("pip", "install", ".[ci,dev]"));
  EXPECT_EQ(loaded(std::nullopt, {input("REBUILD_BASE", "")}).invocation.rebuild_base, std::nullopt);
}

TEST(ConfigLoad, AValueThatWouldLeaveASeedNamesPatternIsRefused) {
  for (const char* value : {"ci]\", --index-url=http://evil", "ci dev", "a\nb", "{x}", "'ci'"})
    EXPECT_THAT(refusal(std::nullopt, {input("DEPS", value)}), HasSubstr("expected letters, digits")) << value;
  EXPECT_THAT(refusal(std::nullopt, {input("CACHE_IMAGE_PREFIX", "me/{cell}")}), HasSubstr("set cache"));
}

TEST(ConfigLoad, ASeedNameThatContradictsItsSettingIsRefusedWhereverEachIsGiven) {
  EXPECT_THAT(refusal(std::nullopt, {input("rebuild-base", "true"), input("REBUILD_BASE", "false")}),
              HasSubstr("rebuild-base: expected one value"));
  EXPECT_THAT(refusal(std::nullopt, {option("rebuild-base", "true"), input("REBUILD_BASE", "false")}),
              HasSubstr("found \"true\" (--rebuild-base) and \"false\" (INPUT_REBUILD_BASE)"));
  EXPECT_THAT(refusal(std::nullopt, {input("target", "a"), input("build-target", "b")}),
              HasSubstr("expected one value"));
  EXPECT_THAT(refusal(std::nullopt, {option("only", "runtime=cuda"), input("RUNTIME", "cpu")}),
              HasSubstr("runtime=cuda"));
  EXPECT_THAT(refusal(std::nullopt, {input("cache", "me/other:{cell}"), input("CACHE_IMAGE_PREFIX", "me/cache")}),
              HasSubstr("cache: expected one value"));
  EXPECT_THAT(refusal(std::nullopt, {option("jobs", "2"), option("jobs", "3")}), HasSubstr("jobs: expected one value"));
}

TEST(ConfigLoad, ASeedNameThatAgreesIsAccepted) {
  EXPECT_EQ(
      loaded(std::nullopt, {input("rebuild-base", "true"), input("REBUILD_BASE", "true")}).invocation.rebuild_base,
      true);
  EXPECT_THAT(loaded(std::nullopt, {option("only", "runtime=cpu"), input("RUNTIME", "cpu")}).invocation.only,
              ElementsAre("runtime=cpu"));
  EXPECT_THAT(loaded(std::nullopt, {input("target", "a"), input("build-target", "a")}).configuration.build.target, "a");
  EXPECT_THAT(loaded(std::nullopt, {input("labels", "a=1"), input("build-labels", "a=1")}).configuration.build.labels,
              ElementsAre("a=1"));
}

TEST(ConfigLoad, RefusesEveryBooleanThatIsNoneExactly) {
  for (const char* text : {"yes", "1", "on", " true", "true ", "tru", "{}", "\"true\"", "null", "TRUe"})
    EXPECT_THAT(refusal(std::nullopt, {option("rebuild-base", text)}), HasSubstr("expected true or false")) << text;
}

TEST(ConfigLoad, ANearerVersionSourceTakesThePlaceOfAFartherOne) {
  const Loaded out = loaded("version: {file: V}", {option("version-git-tag", "true")});
  EXPECT_EQ(out.configuration.version, (VersionSource{"", true, {}, {}}));
  EXPECT_EQ(row(out, "version.file").value, "");
  EXPECT_THAT(refusal(std::nullopt, {option("version-git-tag", "true"), option("version-file", "V")}),
              HasSubstr("expected one of file, git-tag, command and value"));
}

TEST(ConfigLoad, SecretsAreShownAsStarsEvenInConflicts) {
  const Loaded out = loaded(std::nullopt, {input("password", "hunter2-hunter2"), input("github-token", "ghs_secret")});
  EXPECT_EQ(out.invocation.password_text, "hunter2-hunter2");
  EXPECT_EQ(out.invocation.github_token_text, "ghs_secret");
  EXPECT_EQ(row(out, "password").value, "***");
  EXPECT_EQ(row(out, "github-token").value, "***");
  EXPECT_EQ(row(loaded(std::nullopt, {}), "password").value, "");
  EXPECT_THAT(refusal(std::nullopt, {option("password", "hunter2-a"), option("password", "hunter2-b")}),
              testing::Not(HasSubstr("hunter2")));
}

TEST(ConfigLoad, TheCellOptionIsTheInvocationsAndThePatternHasItsOwn) {
  const Loaded out = loaded(std::nullopt, {option("cell", "cpu-py3.10"), option("cell-pattern", "{runtime}")});
  EXPECT_EQ(out.invocation.cell, "cpu-py3.10");
  EXPECT_EQ(out.configuration.cell, "{runtime}");
}

TEST(ConfigLoad, AProjectNeedsAnImageAndAxes) {
  const auto without = require_project(loaded(std::nullopt, {}));
  ASSERT_FALSE(without);
  EXPECT_THAT(describe(without.error()), HasSubstr("crategate.yml: expected the key image, found no such file"));
  EXPECT_THAT(without.error().hint, HasSubstr("axes: {python"));
  const auto no_axes = require_project(loaded("image: me/app", {}));
  ASSERT_FALSE(no_axes);
  EXPECT_THAT(describe(no_axes.error()), HasSubstr("the key axes, found none"));
  EXPECT_TRUE(require_project(loaded("image: me/app\naxes: {a: [b]}", {})));
  EXPECT_TRUE(require_project(loaded(std::nullopt, {option("image", "me/app"), option("axes", "{a: [b]}")})));
}

TEST(ConfigLoad, WhatThisVersionCannotDoIsRefusedWhereItStands) {
  const std::string project = "image: me/app\naxes: {a: [b]}\n";
  const struct {
    std::string text, setting;
    int line;
  } rows[] = {{"provenance: true\n", "provenance: ", 3}, {"shards: 2\n", "shards: ", 3}};
  for (const auto& row : rows) {
    const auto refused = require_project(loaded(project + row.text, {}));
    ASSERT_FALSE(refused) << row.text;
    EXPECT_EQ(refused.error().code, ErrorCode::bad_input);
    EXPECT_TRUE(refused.error().message.starts_with(row.setting)) << refused.error().message;
    ASSERT_TRUE(refused.error().location) << row.text;
    EXPECT_EQ(refused.error().location->line, row.line) << row.text;
  }
  const auto option_refused = require_project(loaded(project, {option("provenance", "true")}));
  ASSERT_FALSE(option_refused);
  EXPECT_TRUE(option_refused.error().message.starts_with("--provenance: ")) << option_refused.error().message;
}

TEST(ConfigLoad, TestAndCheckNeedACommand) {
  const std::string project = "image: me/app\naxes: {a: [b]}\n";
  const auto test = require_project(loaded(project + "test: {timeout: 5m}", {}));
  ASSERT_FALSE(test);
  EXPECT_EQ(describe(test.error()), "crategate.yml:3:17: test.run: expected a command, found none");
  EXPECT_FALSE(require_project(loaded(project + "check: {}", {})));
  EXPECT_TRUE(require_project(loaded(project + "check: {run: [a]}\ntest: {run: [b]}", {})));
}

TEST(ConfigLoad, CombinationsAreCheckedAgainstTheAxesInForce) {
  EXPECT_THAT(loaded("exclude: [{a: b}]", {option("axes", "{a: [b, c]}")}).configuration.exclude, testing::SizeIs(1));
  EXPECT_THAT(refusal("exclude: [{a: b}]\naxes: {a: [b]}", {option("axes", "{x: [y]}")}), HasSubstr("the axes are: x"));
}

/// Of what a later stage refuses.
TEST(ConfigPlaces, AreThoseOfTheSettingThatAnErrorBeginsWith) {
  const Loaded out = loaded("image: a\nci-image:\n  default-tag: pr-3\n  branches: {main: b}\n",
                            {option("ci-image-workflow", "w.yml")});
  const auto place = [&out](std::string message) {
    return describe(with_place({ErrorCode::bad_input, std::move(message), {}, {}, {}, {}}, out.in_force));
  };
  EXPECT_EQ(place("ci-image.default-tag: no"), "crategate.yml:3:16: ci-image.default-tag: no");
  EXPECT_EQ(place("ci-image.branches.main: no"), "crategate.yml:4:13: ci-image.branches.main: no");
  for (const char* other :
       {"ci-image.default-tags: no", "ci-image.workflow: no", "ci-image.watch: no", "image: no", ""})
    EXPECT_EQ(place(other), other);
  Error placed{ErrorCode::bad_input, "ci-image.default-tag: no", {}, {}, Location{"x", 1, 1}, {}};
  EXPECT_EQ(with_place(placed, out.in_force).location, placed.location);
  const Error framed = Error{ErrorCode::bad_input, "no", {}, {}, {}, {}}.within("ci-image.default-tag");
  EXPECT_TRUE(with_place(framed, out.in_force).location);
}

}  // namespace
}  // namespace crategate::config
