// A scan's findings as text and as Markdown: what matters first, and never all ten thousand of them.
#include <algorithm>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "render/decisions.h"
#include "render/line.h"
#include "render/markdown.h"

namespace crategate::render {
namespace {

using pipeline::ScanFinding;
using pipeline::ScanResult;

constexpr std::size_t kMostRows = 50;
constexpr std::size_t kWidth = 60;

std::string short_text(std::string_view text) { return cut(one_line(text), kWidth); }

/// A secret or a setting has no version in which it is mended.
std::string fix_of(const ScanFinding& finding) {
  return finding.fixed.empty() && finding.kind == "vulnerability" ? "none" : short_text(finding.fixed);
}

std::size_t rows_of(const std::vector<ScanFinding>& findings) { return std::min(findings.size(), kMostRows); }

std::string rest(const std::vector<ScanFinding>& findings, const std::string& more) {
  if (findings.size() <= kMostRows) return {};
  return concat("… and ", findings.size() - kMostRows, " more: ", more);
}

std::string conclusion(const ScanResult& result) {
  const std::string scanner = concat(result.scanner, result.scanner_version.empty() ? "" : " ", result.scanner_version);
  return concat("scan of ", result.cell, ": ", to_string(result.verdict), ", ", counts_text(result.counts),
                " (threshold ", result.policy.severity,
                result.policy.ignore_unfixed ? ", findings without a fix left out" : "", "; ", scanner, ")");
}

}  // namespace

std::string scan_table(const ScanResult& result, const std::vector<ScanFinding>& findings, const std::string& more) {
  std::string text;
  if (!findings.empty()) {
    std::vector<std::vector<std::string>> rows = {
        {"severity", "id", "package", "installed", "fixed in", "where", "title"}};
    for (std::size_t i = 0; i < rows_of(findings); ++i) {
      const auto& finding = findings[i];
      rows.push_back({std::string(to_string(finding.severity)), short_text(finding.id), short_text(finding.package),
                      short_text(finding.installed), fix_of(finding), short_text(finding.target),
                      short_text(finding.title)});
    }
    for (const auto& line : align(rows)) text += concat(line, "\n");
    if (const auto more_line = rest(findings, more); !more_line.empty()) text += concat(one_line(more_line), "\n");
  }
  return concat(text, one_line(conclusion(result)), "\n");
}

std::string scan_markdown(const ScanResult& result, const std::vector<ScanFinding>& findings, const std::string& more) {
  std::string text = concat("### ", markdown_text(conclusion(result)), "\n\n");
  if (findings.empty()) return text;
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < rows_of(findings); ++i) {
    const auto& finding = findings[i];
    rows.push_back({std::string(to_string(finding.severity)), markdown_code(short_text(finding.id)),
                    markdown_code(short_text(finding.package)), markdown_code(short_text(finding.installed)),
                    markdown_code(fix_of(finding)), markdown_code(short_text(finding.target)),
                    markdown_text(short_text(finding.title))});
  }
  text += markdown_table({"Severity", "ID", "Package", "Installed", "Fixed in", "Where", "Title"}, rows);
  if (const auto more_line = rest(findings, more); !more_line.empty())
    text += concat("\n", markdown_text(more_line), "\n");
  return concat(text, "\n");
}

}  // namespace crategate::render
