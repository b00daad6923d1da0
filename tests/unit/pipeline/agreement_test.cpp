#include "pipeline/agreement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace crategate::pipeline {
namespace {

using testing::HasSubstr;

Plan plan(bool fresh, bool cache_write, std::string trigger = "release") {
  Plan made;
  made.version = "v1.2.3";
  made.image_set = "r.io/me/app-{cell}";
  made.cells = {{.key = "cpu", .image = "r.io/me/app-cpu"}};
  made.policy.fresh = fresh;
  made.policy.cache_write = cache_write;
  made.policy.push = trigger != kPullRequestTrigger;
  made.policy.trigger = std::move(trigger);
  return made;
}

/// What `load` makes of these options.
config::Loaded given(const std::vector<std::pair<std::string, std::string>>& options,
                     config::OriginKind kind = config::OriginKind::command_line) {
  std::vector<config::Given> list;
  for (const auto& [name, value] : options) list.push_back({name, value, {kind, {}, "--" + name}});
  auto loaded = config::load(std::nullopt, list);
  EXPECT_TRUE(loaded) << describe(loaded.error());
  return *std::move(loaded);
}

std::string refusal(const Plan& plan, const config::Loaded& loaded) {
  const auto agreed = require_agreement(plan, loaded);
  if (agreed) return "agreed";
  EXPECT_EQ(agreed.error().code, ErrorCode::bad_input);
  EXPECT_FALSE(agreed.error().hint.empty());
  return agreed.error().message;
}

TEST(Agreement, HoldsWhereNothingOrTheSameIsGiven) {
  EXPECT_EQ(refusal(plan(true, false), given({})), "agreed");
  EXPECT_EQ(
      refusal(plan(true, false),
              given({{"fresh", "true"}, {"cache-write", "false"}, {"version-value", "v1.2.3"}, {"to", "r.io/me/"}})),
      "agreed");
}

TEST(Agreement, KnowsAPlanThatWatchesBases) {
  auto made = plan(false, true);
  made.policy.watch_base = true;
  EXPECT_EQ(refusal(made, given({{"fresh", "auto"}})), "agreed");
  EXPECT_THAT(refusal(made, given({{"fresh", "false"}})),
              HasSubstr("fresh: expected what the plan says, auto, found false"));
}

TEST(Agreement, RefusesAStageThatIsAskedForSomethingElse) {
  const auto made = plan(false, true);
  EXPECT_THAT(refusal(made, given({{"fresh", "true"}})),
              HasSubstr("fresh: expected what the plan says, false, found true"));
  EXPECT_THAT(refusal(made, given({{"fresh", "auto"}})),
              HasSubstr("fresh: expected what the plan says, false, found auto"));
  EXPECT_THAT(refusal(made, given({{"cache-write", "false"}})), HasSubstr("cache-write: expected what the plan says"));
  EXPECT_THAT(refusal(made, given({{"publish", "false"}})), HasSubstr("publish: expected what the plan says, true"));
  EXPECT_THAT(refusal(made, given({{"version-value", "v1.2.4"}})), HasSubstr("\"v1.2.3\", found \"v1.2.4\""));
  for (const char* to : {"r.io/other", "r.io/m", "localhost:5000", "oci", "oci:images"}) {
    const auto loaded = given({{"to", to}, {"image", "app-{cell}"}}, config::OriginKind::input);
    EXPECT_THAT(refusal(made, loaded), HasSubstr("to: expected what the plan says, \"r.io/me\", found \""));
  }
}

TEST(Agreement, RefusesSettingsOfThePlanOnTheCommandLineOfALaterStage) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"image", "x/y-{cell}"}, {"tags", "{version}"},    {"axes", "{a: [b]}"},           {"event", "push"},
      {"ref", "refs/tags/v1"}, {"scan-severity", "LOW"}, {"scan-ignore-unfixed", "true"}};
  for (const auto& row : rows) {
    EXPECT_THAT(refusal(plan(false, true), given({row})), HasSubstr(row.first)) << row.first;
    // A workflow may give the same inputs to all its stages.
    EXPECT_EQ(refusal(plan(false, true), given({row}, config::OriginKind::input)), "agreed") << row.first;
  }
  EXPECT_EQ(refusal(plan(false, true), given({{"test-timeout", "5m"}, {"build-target", "x"}, {"scan-timeout", "5m"}})),
            "agreed");
}

TEST(Agreement, DoesNotCompareWhatPullRequestRulesDecide) {
  const auto made = plan(true, false, std::string(kPullRequestTrigger));
  EXPECT_EQ(refusal(made, given({{"fresh", "false"}, {"cache-write", "true"}, {"publish", "false"}})), "agreed");
}

}  // namespace
}  // namespace crategate::pipeline
