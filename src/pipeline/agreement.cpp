#include "pipeline/agreement.h"

#include <string_view>
#include <utility>

#include "base/strings.h"

namespace crategate::pipeline {
namespace {

Failure disagreement(std::string_view setting, std::string_view planned, std::string_view given) {
  return fail(ErrorCode::bad_input, concat(setting, ": expected what the plan says, ", planned, ", found ", given),
              concat("Leave --", setting, " out, or give it to `crategate plan`, which decides it."));
}

}  // namespace

Result<void> require_agreement(const Plan& plan, const config::Configuration& configuration,
                               const config::Invocation& invocation) {
  const auto word = [](bool value) { return std::string_view(value ? "true" : "false"); };
  const auto differs = [](std::optional<bool> given, bool planned) { return given && *given != planned; };
  if (plan.policy.trigger != kPullRequestTrigger) {
    if (differs(invocation.fresh, plan.policy.fresh))
      return disagreement("fresh", word(plan.policy.fresh), word(*invocation.fresh));
    if (differs(invocation.cache_write, plan.policy.cache_write))
      return disagreement("cache-write", word(plan.policy.cache_write), word(*invocation.cache_write));
  }
  if (!invocation.publish && plan.policy.push) return disagreement("publish", "true", "false");
  const std::string& version = configuration.version.value;
  if (!version.empty() && version != plan.version)
    return disagreement("version-value", quoted(plan.version), quoted(version, 40));
  return {};
}

}  // namespace crategate::pipeline
