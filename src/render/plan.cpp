// The plan and its policy for people.
#include "base/strings.h"
#include "json/value.h"
#include "render/decisions.h"
#include "render/line.h"
#include "render/markdown.h"

namespace crategate::render {
namespace {

using Rows = std::vector<std::vector<std::string>>;

constexpr std::size_t kShortCommit = 12;

std::string yes_no(bool value) { return value ? "yes" : "no"; }

Rows policy_rows(const pipeline::Policy& policy) {
  return {{"runs", yes_no(policy.should_run)},
          {"trigger", policy.trigger},
          {"fresh", policy.watch_base ? "where the base image has moved" : yes_no(policy.fresh)},
          {"cache read", yes_no(policy.cache_read)},
          {"cache write",
           policy.refresh_cache && !policy.cache_write ? "where the base image has moved" : yes_no(policy.cache_write)},
          {"candidate", policy.candidate ? "stored by digest" : "no"},
          {"push", policy.push ? "after the gate" : "no"},
          {"latest", policy.latest ? "after all pushes" : "no"}};
}

Rows plan_rows(const pipeline::Plan& plan) {
  return {{"event", plan.event},
          {"ref", plan.ref},
          {"version", concat(plan.version, plan.is_prerelease ? " (pre-release)" : "")},
          {"commit", plan.commit.empty() ? "none" : plan.commit.substr(0, kShortCommit)},
          {"plan", plan.plan_id},
          {"images", plan.layout ? "to an OCI layout" : "to their registry"},
          {"cells", concat(plan.cells.size())}};
}

std::string lines_of(const Rows& rows) {
  Rows safe;
  for (const auto& row : rows) {
    std::vector<std::string> cells;
    for (const auto& cell : row) cells.push_back(one_line(cell));
    safe.push_back(std::move(cells));
  }
  std::string text;
  for (const auto& line : align(safe)) text += concat(line, "\n");
  return text;
}

std::string notes_of(std::string_view word, const std::vector<std::string>& notes) {
  std::string text;
  for (const auto& note : notes) text += concat(word, ": ", one_line(note), "\n");
  return text;
}

std::string tags_of(const pipeline::Cell& cell) {
  std::vector<std::string> names;
  for (const auto& tag : cell.tags) names.push_back(concat(cell.image, ":", tag));
  return join(names, " ");
}

std::string markdown_notes(std::string_view heading, const std::vector<std::string>& notes) {
  if (notes.empty()) return {};
  std::string text = concat("\n**", heading, "**\n\n");
  for (const auto& note : notes) text += concat("- ", markdown_text(note), "\n");
  return text;
}

std::string base_of(const pipeline::Cell& cell) {
  if (cell.base.empty()) return {};
  std::string name = markdown_code(cell.base);
  if (cell.base_moved_from.empty()) return name;
  const bool is_unknown = cell.base_moved_from == pipeline::kUnknownBase;
  return concat(name, is_unknown ? " may have moved" : " has moved", ": built fresh");
}

std::string markdown_cells(const pipeline::Plan& plan) {
  if (plan.cells.empty()) return {};
  Rows rows;
  for (const auto& cell : plan.cells) {
    rows.push_back(
        {markdown_code(cell.key), markdown_code(tags_of(cell)), markdown_code(cell.platform.text()), base_of(cell)});
  }
  return "\n" + markdown_table({"Cell", "Image", "Platform", "Base"}, rows);
}

}  // namespace

std::string policy_table(const pipeline::Policy& policy) {
  return lines_of(policy_rows(policy)) + notes_of("reason", policy.reasons) + notes_of("warning", policy.warnings);
}

std::string policy_table(const pipeline::Plan& plan) {
  Rows cells;
  for (const auto& cell : plan.cells)
    cells.push_back({concat("  ", cell.key), tags_of(cell), cell.base_moved_from.empty() ? "" : "fresh"});
  return lines_of(plan_rows(plan)) + lines_of(cells) + policy_table(plan.policy);
}

std::string plan_summary_markdown(const pipeline::Plan& plan) {
  Rows facts;
  for (const auto& row : plan_rows(plan)) facts.push_back({row[0], markdown_code(row[1])});
  for (const auto& row : policy_rows(plan.policy)) facts.push_back({row[0], row[1]});
  return concat("## Plan\n\n", markdown_table({"Fact", "Value"}, facts), markdown_notes("Reasons", plan.policy.reasons),
                markdown_notes("Warnings", plan.policy.warnings), markdown_cells(plan));
}

std::string policy_json(const pipeline::Policy& policy) {
  return json::Value::object({{"should_run", policy.should_run},
                              {"fresh", policy.fresh},
                              {"watch_base", policy.watch_base},
                              {"cache_read", policy.cache_read},
                              {"cache_update", policy.cache_write},
                              {"push", policy.push},
                              {"latest", policy.latest},
                              {"rebuild_flag", policy.rebuild_flag},
                              {"trigger", policy.trigger},
                              {"reasons", json::Value::array_of(policy.reasons)},
                              {"warnings", json::Value::array_of(policy.warnings)}})
      .pretty();
}

}  // namespace crategate::render
