// A pattern is a row of states, one per component; a path takes it from state to state.
#include "zip/pattern.h"

#include <algorithm>

#include "base/strings.h"
#include "base/utf8.h"

namespace crategate::zip {
namespace {

/// The `]` of the class that opens at `at`; npos when it is a bracket and nothing else.
std::size_t end_of_class(std::string_view pattern, std::size_t at) {
  std::size_t i = at + 1;
  if (i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^')) ++i;
  return pattern.find(']', i + 1);
}

bool is_wild(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '*' || text[i] == '?' ||
               (text[i] == '[' && end_of_class(text, i) != std::string_view::npos)) {
      return true;
    }
  }
  return false;
}

std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    plain += text[i];
  }
  return plain;
}

bool in_class(std::string_view members, char32_t c) {
  const bool other = members.front() == '!' || members.front() == '^';
  if (other) members.remove_prefix(1);
  bool found = false;
  for (std::size_t i = 0; i < members.size();) {
    const CodePoint first = code_point_at(members, i);
    i += first.length;
    CodePoint last = first;
    if (i + 1 < members.size() && members[i] == '-') {
      last = code_point_at(members, i + 1);
      i += 1 + last.length;
    }
    found = found || (c >= first.value && c <= last.value);
  }
  return found != other;
}

/// How many bytes of the pattern at `p` match the code point at `s`; 0 = it does not. Not for `*`.
std::size_t matched(std::string_view pattern, std::size_t p, std::string_view text, std::size_t s,
                    std::size_t& length) {
  const CodePoint point = code_point_at(text, s);
  length = point.length;
  if (pattern[p] == '?') return 1;
  if (pattern[p] == '[') {
    const std::size_t end = end_of_class(pattern, p);
    if (end != std::string_view::npos)
      return in_class(pattern.substr(p + 1, end - p - 1), point.value) ? end + 1 - p : 0;
  }
  const std::size_t escape = pattern[p] == '\\' && p + 1 < pattern.size() ? 1 : 0;
  length = 1;
  return pattern[p + escape] == text[s] ? 1 + escape : 0;
}

/// The last '*' is the only place to come back to.
bool component_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, s = 0, star = std::string_view::npos, resume = 0;
  while (s < text.size()) {
    std::size_t length = 1;
    const bool is_star = p < pattern.size() && pattern[p] == '*';
    const std::size_t taken = p < pattern.size() && !is_star ? matched(pattern, p, text, s, length) : 0;
    if (is_star) {
      star = p++;
      resume = s;
    } else if (taken > 0) {
      p += taken;
      s += length;
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

Failure refuse(std::string_view text, std::string_view why) {
  return fail(ErrorCode::bad_input, concat("the path ", quoted(text), " ", why),
              "name files and folders below the directory, like dist/ or logs/*.txt");
}

}  // namespace

std::vector<std::string> components_of(std::string_view path) {
  std::vector<std::string> components = split(path, '/');
  std::erase(components, "");
  return components;
}

Result<Pattern> Pattern::parse(std::string_view text, const sys::Path& directory) {
  Pattern pattern;
  std::string_view rest = trim(text);
  for (; rest.starts_with('!'); rest = trim(rest.substr(1))) pattern.excludes_ = !pattern.excludes_;
  if (rest.empty()) return refuse(text, "names nothing");
  if (rest == "~" || rest.starts_with("~/")) return refuse(text, "is in a home directory, which is not looked up");
  if (rest.find('\0') != std::string_view::npos) return refuse(text, "contains a NUL byte");
  if (!rest.starts_with('/')) {
    for (const auto& name : components_of(directory.string())) pattern.components_.push_back({.text = name});
    while (rest == "." || rest.starts_with("./")) rest.remove_prefix(std::min<std::size_t>(2, rest.size()));
  }
  for (const std::string& part : components_of(rest)) {
    if (part == "." || part == "..") return refuse(text, "has `.` or `..` in it");
    const bool wild = is_wild(part);
    pattern.components_.push_back({wild ? part : unescaped(part), wild, part == "**"});
  }
  pattern.below_only_ = rest.ends_with('/');
  return pattern;
}

std::vector<std::string> Pattern::search_path() const {
  std::vector<std::string> path;
  for (const Component& component : components_) {
    if (component.wild) break;
    path.push_back(component.text);
  }
  return path;
}

/// `**` can also stand for no component, but not at the end: what it is behind is not its own descendant.
void Pattern::skip_empty(std::vector<bool>& states) const {
  for (std::size_t i = 0; i + 1 < components_.size(); ++i) {
    if (states[i] && components_[i].any_depth) states[i + 1] = true;
  }
}

std::vector<bool> Pattern::step(const std::vector<bool>& states, const std::string& name) const {
  std::vector<bool> next(states.size(), false);
  for (std::size_t i = 0; i < components_.size(); ++i) {
    const Component& component = components_[i];
    if (!states[i]) continue;
    if (component.any_depth) {
      next[i] = next[i + 1] = true;
    } else if (component.wild ? component_matches(component.text, name) : component.text == name) {
      next[i + 1] = true;
    }
  }
  skip_empty(next);
  return next;
}

Pattern::Match Pattern::match(Components path) const {
  std::vector<bool> states(components_.size() + 1, false);
  states[0] = true;
  skip_empty(states);
  for (std::size_t i = 0; i < path.size(); ++i) {
    states = step(states, path[i]);
    const bool end = i + 1 == path.size();
    if (states.back() && !(end && below_only_)) return {true, true};
  }
  return {false, std::find(states.begin(), states.end(), true) != states.end()};
}

}  // namespace crategate::zip
