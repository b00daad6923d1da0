#include "git/credentials.h"

#include <string>

#include "base/strings.h"

namespace crategate::git {
namespace {

/// `https://user:password@host/…`
bool has_password(std::string_view address) {
  const std::size_t scheme = address.find("://");
  if (scheme == std::string_view::npos || !address.starts_with("http")) return false;
  const std::string_view authority = address.substr(scheme + 3, address.find('/', scheme + 3) - scheme - 3);
  const std::size_t at = authority.rfind('@');
  return at != std::string_view::npos && authority.substr(0, at).find(':') != std::string_view::npos;
}

}  // namespace

bool holds_credentials(std::string_view configuration) {
  for (const std::string& line : split(configuration, '\n')) {
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos) continue;
    const std::string key = to_lower(trim(std::string_view(line).substr(0, equals)));
    const std::string_view value = trim(std::string_view(line).substr(equals + 1));
    if (key == "extraheader" && !value.empty()) return true;
    if ((key == "url" || key == "pushurl") && has_password(value)) return true;
  }
  return false;
}

}  // namespace crategate::git
