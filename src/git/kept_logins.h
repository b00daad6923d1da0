// Logins that a checkout keeps for later steps, as actions/checkout does unless it is told otherwise.
// Belongs here: where they are.  Not here: using them (remote_access).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "sys/environment.h"
#include "sys/file_system.h"
#include "sys/process.h"

namespace crategate::git {

/// Keys of the checkout's configuration, included files counted, that hold a login or a program that has one. Never their
/// values. Empty where `directory` is in no repository.
/// Errors: bad_input when git cannot read the configuration.
Result<std::vector<std::string>> kept_logins(sys::ProcessRunner& processes, const sys::Environment& environment,
                                             const sys::Path& directory);

}  // namespace crategate::git
