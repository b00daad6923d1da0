#include "dockerfile/ignore_file.h"

#include <string>

#include "base/file_name.h"
#include "base/strings.h"

namespace crategate::dockerfile {
namespace {

/// Without what a path may be written with: `/a/`, `./a`.
std::string_view plain(std::string_view pattern) {
  while (pattern.starts_with("./") || pattern.starts_with('/')) pattern.remove_prefix(pattern.find('/') + 1);
  while (pattern.ends_with('/')) pattern.remove_suffix(1);
  return pattern;
}

/// Classes, escapes and detours are not evaluated here.
bool is_beyond_us(std::string_view pattern) {
  return pattern.find_first_of("[\\") != std::string_view::npos || !has_one_spelling(pattern);
}

bool matches_it_or_a_directory(std::string_view pattern, std::string_view path) {
  for (std::size_t end = path.find('/'); end != std::string_view::npos; end = path.find('/', end + 1)) {
    if (glob_matches(pattern, path.substr(0, end))) return true;
  }
  return glob_matches(pattern, path);
}

}  // namespace

bool is_ignored(std::string_view text, std::string_view path) {
  bool ignored = false;
  for (const std::string& line : split(text, '\n')) {
    std::string_view pattern = trim(line);
    if (pattern.empty() || pattern.starts_with('#')) continue;
    const bool negated = pattern.starts_with('!');
    if (negated) pattern = trim(pattern.substr(1));
    pattern = plain(pattern);
    const bool unknown = is_beyond_us(pattern);
    if (unknown ? negated : matches_it_or_a_directory(pattern, path)) ignored = !negated;
  }
  return ignored;
}

}  // namespace crategate::dockerfile
