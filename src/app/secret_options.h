// Secrets of the command line: every process of a machine can read arguments, so that an option names a variable instead.
// Belongs here: what an option says → the value.  Not here: inputs, which the runner hands over as variables.
#pragma once

#include <vector>

#include "base/result.h"
#include "config/settings.h"
#include "sys/environment.h"

namespace crategate::app {

/// How a person gives one: `--password env:REGISTRY_PASSWORD`.
inline constexpr std::string_view kFromVariable = "env:";

/// Puts the variable's value in the place of its name, for options of secret settings.
///
/// Errors: bad_input for another value, which may be the secret and is not printed, and for a variable that is not set or empty
Result<void> fill_in_secrets(std::vector<config::Given>& given, const sys::Environment& environment);

}  // namespace crategate::app
