#include "pipeline/agreement.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/strings.h"

namespace crategate::pipeline {
namespace {

constexpr std::string_view kDecided[] = {"axes",
                                         "exclude",
                                         "include",
                                         "cell",
                                         "image",
                                         "cache",
                                         "tags",
                                         "candidate",
                                         "version.value",
                                         "watch",
                                         "generate.output",
                                         "policy",
                                         "release.set",
                                         "dependencies",
                                         "test.log",
                                         "scan.severity",
                                         "scan.ignore-unfixed"};

/// The event that was planned for.
constexpr std::string_view kEvent[] = {"event", "ref", "ref-type", "payload", "sha", "base-ref", "rebuild-base"};

Failure disagreement(std::string_view setting, std::string_view planned, std::string_view given) {
  return fail(ErrorCode::bad_input, concat(setting, ": expected what the plan says, ", planned, ", found ", given),
              concat("Leave --", setting, " out, or give it to `crategate plan`, which decides it."));
}

Result<void> refuse_decided_settings(const std::vector<config::InForce>& settings) {
  for (const auto& row : settings) {
    if (row.origin.kind != config::OriginKind::command_line || !is_decided_by_plan(*row.setting)) continue;
    if (row.setting->name == "version.value") continue;  // compared with the plan's version
    return fail(ErrorCode::bad_input,
                concat(row.origin.name, ": expected only what this stage decides, found a setting of the plan"),
                concat("Give ", row.origin.name, " to `crategate plan`, and run this stage with that plan."));
  }
  return {};
}

using config::Fresh;

Fresh planned_fresh(const Policy& policy) {
  if (policy.watch_base) return Fresh::automatic;
  return policy.fresh ? Fresh::yes : Fresh::no;
}

std::string_view word(bool value) { return value ? "true" : "false"; }
std::string_view word(Fresh fresh) { return fresh == Fresh::automatic ? "auto" : word(fresh == Fresh::yes); }

bool goes_to(const Plan& plan, std::string_view to) {
  if (to == "oci" || to.starts_with("oci:")) return plan.layout;
  if (to.ends_with('/')) to.remove_suffix(1);
  const std::string prefix = concat(to, "/");
  return !plan.layout && std::all_of(plan.cells.begin(), plan.cells.end(),
                                     [&](const Cell& cell) { return cell.image.starts_with(prefix); });
}

/// What `--to` was when it was planned.
std::string place_of(const Plan& plan, std::string_view image) {
  if (plan.layout) return "oci";
  if (plan.image_set == image) return "none";
  const std::string_view place = plan.image_set;
  const std::string end = concat("/", image);
  return quoted(place.ends_with(end) ? place.substr(0, place.size() - end.size()) : place);
}

}  // namespace

bool is_decided_by_plan(const config::Setting& setting) {
  if (!setting.file) return std::find(std::begin(kEvent), std::end(kEvent), setting.name) != std::end(kEvent);
  return std::find(std::begin(kDecided), std::end(kDecided), setting.name) != std::end(kDecided);
}

Result<void> require_agreement(const Plan& plan, const config::Loaded& loaded) {
  const config::Invocation& invocation = loaded.invocation;
  const auto differs = [](std::optional<bool> given, bool planned) { return given && *given != planned; };
  if (plan.policy.trigger != kPullRequestTrigger) {
    const Fresh planned = planned_fresh(plan.policy);
    if (invocation.fresh && *invocation.fresh != planned)
      return disagreement("fresh", word(planned), word(*invocation.fresh));
    if (differs(invocation.cache_write, plan.policy.cache_write))
      return disagreement("cache-write", word(plan.policy.cache_write), word(*invocation.cache_write));
  }
  if (!invocation.publish && plan.policy.push) return disagreement("publish", "true", "false");
  if (!invocation.to.empty() && !goes_to(plan, invocation.to)) {
    return disagreement("to", place_of(plan, loaded.configuration.image), quoted(invocation.to));
  }
  const std::string& version = loaded.configuration.version.value;
  if (!version.empty() && version != plan.version)
    return disagreement("version-value", quoted(plan.version), quoted(version, 40));
  return refuse_decided_settings(loaded.in_force);
}

}  // namespace crategate::pipeline
