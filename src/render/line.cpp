// Harmless lines, columns and cuts; widths in code points.
#include "render/line.h"

#include <algorithm>

#include "base/secret.h"
#include "base/strings.h"

namespace crategate::render {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0u) == 0x80u; }

}  // namespace

std::string one_line(std::string_view text) { return neutralise(redact(text)); }

std::size_t length(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

std::vector<std::string> align(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], length(row[i]));
  }
  std::vector<std::string> lines;
  lines.reserve(rows.size());
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      line.append(widths[i] - length(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string cut(std::string_view line, std::size_t width) {
  if (width == 0 || length(line) <= width) return std::string(line);
  std::size_t end = 0;
  for (std::size_t seen = 0; end < line.size(); ++end) {
    if (!is_continuation(line[end]) && ++seen == width) break;
  }
  return concat(line.substr(0, end), "…");
}

}  // namespace crategate::render
