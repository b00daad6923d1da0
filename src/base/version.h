// Project versions (semver 2.0.0 and PEP 440 with an optional `v`) and dotted axis versions.
// Belongs here: grammar and precedence.  Not here: where a version is read from.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace crategate {

/// A project version. `text` is verbatim (and the image tag); comparisons use the parsed form, so that
/// `v0.1.0-rc3` equals `v0.1.0rc3`. P-VER-2, P-VER-3.
struct Version {
  std::string text;
  std::uint64_t major = 0, minor = 0, patch = 0;
  bool is_prerelease = false;
  /// Precedence key of what follows the three numbers; opaque.
  std::vector<std::string> suffix;
  /// Same version whatever its spelling: lower case, no `v`, normalised suffix.
  std::string canonical() const;
};

/// Errors: bad_input with the offending text quoted (`1.2`, `v1.2.3; rm`, `v1.0.0+meta`, 129 characters, non-ASCII).
Result<Version> parse_version(std::string_view text);
/// Semver precedence, PEP 440 order for its suffixes (dev < a < b < rc < final < post).
std::weak_ordering compare(const Version& a, const Version& b);

/// Compares dotted numbers by component: 3.9 < 3.10, 3.1 != 3.10. nullopt unless both are dotted numbers.
std::optional<std::strong_ordering> compare_dotted(std::string_view a, std::string_view b);

}  // namespace crategate
