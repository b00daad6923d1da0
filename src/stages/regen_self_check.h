// The self check of regen: no write token and no login beside the code of a pull request.
// Belongs here: the facts.  Not here: what they mean (pipeline/regen_safety).
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "github/values.h"
#include "stages/workspace.h"
#include "sys/environment.h"
#include "sys/file_system.h"
#include "sys/process.h"

namespace crategate::stages {

struct SelfCheckServices {
  const sys::Environment& environment;
  sys::ProcessRunner& processes;
  const sys::FileSystem& files;
  /// Whether a push with github-token would be let in; null = there is no such token.
  std::function<Result<bool>(const github::RepositoryName&)> may_push;
};

/// For a job of a workflow; elsewhere nobody's token is there by itself. `has_push_token`: the input push-token is given.
///
/// Effects: network(GitHub's git server), process(git)
/// Errors: bad_input, naming regen.yml, for a token that may write contents, or whose rights cannot be told, for a token to
///         push with, and for a checkout that keeps a login.
Result<void> check_surroundings(const Workspace& workspace, bool has_push_token, const SelfCheckServices& svc);

}  // namespace crategate::stages
