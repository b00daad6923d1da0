// Keys that a tolerant reader would take for ours.
#pragma once

#include <initializer_list>
#include <string_view>

#include "base/result.h"
#include "json/value.h"

namespace crategate::oci {

/// Refuses a member of `object` that differs from one of `keys` in case only.
///
/// Engines and registries written in Go match keys without regard to case (https://pkg.go.dev/encoding/json#Unmarshal),
/// so that `env` beside `Env` would run one image and prove another.
///
/// Errors: the document's, at the member. A value that is not an object is not looked at.
Result<void> require_exact_keys(const json::Reader& object, std::initializer_list<std::string_view> keys);

}  // namespace crategate::oci
