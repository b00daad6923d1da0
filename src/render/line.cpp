// Harmless lines, columns and cuts; widths in code points.
#include "render/line.h"

#include <algorithm>

#include "base/secret.h"
#include "base/strings.h"
#include "base/utf8.h"

namespace crategate::render {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0u) == 0x80u; }

/// One escape of JSON, or a pair of them.
std::string json_escape(char32_t point) {
  const auto unit = [](char32_t value) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    return concat("\\u", kDigits[value >> 12 & 15], kDigits[value >> 8 & 15], kDigits[value >> 4 & 15],
                  kDigits[value & 15]);
  };
  if (point < 0x10000) return unit(point);
  return unit(0xD800 + ((point - 0x10000) >> 10)) + unit(0xDC00 + ((point - 0x10000) & 0x3FF));
}

/// Whatever is not plain ASCII, and `##[`, can stand in strings only: there an escape means the same.
std::string escaped_json_line(std::string_view line) {
  std::string text;
  for (std::size_t i = 0; i < line.size();) {
    const CodePoint point = code_point_at(line, i);
    const bool plain = point.valid && point.value < 0x7F;
    text += plain ? std::string(line.substr(i, point.length)) : json_escape(point.valid ? point.value : 0xFFFD);
    i += point.length;
  }
  return replace_all(std::move(text), "##[", concat("#", json_escape('#'), "["));
}

}  // namespace

std::string one_line(std::string_view text) { return neutralise(redact(text)); }

std::string harmless_lines(std::string_view text) {
  std::vector<std::string> lines = split(redact(text), '\n');
  for (std::string& line : lines) line = neutralise(line);
  return join(lines, "\n");
}

std::string harmless_json(std::string_view json) {
  std::vector<std::string> lines = split(redact(json), '\n');
  for (std::string& line : lines) {
    if (neutralise(line) != line) line = escaped_json_line(line);
  }
  return join(lines, "\n");
}

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
