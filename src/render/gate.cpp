// The verdict as text and as Markdown.
#include <algorithm>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "json/value.h"
#include "render/decisions.h"
#include "render/line.h"
#include "render/markdown.h"

namespace crategate::render {
namespace {

std::string_view ruling(const pipeline::CellVerdict& cell) { return cell.admitted ? "admitted" : "refused"; }

std::size_t admitted_count(const pipeline::Verdict& verdict) {
  std::size_t count = 0;
  for (const auto& cell : verdict.cells) count += cell.admitted ? 1 : 0;
  return count;
}

/// How many of what differs.
std::size_t shown(const pipeline::Finding& finding) {
  constexpr std::size_t kMostDetails = 20;
  return std::min(finding.details.size(), kMostDetails);
}

std::string conclusion(const pipeline::Verdict& verdict) {
  const std::string counts = concat(admitted_count(verdict), " of ", verdict.cells.size(), " cells admitted");
  return concat(counts, verdict.admitted() ? "" : ": nothing is published");
}

std::string finding_text(const pipeline::Finding& finding) {
  std::string text = concat("  ", pipeline::to_string(finding.reason), "\n    expected  ", one_line(finding.expected),
                            "\n    found     ", one_line(finding.found), "\n");
  for (std::size_t i = 0; i < shown(finding); ++i) text += concat("    differs   ", one_line(finding.details[i]), "\n");
  if (const std::size_t more = finding.details.size() - shown(finding); more > 0)
    text += concat("    differs   … and ", more, " more; --json has all\n");
  return concat(text, "    remedy    ", one_line(finding.remedy), "\n    help      ",
                pipeline::help_address(finding.reason), "\n");
}

std::string reason_link(pipeline::Reason reason) {
  return concat("[", pipeline::to_string(reason), "](", pipeline::help_address(reason), ")");
}

std::string found_markdown(const pipeline::Finding& finding) {
  std::string text = markdown_code(finding.found);
  for (std::size_t i = 0; i < shown(finding); ++i) text += concat("<br>", markdown_code(finding.details[i]));
  if (const std::size_t more = finding.details.size() - shown(finding); more > 0)
    text += concat("<br>and ", more, " more");
  return text;
}

}  // namespace

std::string gate_table(const pipeline::Verdict& verdict) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& cell : verdict.cells) {
    rows.push_back(
        {one_line(cell.cell), std::string(ruling(cell)),
         cell.findings.empty() ? std::string() : std::string(pipeline::to_string(cell.findings.front().reason))});
  }
  const auto lines = align(rows);
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    text += concat(lines[i], "\n");
    for (const auto& finding : verdict.cells[i].findings) {
      text += finding_text(finding);
    }
  }
  return concat(text, "gate: ", conclusion(verdict), "\n");
}

std::string gate_markdown(const pipeline::Verdict& verdict) {
  std::string text = concat("### Gate\n\n", conclusion(verdict), "\n\n");
  std::vector<std::vector<std::string>> rows;
  for (const auto& cell : verdict.cells) {
    if (cell.findings.empty()) rows.push_back({markdown_code(cell.cell), std::string(ruling(cell)), "", "", ""});
    for (const auto& finding : cell.findings) {
      rows.push_back({markdown_code(cell.cell), concat(ruling(cell), ": ", reason_link(finding.reason)),
                      markdown_code(finding.expected), found_markdown(finding), markdown_text(finding.remedy)});
    }
  }
  return text + markdown_table({"Cell", "Ruling", "Expected", "Found", "Remedy"}, rows);
}

std::string gate_json(const pipeline::Verdict& verdict) {
  std::vector<json::Value> cells;
  for (const auto& cell : verdict.cells) {
    std::vector<json::Value> findings;
    for (const auto& finding : cell.findings) {
      findings.push_back(json::Value::object({{"reason", pipeline::to_string(finding.reason)},
                                              {"expected", finding.expected},
                                              {"found", finding.found},
                                              {"details", json::Value::array_of(finding.details)},
                                              {"remedy", finding.remedy},
                                              {"help", pipeline::help_address(finding.reason)}}));
    }
    cells.push_back(json::Value::object(
        {{"cell", cell.cell}, {"admitted", cell.admitted}, {"findings", json::Value::array(std::move(findings))}}));
  }
  return json::Value::object({{"admitted", verdict.admitted()}, {"cells", json::Value::array(std::move(cells))}})
      .pretty();
}

}  // namespace crategate::render
