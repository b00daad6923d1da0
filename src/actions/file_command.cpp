// The key/value grammar of GITHUB_OUTPUT and the size of GITHUB_STEP_SUMMARY.
#include <algorithm>

#include "actions/workflow.h"
#include "base/strings.h"

namespace crategate::actions {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool is_name(std::string_view name) {
  const auto good = [](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; };
  return !name.empty() && is_letter(name.front()) && std::all_of(name.begin(), name.end(), good);
}

/// The end of the last whole line within `room` bytes, or of the last whole character when the line is longer.
std::size_t cut_point(std::string_view text, std::size_t room) {
  const std::size_t line_feed = text.substr(0, room).rfind('\n');
  if (line_feed != std::string_view::npos) return line_feed + 1;
  std::size_t end = std::min(room, text.size());
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80u) --end;
  return end;
}

}  // namespace

Result<std::string> encode_entry(std::string_view name, std::string_view value, std::string_view delimiter) {
  if (!is_name(name))
    return fail(ErrorCode::bad_input, concat("not the name of an output: ", quoted(name)),
                "begin with a letter or `_`, go on with letters, digits, `_` and `-`");
  if (delimiter.empty() || delimiter.find('\n') != std::string_view::npos ||
      value.find(delimiter) != std::string_view::npos)
    return fail(ErrorCode::internal, concat("the delimiter of the output ", quoted(name), " occurs in its value"));
  return concat(name, "<<", delimiter, "\n", value, "\n", delimiter, "\n");
}

std::string cut_summary(std::string_view text, std::size_t limit, std::string_view whole) {
  if (text.size() <= limit) return std::string(text);
  const std::string note = concat("\n\n_The summary is cut here, because a runner shows at most ",
                                  format_bytes(kSummaryLimit), ". All of it: ", whole, "._\n");
  const std::size_t room = limit - std::min(limit, note.size());
  return concat(text.substr(0, cut_point(text, room)), std::string_view(note).substr(0, limit - room));
}

}  // namespace crategate::actions
