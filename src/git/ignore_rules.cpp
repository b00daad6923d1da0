#include "git/ignore_rules.h"

#include <optional>

#include "base/strings.h"

namespace crategate::git {
namespace {

constexpr std::size_t npos = std::string_view::npos;

/// Whether a character is in the class that begins at `at`, which moves behind it; nullopt = that is none.
std::optional<bool> class_has(std::string_view pattern, std::size_t& at, char wanted) {
  std::size_t i = at + 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  const auto byte = [](char c) { return static_cast<unsigned char>(c); };
  bool found = false;
  for (const std::size_t first = i; i < pattern.size() && (pattern[i] != ']' || i == first); ++i) {
    if (pattern[i] == '[' && i + 1 < pattern.size() && pattern[i + 1] == ':') return std::nullopt;
    if (pattern[i] == '\\' && ++i == pattern.size()) return std::nullopt;
    const char low = pattern[i];
    char high = low;
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      i += 2;
      if (pattern[i] == '\\' && ++i == pattern.size()) return std::nullopt;
      high = pattern[i];
    }
    found = found || (byte(low) <= byte(wanted) && byte(wanted) <= byte(high));
  }
  if (i >= pattern.size()) return std::nullopt;
  at = i + 1;
  return found != negated;
}

/// Whether one element of the pattern at `at`, no star, stands for this character; it moves behind the element.
bool element_matches(std::string_view pattern, std::size_t& at, char found) {
  if (pattern[at] == '[') return class_has(pattern, at, found).value_or(false);
  if (pattern[at] == '?') return ++at > 0;
  if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
  return pattern[at++] == found;
}

/// The last star is the only place to come back to.
bool segment_matches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0, n = 0, star = npos, resume = 0;
  while (n < name.size()) {
    std::size_t next = p;
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      resume = n;
    } else if (p < pattern.size() && element_matches(pattern, next, name[n])) {
      p = next;
      ++n;
    } else if (star != npos) {
      p = star;
      n = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == npos;
}

/// `**` is any number of folders; at the end, all that is in one.
bool matches(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  std::vector<bool> reached(path.size() + 1, false);  // [i]: the pattern so far is the first i names
  reached[0] = true;
  for (std::size_t k = 0; k < pattern.size(); ++k) {
    std::vector<bool> next(path.size() + 1, false);
    const bool last = k + 1 == pattern.size();
    for (std::size_t i = 0; i <= path.size(); ++i) {
      if (pattern[k] != "**") {
        next[i] = i > 0 && reached[i - 1] && segment_matches(pattern[k], path[i - 1]);
      } else {
        next[i] = (i > 0 && (next[i - 1] || reached[i - 1])) || (reached[i] && !last);
      }
    }
    reached = std::move(next);
  }
  return reached.back();
}

/// Without the spaces at its end that no backslash keeps.
void strip_end(std::string& line) {
  if (line.ends_with('\r')) line.pop_back();
  while (line.ends_with(' ') && !line.ends_with("\\ ")) line.pop_back();
}

}  // namespace

bool IgnoreRules::read_rule(std::string line, Rule& rule) {
  strip_end(line);
  if (line.starts_with('#')) return false;
  rule.takes_back = line.starts_with('!');
  if (rule.takes_back) line.erase(0, 1);
  rule.directories_only = line.ends_with('/');
  if (rule.directories_only) line.pop_back();
  if (line.empty()) return false;
  // Without a slash before its end it is a name, in any folder.
  const bool anywhere = line.find('/') == std::string::npos;
  if (line.starts_with('/')) line.erase(0, 1);
  rule.segments = split(line, '/');
  if (anywhere) rule.segments.insert(rule.segments.begin(), "**");
  return true;
}

void IgnoreRules::add(const std::string& folder, std::string_view text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  auto& rules = rules_[folder];
  for (auto& line : split(text, '\n')) {
    Rule rule;
    if (read_rule(std::move(line), rule)) rules.push_back(std::move(rule));
  }
}

bool IgnoreRules::is_named(std::string_view path, bool is_directory) const {
  // The nearest file that says something counts, and of it the last line.
  for (std::size_t end = path.rfind('/');; end = end == 0 ? npos : path.rfind('/', end - 1)) {
    const std::string_view folder = end == npos ? std::string_view() : path.substr(0, end);
    if (const auto found = rules_.find(folder); found != rules_.end()) {
      const auto names = split(end == npos ? path : path.substr(end + 1), '/');
      for (auto rule = found->second.rbegin(); rule != found->second.rend(); ++rule)
        if ((is_directory || !rule->directories_only) && matches(rule->segments, names)) return !rule->takes_back;
    }
    if (end == npos) return false;
  }
}

bool IgnoreRules::is_ignored(std::string_view path, bool is_directory) const {
  if (rules_.empty()) return false;
  for (std::size_t slash = path.find('/'); slash != npos; slash = path.find('/', slash + 1))
    if (is_named(path.substr(0, slash), true)) return true;
  return is_named(path, is_directory);
}

}  // namespace crategate::git
