#include "dockerfile/from.h"

#include <algorithm>
#include <vector>

#include "base/strings.h"

namespace crategate::dockerfile {
namespace {

/// The words of a line, without options: `FROM`, the image, `AS`, a name.
std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  while (!(line = trim(line)).empty()) {
    const auto end = std::min(line.find_first_of(" \t"), line.size());
    if (!line.starts_with("--")) words.emplace_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return words;
}

}  // namespace

bool may_begin_with(std::string_view text, const std::string& image) {
  bool begins = false;
  for (const auto& line : split(text, '\n')) {
    const auto words = words_of(line);
    if (words.size() < 2 || to_lower(words.front()) != "from") continue;
    if (words[1] == image || words[1].find_first_of("$\\`") != std::string::npos) return true;
    begins = true;
  }
  return !begins;
}

}  // namespace crategate::dockerfile
