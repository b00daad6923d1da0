// plan.json, schema 1: canonical writing, strict reading.
// Belongs here: the document's shape and its identity.  Not here: what the values mean (plan).
#include <utility>

#include "base/strings.h"
#include "pipeline/document.h"
#include "pipeline/plan.h"

namespace crategate::pipeline {
namespace {

using json::Reader;
using json::Value;

constexpr std::string_view kHint = "Make it again with `crategate plan`; a plan is never edited by hand.";

Value policy_value(const Policy& policy) {
  auto value = Value::object({{"should_run", policy.should_run},
                              {"fresh", policy.fresh},
                              {"cache_read", policy.cache_read},
                              {"cache_write", policy.cache_write},
                              {"push", policy.push},
                              {"candidate", policy.candidate},
                              {"latest", policy.latest},
                              {"rebuild_flag", policy.rebuild_flag},
                              {"trigger", policy.trigger},
                              {"reasons", Value::array_of(policy.reasons)},
                              {"warnings", Value::array_of(policy.warnings)}});
  if (policy.watch_base) value.set("watch_base", true);
  if (policy.refresh_cache) value.set("refresh_cache", true);
  return value;
}

Value cell_value(const Plan& plan, const Cell& cell) {
  auto value = Value::object({{"key", cell.key},
                              {"axes", Value::object_of(cell.axes)},
                              {"variables", Value::object_of(cell.variables)},
                              {"base", cell.base},
                              {"image", cell.image},
                              {"candidate", cell.candidate},
                              {"tags", Value::array_of(cell.tags)},
                              {"cache", cell.cache},
                              {"dockerfile", cell.dockerfile},
                              {"log", cell.log},
                              {"platform", cell.platform.text()},
                              {"fresh", plan.is_fresh(cell)},
                              {"cache_read", plan.reads_cache(cell)},
                              {"cache_write", plan.writes_cache(cell)}});
  if (cell.base_digest) value.set("base_digest", cell.base_digest->text());
  if (!cell.base_moved_from.empty()) value.set("base_moved_from", cell.base_moved_from);
  return value;
}

Value content_of(const Plan& plan) {
  std::vector<Value> cells;
  cells.reserve(plan.cells.size());
  for (const auto& cell : plan.cells) cells.push_back(cell_value(plan, cell));
  Value content = Value::object({{"schema", kSchema},
                                 {"event", plan.event},
                                 {"ref", plan.ref},
                                 {"tag", plan.tag},
                                 {"commit", plan.commit},
                                 {"head_commit", plan.head_commit},
                                 {"version", plan.version},
                                 {"is_prerelease", plan.is_prerelease},
                                 {"version_released", plan.version_released},
                                 {"layout", plan.layout},
                                 {"image_set", plan.image_set},
                                 {"labels", Value::object_of(plan.labels)},
                                 {"policy", policy_value(plan.policy)},
                                 {"cells", Value::array(std::move(cells))}});
  if (!plan.release_set.empty()) content.set("release_set", plan.release_set);
  if (plan.rebuild) content.set("rebuild", to_string(*plan.rebuild));
  if (plan.scan)
    content.set("scan",
                Value::object({{"severity", plan.scan->severity}, {"ignore_unfixed", plan.scan->ignore_unfixed}}));
  return content;
}

/// Absent is false.
Result<bool> read_flag(const Reader& from, std::string_view key) {
  CG_TRY(const auto member, from.find(key));
  return member ? from.boolean(key) : Result<bool>(false);
}

Result<Policy> read_policy(const Reader& from) {
  Policy policy;
  CG_TRY(policy.should_run, from.boolean("should_run"));
  CG_TRY(policy.fresh, from.boolean("fresh"));
  CG_TRY(policy.cache_read, from.boolean("cache_read"));
  CG_TRY(policy.cache_write, from.boolean("cache_write"));
  CG_TRY(policy.push, from.boolean("push"));
  CG_TRY(policy.candidate, from.boolean("candidate"));
  CG_TRY(policy.latest, from.boolean("latest"));
  CG_TRY(policy.rebuild_flag, from.boolean("rebuild_flag"));
  CG_TRY(policy.trigger, from.string("trigger"));
  CG_TRY(policy.reasons, from.strings("reasons"));
  CG_TRY(policy.warnings, from.strings("warnings"));
  CG_TRY(policy.watch_base, read_flag(from, "watch_base"));
  CG_TRY(policy.refresh_cache, read_flag(from, "refresh_cache"));
  return policy;
}

Result<Cell> read_cell(const Reader& from) {
  Cell cell;
  CG_TRY(cell.key, from.string("key"));
  CG_TRY(cell.axes, from.string_map("axes"));
  CG_TRY(cell.variables, from.string_map("variables"));
  CG_TRY(cell.base, from.string("base"));
  CG_TRY(cell.image, from.string("image"));
  CG_TRY(cell.candidate, from.string("candidate"));
  CG_TRY(cell.tags, from.strings("tags"));
  if (cell.tags.empty()) {  // moving tags follow them: without one they would follow nothing
    CG_TRY(const auto tags, from.at("tags"));
    return tags.expected("at least one tag");
  }
  CG_TRY(cell.cache, from.string("cache"));
  CG_TRY(cell.dockerfile, from.string("dockerfile"));
  CG_TRY(cell.log, from.string("log"));
  CG_TRY(cell.platform, platform_at(from));
  CG_TRY(const auto base_digest, from.find("base_digest"));
  if (base_digest) {
    CG_TRY(cell.base_digest, digest_from(*base_digest));
  }
  CG_TRY(cell.base_moved_from, from.string_or("base_moved_from", ""));
  return cell;
}

Result<std::optional<ScanPolicy>> read_scan_policy(const Reader& from) {
  CG_TRY(const auto member, from.find("scan"));
  if (!member) return std::nullopt;
  ScanPolicy policy;
  CG_TRY(policy.severity, member->string("severity"));
  CG_TRY(policy.ignore_unfixed, member->boolean("ignore_unfixed"));
  if (policy.severity == "none" || parse_severity(policy.severity)) return policy;
  CG_TRY(const auto severity, member->at("severity"));
  return severity.expected("a severity or none");
}

Result<std::optional<Rebuild>> read_rebuild(const Reader& from) {
  CG_TRY(const auto member, from.find("rebuild"));
  if (!member) return std::nullopt;
  CG_TRY(const auto word, member->as_string());
  for (const auto rebuild : {Rebuild::strict, Rebuild::content}) {
    if (to_string(rebuild) == word) return rebuild;
  }
  return member->expected("strict or content");
}

Result<Plan> read_plan(const Reader& from) {
  Plan plan;
  CG_TRY(plan.plan_id, from.string("plan_id"));
  CG_TRY(plan.event, from.string("event"));
  CG_TRY(plan.ref, from.string("ref"));
  CG_TRY(plan.tag, from.string("tag"));
  CG_TRY(plan.commit, from.string("commit"));
  CG_TRY(plan.head_commit, from.string("head_commit"));
  CG_TRY(plan.version, from.string("version"));
  CG_TRY(plan.is_prerelease, from.boolean("is_prerelease"));
  CG_TRY(plan.version_released, from.boolean("version_released"));
  CG_TRY(plan.layout, from.boolean("layout"));
  CG_TRY(plan.image_set, from.string("image_set"));
  CG_TRY(plan.release_set, from.string_or("release_set", ""));
  CG_TRY(plan.labels, from.string_map("labels"));
  CG_TRY(const auto policy, from.at("policy"));
  CG_TRY(plan.policy, read_policy(policy));
  CG_TRY(plan.scan, read_scan_policy(from));
  CG_TRY(plan.rebuild, read_rebuild(from));
  CG_TRY(const auto cells, from.at("cells"));
  CG_TRY(const auto items, cells.items());
  for (const auto& item : items) {
    CG_TRY(auto cell, read_cell(item));
    plan.cells.push_back(std::move(cell));
  }
  return plan;
}

Value plan_value(const Plan& plan) { return content_of(plan).set("plan_id", plan.plan_id); }

}  // namespace

std::string_view to_string(Rebuild rebuild) { return rebuild == Rebuild::strict ? "strict" : "content"; }

std::string plan_id_of(const Plan& plan) { return oci::Digest::of(content_of(plan).canonical()).text(); }

std::string to_json(const Plan& plan) { return plan_value(plan).canonical() + "\n"; }

Result<Plan> parse_plan(std::string_view text, std::string_view file_name) {
  CG_TRY(auto plan, parse_document(text, file_name, read_plan, plan_value, kHint));
  if (const auto id = plan_id_of(plan); id != plan.plan_id) {
    return fail(ErrorCode::bad_input,
                concat(file_name, ": plan_id: expected ", id, " for this content, found ", quoted(plan.plan_id)),
                std::string(kHint));
  }
  return plan;
}

}  // namespace crategate::pipeline
