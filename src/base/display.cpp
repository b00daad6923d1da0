// Text that people read: quoted excerpts, durations, sizes, suggestions.
#include <algorithm>
#include <cstdio>

#include "base/strings.h"
#include "base/utf8.h"

namespace crategate {
namespace {

constexpr std::size_t kLongestWord = 64;

bool is_printable(const CodePoint& point) {
  const char32_t c = point.value;
  const bool control = c < 0x20 || (c >= 0x7F && c <= 0x9F);
  const bool invisible = c == 0xAD || c == 0x61C || c == 0x180E || (c >= 0x200B && c <= 0x200F) ||
                         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF;
  return point.valid && !control && !invisible;
}

std::string escaped(std::string_view bytes, const CodePoint& point) {
  if (point.value == '"' || point.value == '\\') return concat('\\', bytes);
  if (is_printable(point)) return std::string(bytes);
  if (point.value == '\n') return "\\n";
  if (point.value == '\r') return "\\r";
  if (point.value == '\t') return "\\t";
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text += concat("\\x", kDigits[value >> 4], kDigits[value & 15]);
  }
  return text;
}

/// Optimal string alignment: insert, delete, replace, swap two neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      const std::size_t replaced = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

std::string with_one_decimal(double value, std::string_view unit) {
  char text[64];
  const int length = std::snprintf(text, sizeof text, "%.1f ", value);
  return concat(std::string_view(text, static_cast<std::size_t>(length)), unit);
}

std::string two_digits(std::int64_t number) { return concat(number < 10 ? "0" : "", number); }

}  // namespace

std::string quoted(std::string_view text, std::size_t limit) {
  std::string excerpt = "\"";
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint point = code_point_at(text, i);
    const std::string piece = escaped(text.substr(i, point.length), point);
    if (excerpt.size() - 1 + piece.size() > limit) return excerpt + "…\"";
    excerpt += piece;
    i += point.length;
  }
  return excerpt + "\"";
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.empty() || word.size() > kLongestWord) return std::nullopt;
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(1, (word.size() + 1) / 3) + 1;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLongestWord) continue;
    const std::size_t distance = edit_distance(to_lower(word), to_lower(candidate));
    if (distance >= best_distance || distance >= candidate.size()) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

std::string format_duration(std::int64_t milliseconds) {
  constexpr std::int64_t kFirstWholeMinute = 59950;  // shown with one decimal it would read 60.0 s
  const std::int64_t ms = std::max<std::int64_t>(0, milliseconds);
  if (ms < 1000) return concat(ms, " ms");
  if (ms < kFirstWholeMinute) return with_one_decimal(static_cast<double>(ms) / 1000, "s");
  const std::int64_t seconds = ms / 1000 + (ms % 1000 >= 500 ? 1 : 0);
  if (seconds < 3600) return concat(seconds / 60, " min ", two_digits(seconds % 60), " s");
  return concat(seconds / 3600, " h ", two_digits(seconds / 60 % 60), " min");
}

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::string_view kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return concat(bytes, " B");
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; value >= 1023.95 && unit + 1 < std::size(kUnits); ++unit) value /= 1024;
  return with_one_decimal(value, kUnits[unit]);
}

}  // namespace crategate
