#include "dockerfile/frontend.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"

namespace crategate::dockerfile {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kKey = "syntax";
constexpr std::string_view kOfficial = "docker/dockerfile";

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
}

/// `# key = value` as key (lower case) and value; nullopt = the directives end here.
std::optional<std::pair<std::string, std::string>> directive(std::string_view line, std::string_view comment) {
  line = trim(line);
  if (!line.starts_with(comment)) return std::nullopt;
  line = trim(line.substr(comment.size()));
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const std::string_view key = trim(line.substr(0, equals)), value = trim(line.substr(equals + 1));
  if (!is_word(key) || value.empty()) return std::nullopt;
  return std::pair(to_lower(key), std::string(value.substr(0, value.find_first_of(" \t"))));
}

std::optional<std::string> find_directive(const std::vector<std::string>& lines, std::string_view comment) {
  for (const std::string& line : lines) {
    const auto found = directive(line, comment);
    if (!found) return std::nullopt;
    if (found->first == kKey) return found->second;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> find_frontend(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<std::string> lines = split(text, '\n');
  // BuildKit trims white space of all of Unicode; nothing else outside of ASCII is part of a directive.
  for (std::string& line : lines) std::erase_if(line, [](char c) { return static_cast<unsigned char>(c) > 0x7E; });
  if (lines.front().starts_with("#!")) lines.erase(lines.begin());
  const auto first = std::ranges::find_if(lines, [](const std::string& line) { return !trim(line).empty(); });
  if (first != lines.end() && trim(*first).starts_with('{')) return std::string(trim(*first));
  for (const std::string_view comment : {"#", "//"}) {
    if (auto found = find_directive(lines, comment)) return found;
  }
  return std::nullopt;
}

bool is_trusted_frontend(const std::string& frontend, const std::vector<std::string>& allowed) {
  if (std::ranges::find(allowed, frontend) != allowed.end()) return true;
  std::string_view name = frontend;
  if (name.starts_with("docker.io/")) name.remove_prefix(std::string_view("docker.io/").size());
  return name.substr(0, name.find_first_of(":@")) == kOfficial;
}

}  // namespace crategate::dockerfile
