// Files as typed values.
#include "config/decode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/settings.h"

namespace crategate::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Pair;

Configuration read(std::string text) {
  const auto loaded = load(File{"crategate.yml", std::move(text)}, {});
  EXPECT_TRUE(loaded) << (loaded ? "" : describe(loaded.error()));
  return loaded ? loaded->configuration : Configuration{};
}

TEST(ConfigDecode, AnEmptyFileIsTheDefaults) { EXPECT_EQ(read(""), Configuration{}); }

TEST(ConfigDecode, DefaultsWatchWhatTheRequirementsList) {
  EXPECT_THAT(read("").watch, ElementsAre("src/**", "tests/**", "docker/**", "pyproject.toml", "setup.cfg", "setup.py",
                                          "Makefile", "Makefile.ci", "VERSION", "PYTHON_VERSIONS"));
  EXPECT_THAT(read("").dependencies, ElementsAre("pyproject.toml", "setup.cfg"));
}

TEST(ConfigDecode, KeepsAxesInTheOrderOfTheFileAndTheirTextAsWritten) {
  const auto axes = read("axes:\n  zeta: [3.10, 3.9, '3.1']\n  alpha: {file: F}\n").axes;
  ASSERT_EQ(axes.size(), 2U);
  EXPECT_EQ(axes[0].name, "zeta");
  EXPECT_THAT(axes[0].values, ElementsAre("3.10", "3.9", "3.1"));
  EXPECT_EQ(axes[1].file, "F");
  EXPECT_TRUE(axes[1].values.empty());
}

TEST(ConfigDecode, ReadsAxesAsValuesWithVariables) {
  const auto axes = read("axes: {runtime: {cuda: {base: 'a:b', pip-index: 1.10}, cpu: }}").axes;
  ASSERT_EQ(axes.size(), 1U);
  EXPECT_THAT(axes[0].values, ElementsAre("cuda", "cpu"));
  EXPECT_THAT(axes[0].variables.at("cuda"), ElementsAre(Pair("base", "a:b"), Pair("pip-index", "1.10")));
  EXPECT_TRUE(axes[0].variables.at("cpu").empty());
}

TEST(ConfigDecode, ReadsVariablesBesideAFileOrAList) {
  const auto axes =
      read("axes:\n  a: {file: F, variables: {3.7: {x: y}}}\n  b: {values: [p, q], variables: {q: }}").axes;
  ASSERT_EQ(axes.size(), 2U);
  EXPECT_THAT(axes[0].variables.at("3.7"), ElementsAre(Pair("x", "y")));
  EXPECT_THAT(axes[1].values, ElementsAre("p", "q"));
}

TEST(ConfigDecode, ReadsExcludeAndIncludeAsText) {
  const auto out = read("axes: {a: [3.10, 3.1]}\nexclude: [{a: 3.10}]\ninclude: [{a: 3.20}]");
  EXPECT_THAT(out.exclude, ElementsAre(ElementsAre(Pair("a", "3.10"))));
  EXPECT_THAT(out.include, ElementsAre(ElementsAre(Pair("a", "3.20"))));
}

TEST(ConfigDecode, HasExactlyOneVersionSource) {
  EXPECT_EQ(read("version: {file: V}").version, (VersionSource{"V", false, {}}));
  EXPECT_EQ(read("version: {git-tag: true}").version, (VersionSource{"", true, {}}));
  EXPECT_EQ(read("version: {git-tag: false}").version, (VersionSource{"VERSION", false, {}}));
  EXPECT_EQ(read("version: {command: [a, b]}").version, (VersionSource{"", false, {"a", "b"}}));
}

TEST(ConfigDecode, SectionsThatTurnSomethingOnAreAbsentUnlessWritten) {
  const auto none = read("");
  EXPECT_FALSE(none.check || none.scan || none.test || none.ci_image);
  const auto all = read("check: {}\nscan: {}\ntest: {}\nci-image: {}");
  EXPECT_EQ(all.check, Check{});
  EXPECT_EQ(all.scan, Scan{});
  EXPECT_EQ(all.test, config::Test{});
  EXPECT_EQ(all.ci_image, CiImage{});
}

