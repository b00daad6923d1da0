// Making a tool's text harmless for terminals and for the parser of workflow commands.
// Characters are removed first and prefixes broken up afterwards, so that removing cannot put a prefix together.
#include "base/strings.h"
#include "base/utf8.h"

namespace crategate {
namespace {

constexpr char32_t kEscape = 0x1B, kCsi = 0x9B;

bool is_space(char32_t c) {
  return c == ' ' || (c >= 0x09 && c <= 0x0D) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/// Tabs and whatever a viewer may take for the end of a line.
bool is_break(char32_t c) { return (c >= 0x09 && c <= 0x0D) || c == 0x85 || c == 0x2028 || c == 0x2029; }

/// The end of a control sequence (ECMA-48 §5.4) whose parameters start at `i`.
std::size_t after_csi(std::string_view line, std::size_t i) {
  while (i < line.size() && line[i] >= 0x20 && line[i] < 0x40) ++i;
  return i < line.size() && line[i] >= 0x40 && line[i] < 0x7F ? i + 1 : i;
}

/// The end of an operating system command: BEL or ESC \; without one only the introducer is dropped.
std::size_t after_osc(std::string_view line, std::size_t i) {
  const std::size_t end = line.find_first_of("\x07\x1B", i);
  if (end == std::string_view::npos) return i;
  if (line[end] == '\x07') return end + 1;
  return line.substr(end + 1, 1) == "\\" ? end + 2 : i;
}

std::size_t after_escape(std::string_view line, std::size_t i) {
  if (i >= line.size()) return i;
  if (line[i] == '[') return after_csi(line, i + 1);
  if (line[i] == ']') return after_osc(line, i + 1);
  while (i < line.size() && line[i] >= 0x20 && line[i] < 0x30) ++i;
  return i < line.size() && line[i] >= 0x30 && line[i] < 0x7F ? i + 1 : i;
}

std::string visible_text(std::string_view line) {
  std::string text;
  text.reserve(line.size());
  for (std::size_t i = 0; i < line.size();) {
    const CodePoint point = code_point_at(line, i);
    const std::string_view bytes = line.substr(i, point.length);
    i += point.length;
    if (!point.valid) {
      text += "\xEF\xBF\xBD";
    } else if (point.value == kEscape) {
      i = after_escape(line, i);
    } else if (point.value == kCsi) {
      i = after_csi(line, i);
    } else if (is_break(point.value)) {
      text += ' ';
    } else if (!is_control(point.value) && !is_invisible(point.value)) {
      text += bytes;
    }
  }
  return text;
}

std::size_t first_non_space(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    const CodePoint point = code_point_at(text, i);
    if (!is_space(point.value)) break;
    i += point.length;
  }
  return i;
}

}  // namespace

std::string neutralise(std::string_view line) {
  std::string text = replace_all(visible_text(line), "##[", "## [");
  const std::size_t start = first_non_space(text);
  if (text.compare(start, 2, "::") == 0) text.insert(start + 1, " ");
  return text;
}

}  // namespace crategate
