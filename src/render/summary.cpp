// The report as the job summary.
#include "base/strings.h"
#include "render/columns.h"
#include "render/markdown.h"

namespace crategate::render {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string mark(StageState state) {
  switch (state) {
    case StageState::passed:
    case StageState::cached:
      return "✅ ";
    case StageState::failed:
      return "❌ ";
    case StageState::pending:
    case StageState::running:
    case StageState::skipped:
      break;
  }
  return {};
}

std::string facts_of(const Report& report) {
  const auto& plan = report.plan;
  Rows rows = {{"version", markdown_code(plan.version)},
               {"event", markdown_code(concat(plan.event, " ", plan.ref))},
               {"commit", markdown_code(plan.commit.empty() ? "none" : plan.commit)},
               {"plan", markdown_code(plan.plan_id)}};
  const std::pair<std::string_view, const StageReport*> stages[] = {{"check", &report.check},
                                                                    {"generate", &report.generate}};
  for (const auto& [title, stage] : stages) {
    if (stage->state == StageState::pending) continue;  // nothing is known of it
    const std::string time = stage->duration_ms > 0 ? concat(" ", format_duration(stage->duration_ms)) : std::string();
    rows.push_back({std::string(title), concat(mark(stage->state), to_string(stage->state), time)});
  }
  if (!report.started_at.empty()) {
    rows.push_back({"time", concat(markdown_code(report.started_at), " to ", markdown_code(report.finished_at))});
  }
  return markdown_table({"Fact", "Value"}, rows);
}

std::string cells_of(const Report& report) {
  if (report.cells.empty()) return {};
  std::vector<std::string> header = {"Cell"};
  for (const auto& column : stage_columns()) header.emplace_back(column.title);
  header.emplace_back("Tested image");
  Rows rows;
  for (const auto& cell : report.cells) {
    std::vector<std::string> row = {markdown_code(cell.key)};
    for (const auto& column : stage_columns()) {
      row.push_back(concat(mark((cell.*column.stage).state), stage_text(cell, column)));
    }
    row.push_back(cell.record ? markdown_code(short_digest(cell)) : std::string());
    rows.push_back(std::move(row));
  }
  return concat("\n### Cells\n\n", markdown_table(header, rows));
}

std::string tags_of(std::string_view heading, const std::vector<pipeline::TagMove>& moves) {
  if (moves.empty()) return {};
  Rows rows;
  for (const auto& move : moves) {
    rows.push_back({markdown_code(concat(move.repository, ":", move.tag)),
                    move.from ? markdown_code(move.from->text()) : std::string("absent"),
                    move.needed ? markdown_code(move.to.text()) : std::string("unchanged"), markdown_text(move.note)});
  }
  return concat("\n### ", heading, "\n\n", markdown_table({"Tag", "From", "To", "Note"}, rows));
}

std::string windows_of(const Report& report) {
  const auto text = windows_text(report.windows);
  return text.empty() ? text : concat("\nTags were ", markdown_text(text), ".\n");
}

std::string failures_of(const Report& report) {
  std::string text;
  for (const auto& cell : report.cells) {
    if (!cell.failure.empty()) text += concat("- ", markdown_code(cell.key), " ", markdown_text(cell.failure), "\n");
  }
  if (!report.failure.empty()) text += concat("- ", markdown_text(report.failure), "\n");
  return text.empty() ? text : concat("\n### Failures\n\n", text);
}

std::string notes_of(std::string_view heading, const std::vector<std::string>& notes) {
  if (notes.empty()) return {};
  std::string text = concat("\n### ", heading, "\n\n");
  for (const auto& note : notes) text += concat("- ", markdown_text(note), "\n");
  return text;
}

}  // namespace

std::string markdown_summary(const Report& report) {
  return concat("## crategate: ", markdown_text(report.verdict), "\n\n", facts_of(report), failures_of(report),
                cells_of(report), tags_of("Version tags", report.published), tags_of("Moving tags", report.moved),
                windows_of(report), notes_of("Warnings", report.plan.policy.warnings),
                notes_of("Reasons", report.plan.policy.reasons), notes_of("Written", report.written));
}

}  // namespace crategate::render