TEST(ConfigDecode, ReadsEverySectionsMembers) {
  const auto out = read(R"(
check: {image: i, setup: [s], run: [r, x], timeout: 90s}
generate: {run: [g], output: "o/{cell}", image: gi, timeout: 500ms}
build: {context: c, target: t, platforms: [linux/arm64/v8], network: host, builder: b, builder-image: bi, build-args: [A=1, B],
        build-contexts: [n=p], secrets: ["id=a,env=B"], labels: [l=1], annotations: [a=1], cache-dir: .cache,
        frontends: ["f@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"],
        cache-ignore-error: true, timeout: 1h30m}
scan: {severity: none, ignore-unfixed: true}
test: {setup: [s], run: [r], source: mounted, mounts: ["a:/b:ro"], env: [K=v], workdir: /w, user: u, network: none, log: "l/{cell}",
       count: "([0-9]+) ok", timeout: 1m}
candidate: c
provenance: true
gate: {mode: rebuild, rebuild: content, ignore-labels: [x], hmac-secret-env: E}
release: {latest: stable, version-tag: dated, moving: [], extra: [e], allow-downgrade: true, require-branch: main, require-branch-refuses: true,
          journal: file, lease: git, lease-remote: r, set: s}
shards: 3
)");
  EXPECT_EQ(out.check, (Check{"i", {"s"}, {"r", "x"}, 90s}));
  EXPECT_EQ(out.generate, (Generate{"", "o/{cell}", "gi", {"g"}, 500ms}));
  EXPECT_EQ(out.build, (Build{"c",
                              "t",
                              "host",
                              "b",
                              "bi",
                              {oci::Platform{"linux", "arm64", "v8"}},
                              {"A=1", "B"},
                              {"n=p"},
                              {"id=a,env=B"},
                              {"l=1"},
                              {"a=1"},
                              {"f@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
                              ".cache",
                              true,
                              90min}));
  EXPECT_EQ(out.scan, (Scan{.severity = "none", .ignore_unfixed = true}));
  EXPECT_EQ(out.test, (config::Test{{"s"},
                                    {"r"},
                                    TestSource::mounted,
                                    {"a:/b:ro"},
                                    {"K=v"},
                                    "/w",
                                    "u",
                                    "none",
                                    "l/{cell}",
                                    "([0-9]+) ok",
                                    1min}));
  EXPECT_EQ(out.candidate, "c");
  EXPECT_TRUE(out.provenance);
  EXPECT_EQ(out.gate, (Gate{GateMode::rebuild, "content", {"x"}, "E"}));
  EXPECT_EQ(
      out.release,
      (Release{LatestPolicy::stable, VersionTagPolicy::dated, {}, {"e"}, true, "main", true, "file", "git", "r", "s"}));
  EXPECT_EQ(out.shards, 3);
}

TEST(ConfigDecode, ReadsPolicyOverridesAndLeavesTheRestUnset) {
  const auto policy =
      read("policy: {pull_request: {cells: all}, push: {cells: none, fresh: true, latest: false}}").policy;
  EXPECT_EQ(policy.at("pull_request"), (EventPolicy{.all_cells = true}));
  EXPECT_EQ(policy.at("push"), (EventPolicy{.all_cells = false, .latest = false, .fresh = Fresh::yes}));
  EXPECT_EQ(read("policy: {push: {fresh: auto}}").policy.at("push").fresh, Fresh::automatic);
  const auto refused = load(File{"f", "policy: {push: {fresh: sometimes}}"}, {});
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("expected true, false or auto, found"));
}

TEST(ConfigDecode, NoPullRequestEventMayCacheOrMoveATag) {
  for (const char* event : {"pull_request", "pull_request_target", "pull_request_review", "merge_group"}) {
    for (const char* key : {"cache-write", "latest"}) {
      const std::string head = std::string("policy: {") + event + ": {" + key + ": ";
      EXPECT_FALSE(load(File{"f", head + "true}}"}, {})) << event << " " << key;
      EXPECT_TRUE(load(File{"f", head + "false}}"}, {})) << event << " " << key;
    }
  }
}

struct Duration {
  const char* text;
  std::chrono::milliseconds expected;
};

TEST(ConfigDecode, ReadsDurations) {
  for (const auto& row :
       {Duration{"90s", 90s}, Duration{"5m", 5min}, Duration{"1h30m", 90min}, Duration{"500ms", 500ms},
        Duration{"1h1m1s1ms", 3'661'001ms}, Duration{"720h", 720h}, Duration{"007s", 7s}})
    EXPECT_EQ(read(std::string("build: {timeout: ") + row.text + "}").build.timeout, row.expected) << row.text;
}

TEST(ConfigDecode, RefusesWhatIsNoDuration) {
  for (const char* text : {"5",
                           "0",
                           "5 m",
                           "m",
                           "-5m",
                           "1.5h",
                           "5M",
                           "1m1h",
                           "5m5m",
                           "1d",
                           "'5m '",
                           "' 5m'",
                           "''",
                           "0s",
                           "721h",
                           "18446744073709551616ms",
                           "9223372036854775807h",
                           "[5m]",
                           "5mm",
                           "1h30"})
    EXPECT_FALSE(load(File{"f", std::string("build: {timeout: ") + text + "}"}, {})) << text;
}

TEST(ConfigDecode, ReadsTheBooleansOfYaml12Only) {
  for (const char* text : {"true", "True", "TRUE"}) EXPECT_TRUE(read(std::string("provenance: ") + text).provenance);
  for (const char* text : {"false", "False", "FALSE"})
    EXPECT_FALSE(read(std::string("provenance: ") + text).provenance);
  for (const char* text : {"yes", "no", "on", "off", "y", "n", "1", "0", "tRUE", "'true'", "\"false\"", "[true]", "{}"})
    EXPECT_FALSE(load(File{"f", std::string("provenance: ") + text}, {})) << text;
}

TEST(ConfigDecode, MountsStayInsideTheWorkspace) {
  for (const char* text : {"a:/b", "a/b:/c:ro", ".:/work:rw", "a..b:/c"})
    EXPECT_TRUE(load(File{"f", std::string("test: {mounts: ['") + text + "']}"}, {})) << text;
  for (const char* text : {"/a:/b", "..:/b", "a/../../b:/c", "a:b", "a", ":/b", "a:/b:ro:z", "a:/b:z", ""})
    EXPECT_FALSE(load(File{"f", std::string("test: {mounts: ['") + text + "']}"}, {})) << text;
}

}  // namespace
}  // namespace crategate::config
