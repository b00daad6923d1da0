// Where in the project's file the setting stands that an error of a later stage is about.
// Belongs here: setting → place.  Not here: errors of the file itself, which know their place (node).
#pragma once

#include <vector>

#include "base/error.h"
#include "config/settings.h"

namespace crategate::config {

/// The error at the place of the setting that it begins with (`ci-image.default-tag: …`), where it has none and the file sets
/// that; else as it is.
Error with_place(Error error, const std::vector<InForce>& in_force);

}  // namespace crategate::config
