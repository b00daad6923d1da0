// The report as one table for a terminal or a log.
#include <algorithm>

#include "base/strings.h"
#include "render/columns.h"
#include "render/line.h"

namespace crategate::render {
namespace {

constexpr std::size_t kShortCommit = 12;
constexpr std::size_t kLeastColumns = 3;
constexpr std::string_view kReset = "\x1b[0m";

struct Paint {
  std::string_view word, code;
};
constexpr Paint kPaints[] = {{"passed", "\x1b[32m"},  {"failed", "\x1b[31m"}, {"cached", "\x1b[36m"},
                             {"running", "\x1b[33m"}, {"skipped", "\x1b[2m"}, {"pending", "\x1b[2m"}};

/// Colours the words of states between spaces; nothing else of the line is touched.
std::string painted(std::string line) {
  for (const auto& [word, code] : kPaints) {
    for (auto at = line.find(word); at != std::string::npos; at = line.find(word, at + 1)) {
      const bool starts = at > 0 && line[at - 1] == ' ';
      const auto end = at + word.size();
      if (!starts || (end < line.size() && line[end] != ' ')) continue;
      line.insert(end, kReset);
      line.insert(at, code);
      at = end + code.size();
    }
  }
  return line;
}

std::vector<std::vector<std::string>> rows_of(const Report& report) {
  std::vector<std::vector<std::string>> rows(1, {"cell"});
  for (const auto& column : stage_columns()) rows[0].emplace_back(column.title);
  rows[0].emplace_back("image");
  for (const auto& cell : report.cells) {
    std::vector<std::string> row = {one_line(cell.key)};
    for (const auto& column : stage_columns()) row.push_back(stage_text(cell, column));
    row.push_back(short_digest(cell));
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<std::string> fitting(std::vector<std::vector<std::string>> rows, std::size_t width) {
  auto lines = align(rows);
  const auto is_wide = [width](const std::string& line) { return length(line) > width; };
  while (width > 0 && rows[0].size() > kLeastColumns && std::any_of(lines.begin(), lines.end(), is_wide)) {
    for (auto& row : rows) row.pop_back();
    lines = align(rows);
  }
  return lines;
}

/// Nothing for a stage of which nothing is known.
std::string stage_line(std::string_view title, const StageReport& stage) {
  if (stage.state == StageState::pending) return {};
  const std::string time = stage.duration_ms > 0 ? concat(" ", format_duration(stage.duration_ms)) : std::string();
  return concat("  ", title, " ", to_string(stage.state), time);
}

/// Of a base that has moved, or may have.
std::string base_text(const pipeline::Cell& cell) {
  if (cell.base_moved_from == pipeline::kUnknownBase) {
    return concat("for nobody could tell whether its base ", cell.base, " has moved");
  }
  return concat("for its base ", cell.base, " has moved from ", cell.base_moved_from,
                cell.base_digest ? concat(" to ", cell.base_digest->text()) : std::string());
}

std::vector<std::string> lines_below(const Report& report) {
  std::vector<std::string> lines;
  for (const auto& cell : report.cells) {
    if (!cell.failure.empty()) lines.push_back(concat(cell.key, ": ", cell.failure));
  }
  if (!report.failure.empty()) lines.push_back(report.failure);
  for (const auto& cell : report.plan.cells) {
    if (!cell.base_moved_from.empty()) lines.push_back(concat(cell.key, ": built fresh, ", base_text(cell)));
  }
  for (const auto* moves : {&report.published, &report.moved}) {
    for (const auto& move : *moves) lines.push_back(move_text(move));
  }
  for (const auto& written : report.written) lines.push_back(concat("wrote ", written));
  return lines;
}

}  // namespace

std::string terminal_table(const Report& report, bool color, std::size_t width) {
  const auto& plan = report.plan;
  const std::string commit =
      plan.commit.empty() ? std::string() : concat("  commit ", plan.commit.substr(0, kShortCommit));
  std::string text = concat(cut(one_line(concat(plan.version, "  ", plan.event, " ", plan.ref, commit)), width), "\n");
  const auto stages = cut(stage_line("check", report.check) + stage_line("generate", report.generate), width);
  if (!stages.empty()) text += concat("\n", color ? painted(stages) : stages, "\n");
  text += "\n";
  for (const auto& line : fitting(rows_of(report), width)) {
    const auto shown = cut(line, width);
    text += concat(color ? painted(shown) : shown, "\n");
  }
  text += "\n";
  for (const auto& line : lines_below(report)) text += concat(cut(one_line(line), width), "\n");
  const std::string time = report.duration_ms > 0 ? concat(" in ", format_duration(report.duration_ms)) : std::string();
  return concat(text, cut(one_line(concat(report.verdict, time)), width), "\n");
}

}  // namespace crategate::render
