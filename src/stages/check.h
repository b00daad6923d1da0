// check: the project's static checks, time-limited, before anything expensive.
#pragma once

#include "actions/workflow.h"
#include "base/result.h"
#include "config/configuration.h"
#include "docker/engine.h"
#include "stages/project_command.h"
#include "stages/workspace.h"

namespace crategate::stages {

struct CheckInputs {
  const config::Check& check;
  Workspace workspace;
  bool in_action = false;  ///< inside the action's container there is no host to run on: an image is required
};

/// The command(s) that `run_check` runs.
Result<std::vector<std::string>> describe_check(const CheckInputs& in);

/// Effects: process or container; writes logs/check.log in the state directory.
/// Errors: tests_failed (non-zero exit, time limit), bad_input, engine.
Result<CommandResult> run_check(const CheckInputs& in, const CommandServices& svc);

}  // namespace crategate::stages
