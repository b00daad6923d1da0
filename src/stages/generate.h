// generate: a Dockerfile per cell, from a template or by the project's own command; and the drift check.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/configuration.h"
#include "pipeline/plan.h"
#include "stages/project_command.h"
#include "stages/workspace.h"

namespace crategate::stages {

struct GenerateInputs {
  const config::Generate& generate;
  const pipeline::Plan& plan;
  Workspace workspace;
  bool check_only = false;  ///< `--check`: write nothing, fail when committed files drift
  bool in_action = false;
};

struct Generated {
  std::vector<std::string> files;    ///< every planned Dockerfile, in plan order
  std::vector<std::string> written;  ///< those whose bytes changed
};

/// Effects: reads the template below the workspace, writes Dockerfiles below it (never through a link); or runs the
/// project's command and checks that it wrote every planned Dockerfile.
/// Errors: bad_input (template, links, a missing Dockerfile), drifted (`--check`), tests_failed (the command).
Result<Generated> run_generate(const GenerateInputs& in, const CommandServices& svc);

}  // namespace crategate::stages
