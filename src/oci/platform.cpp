// Grammar of platforms.
#include "oci/platform.h"

#include <algorithm>

#include "base/strings.h"

namespace crategate::oci {
namespace {

bool is_component(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '_' || c == '.' || c == '-';
  });
}

}  // namespace

std::string Platform::text() const { return concat(os, "/", architecture, variant.empty() ? "" : "/", variant); }

Result<Platform> parse_platform(std::string_view text) {
  std::vector<std::string> parts = split(text, '/');
  const bool complete = parts.size() == 2 || parts.size() == 3;
  if (!complete || !std::all_of(parts.begin(), parts.end(), is_component)) {
    return fail(ErrorCode::bad_input,
                concat("platform: expected os/architecture or os/architecture/variant, found ", quoted(text)),
                "for example linux/amd64 or linux/arm64/v8");
  }
  return Platform{parts[0], parts[1], parts.size() == 3 ? parts[2] : ""};
}

}  // namespace crategate::oci
