// Escaping by character references, which GitHub decodes after it has looked for markup.
#include "render/markdown.h"

#include <algorithm>

#include "base/strings.h"
#include "render/line.h"

namespace crategate::render {
namespace {

constexpr std::string_view kMarkup = "&<>|`*_[]\\~#@$";
constexpr std::string_view kZeroWidthSpace = "&#8203;";

std::string entity(char c) { return concat("&#", static_cast<int>(c), ";"); }

std::string entities(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_link = text.substr(i, 3) == "://";
    if (is_link || kMarkup.find(text[i]) != std::string_view::npos) {
      escaped += entity(text[i]);
    } else {
      escaped += text[i];
    }
  }
  return escaped;
}

/// The character that would begin a list, a rule or an underlined heading, if the line begins with one.
std::size_t block_marker(std::string_view line) {
  const auto at = line.find_first_not_of("0123456789 ");
  if (at == std::string_view::npos) return at;
  const bool is_number = line.find_first_of("0123456789") < at && (line[at] == '.' || line[at] == ')');
  const bool is_sign = trim(line.substr(0, at)).empty() && (line[at] == '-' || line[at] == '+' || line[at] == '=');
  return is_number || is_sign ? at : std::string_view::npos;
}

std::string row_of(const std::vector<std::string>& cells) { return concat("| ", join(cells, " | "), " |\n"); }

}  // namespace

std::string markdown_text(std::string_view text) {
  // GitHub looks for mentions and links in what the entities become: a zero-width space keeps them from forming.
  std::string escaped = entities(one_line(text));
  if (const auto at = block_marker(escaped); at != std::string::npos) escaped.replace(at, 1, entity(escaped[at]));
  escaped = replace_all(std::move(escaped), "&#64;", concat("&#64;", kZeroWidthSpace));
  return replace_all(std::move(escaped), "www.", concat("www", kZeroWidthSpace, "."));
}

std::string markdown_code(std::string_view text) { return concat("<code>", entities(one_line(text)), "</code>"); }

std::string markdown_span(std::string_view text) {
  const std::string line = one_line(text);
  std::size_t longest = 0, run = 0;
  for (const char c : line) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(longest + 1, '`');
  // One space at each end is taken off again, which keeps backticks and spaces of the text apart from the fence.
  const bool padded =
      line.empty() || line.front() == '`' || line.back() == '`' || line.front() == ' ' || line.back() == ' ';
  return padded ? concat(fence, " ", line, " ", fence) : concat(fence, line, fence);
}

std::string markdown_table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows) {
  std::string table = row_of(header) + row_of(std::vector<std::string>(header.size(), "---"));
  for (const auto& row : rows) table += row_of(row);
  return table;
}

}  // namespace crategate::render
