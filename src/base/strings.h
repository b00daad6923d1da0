// Small text functions that the standard library lacks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crategate {

/// concat("a", std::string("b"), 3) == "ab3"; for messages.
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::string text;
  [[maybe_unused]] const auto append = [&text](const auto& part) {
    using Part = std::decay_t<decltype(part)>;
    if constexpr (std::is_same_v<Part, bool>) {
      text += part ? "true" : "false";
    } else if constexpr (std::is_same_v<Part, char>) {
      text += part;
    } else if constexpr (std::is_arithmetic_v<Part>) {
      text += std::to_string(part);
    } else {
      text += std::string_view(part);
    }
  };
  (append(parts), ...);
  return text;
}

std::string_view trim(std::string_view text);  ///< ASCII white space only
std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string to_lower(std::string_view text);  ///< ASCII only
std::string replace_all(std::string text, std::string_view from, std::string_view to);
/// Whole text as decimal digits; empty, signs, spaces and overflow are nullopt.
std::optional<std::uint64_t> parse_unsigned(std::string_view text);
/// `text` as a short, printable, quoted excerpt for messages: control bytes and invalid UTF-8 as \xNN, cut at `limit`.
std::string quoted(std::string_view text, std::size_t limit = 80);
// Exact matches, so that std::quoted of <iomanip> is never the better one by argument-dependent lookup.
inline std::string quoted(const std::string& text, std::size_t limit = 80) {
  return quoted(std::string_view(text), limit);
}
inline std::string quoted(std::string& text, std::size_t limit = 80) { return quoted(std::string_view(text), limit); }
inline std::string quoted(const char* text, std::size_t limit = 80) { return quoted(std::string_view(text), limit); }
inline std::string quote(std::string_view text, std::size_t limit = 80) { return quoted(text, limit); }
bool is_valid_utf8(std::string_view text);
/// The candidate with the smallest edit distance, if it is near enough to be meant ("did you mean").
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);
/// '*', '?', '**' as in .gitignore path globs, whole path, '/' separated: `src/**` matches `src/a/b`.
bool glob_matches(std::string_view pattern, std::string_view path);
/// "1.4 s", "2 min 03 s" for people. Milliseconds in.
std::string format_duration(std::int64_t milliseconds);
/// "1.2 MiB".
std::string format_bytes(std::uint64_t bytes);
std::string base64(std::string_view bytes);
/// Both alphabets of RFC 4648, padding optional. nullopt for anything else.
std::optional<std::string> decode_base64(std::string_view text);

/// Text of a tool as one harmless log line: no control bytes, never a workflow command
/// (https://docs.github.com/actions/reference/workflow-commands-for-github-actions): `::` at the start of a line
/// after any Unicode white space and `##[` anywhere are broken up.
std::string neutralise(std::string_view line);

}  // namespace crategate
