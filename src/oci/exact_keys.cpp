// Case folding as Go's encoding/json does it.
#include "oci/exact_keys.h"

#include "base/strings.h"

namespace crategate::oci {
namespace {

/// U+017F (long s) and U+212A (kelvin sign) are the only characters beyond ASCII that fold into it.
std::string folded(std::string_view key) {
  return to_lower(replace_all(replace_all(std::string(key), "\xC5\xBF", "s"), "\xE2\x84\xAA", "k"));
}

}  // namespace

Result<void> require_exact_keys(const json::Reader& object, std::initializer_list<std::string_view> keys) {
  if (!object.is_object()) return {};
  CG_TRY(const auto members, object.members());
  for (const auto& [found, value] : members) {
    for (const std::string_view key : keys) {
      if (found == key || folded(found) != folded(key)) continue;
      return object.expected(concat("the key ", quoted(key), " in this spelling only, and not ", quoted(found)));
    }
  }
  return {};
}

}  // namespace crategate::oci
