#include "git/credentials.h"

#include <string>

#include "base/strings.h"

namespace crategate::git {
namespace {

/// `https://user:password@host/…` anywhere in a line: an address, a section `[url "…"]`, a proxy.
bool has_password(std::string_view line) {
  for (std::size_t at = line.find("://"); at != std::string_view::npos; at = line.find("://", at + 3)) {
    const std::string_view scheme = line.substr(0, at);
    if (!scheme.ends_with("http") && !scheme.ends_with("https")) continue;
    const std::string_view authority = line.substr(at + 3, line.find_first_of("/\"", at + 3) - at - 3);
    const std::size_t end = authority.rfind('@');
    if (end != std::string_view::npos && authority.substr(0, end).find(':') != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

bool holds_credentials(std::string_view configuration) {
  for (const std::string& line : split(configuration, '\n')) {
    if (has_password(line)) return true;
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos || trim(std::string_view(line).substr(equals + 1)).empty()) continue;
    if (to_lower(trim(std::string_view(line).substr(0, equals))) == "extraheader") return true;
  }
  return false;
}

}  // namespace crategate::git
