// Platforms: os/architecture[/variant].
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/result.h"

namespace crategate::oci {

struct Platform {
  std::string os = "linux";
  std::string architecture = "amd64";
  std::string variant;
  std::string text() const;
  auto operator<=>(const Platform&) const = default;
};

Result<Platform> parse_platform(std::string_view text);

}  // namespace crategate::oci
