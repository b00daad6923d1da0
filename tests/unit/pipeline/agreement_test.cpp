#include "pipeline/agreement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace crategate::pipeline {
namespace {

using testing::HasSubstr;

Plan plan(bool fresh, bool cache_write, std::string trigger = "release") {
  Plan made;
  made.version = "v1.2.3";
  made.policy.fresh = fresh;
  made.policy.cache_write = cache_write;
  made.policy.push = trigger != kPullRequestTrigger;
  made.policy.trigger = std::move(trigger);
  return made;
}

std::string refusal(const Plan& plan, const config::Configuration& configuration,
                    const config::Invocation& invocation) {
  const auto agreed = require_agreement(plan, configuration, invocation);
  if (agreed) return "agreed";
  EXPECT_EQ(agreed.error().code, ErrorCode::bad_input);
  return agreed.error().message;
}

TEST(Agreement, HoldsWhereNothingOrTheSameIsGiven) {
  config::Configuration configuration;
  EXPECT_EQ(refusal(plan(true, false), configuration, {}), "agreed");
  configuration.version.value = "v1.2.3";
  EXPECT_EQ(refusal(plan(true, false), configuration, {.fresh = true, .cache_write = false}), "agreed");
}

TEST(Agreement, RefusesAStageThatIsAskedForSomethingElse) {
  config::Configuration other;
  other.version.value = "v1.2.4";
  const auto made = plan(false, true);
  EXPECT_THAT(refusal(made, {}, {.fresh = true}), HasSubstr("fresh: expected what the plan says, false, found true"));
  EXPECT_THAT(refusal(made, {}, {.cache_write = false}), HasSubstr("cache-write: expected what the plan says, true"));
  EXPECT_THAT(refusal(made, {}, {.publish = false}), HasSubstr("publish: expected what the plan says, true"));
  EXPECT_THAT(refusal(made, other, {}), HasSubstr("\"v1.2.3\", found \"v1.2.4\""));
}

TEST(Agreement, DoesNotCompareWhatPullRequestRulesDecide) {
  const auto made = plan(true, false, std::string(kPullRequestTrigger));
  EXPECT_EQ(refusal(made, {}, {.fresh = false, .cache_write = true, .publish = false}), "agreed");
}

}  // namespace
}  // namespace crategate::pipeline
