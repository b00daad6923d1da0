// Path globs. No backtracking over segments: the cost is bounded by segments of the pattern times segments of the path.
#include "base/strings.h"
#include "base/utf8.h"

namespace crategate {
namespace {

/// '*' and '?' inside one segment; the last '*' is the only place to come back to.
bool segment_matches(std::string_view pattern, std::string_view segment) {
  std::size_t p = 0, s = 0, star = std::string_view::npos, resume = 0;
  while (s < segment.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = s;
    } else if (p < pattern.size() && pattern[p] == '?') {
      ++p;
      s += code_point_at(segment, s).length;
    } else if (p < pattern.size() && pattern[p] == segment[s]) {
      ++p;
      ++s;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      s = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view path) {
  const std::vector<std::string> segments = split(path, '/');
  // reached[i]: the pattern read so far matches the first i segments.
  std::vector<bool> reached(segments.size() + 1, false);
  reached[0] = true;
  const std::vector<std::string> parts = split(pattern, '/');
  for (std::size_t k = 0; k < parts.size(); ++k) {
    std::vector<bool> next(segments.size() + 1, false);
    const bool last = k + 1 == parts.size();
    for (std::size_t i = 0; i < next.size(); ++i) {
      if (parts[k] == "**") {
        next[i] = (i > 0 && (next[i - 1] || reached[i - 1])) || (reached[i] && (!last || parts.size() == 1));
      } else {
        next[i] = i > 0 && reached[i - 1] && segment_matches(parts[k], segments[i - 1]);
      }
    }
    reached = std::move(next);
  }
  return reached.back();
}

}  // namespace crategate
