// How git is started: what every call of it may read, and what it must never do.
// Belongs here: environment and options that all calls share.  Not here: what is asked (git_program, ref_store).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sys/environment.h"
#include "sys/process.h"

namespace crategate::git {

/// No prompt, no replaced objects, no configuration but the repository's own; no protocol at all.
std::map<std::string, std::string> local_environment(const sys::Environment& environment, const sys::Path& directory,
                                                     const std::vector<std::string>& keep = {});

/// Hooks, fsmonitor and external protocols off, and `safe.directory` for exactly `directory`, and in a job for those above it up to
/// GITHUB_WORKSPACE, for `workspace` may be a folder of the checkout (A91).
std::vector<std::string> safe_options(const sys::Environment& environment, const sys::Path& directory);

}  // namespace crategate::git
