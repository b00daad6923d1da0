// The self check of regen: no write token and no login beside the code of a pull request.
// Belongs here: the facts.  Not here: what they mean (pipeline/regen_safety).
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "github/client.h"
#include "stages/workspace.h"
#include "sys/environment.h"
#include "sys/file_system.h"
#include "sys/process.h"

namespace crategate::stages {

struct SelfCheckServices {
  const sys::Environment& environment;
  sys::ProcessRunner& processes;
  const sys::FileSystem& files;
  github::GitHubClient* github = nullptr;  ///< null = there is no token
};

/// For a job of a workflow; elsewhere nobody's token is there by itself.
///
/// Effects: network(GitHub's API), process(git)
/// Errors: bad_input, naming regen.yml, for a token that may write contents, or whose rights GitHub does not tell, and for
///         a checkout that keeps a login.
Result<void> check_surroundings(const Workspace& workspace, const SelfCheckServices& svc);

}  // namespace crategate::stages
