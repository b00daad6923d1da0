// ci-image gen, shell: the repository in a container of the CI image, as the person whose it is.
// Belongs here: what such a container sees.  Not here: which image (resolve_image).
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "config/configuration.h"
#include "docker/engine.h"
#include "stages/project_command.h"
#include "stages/workspace.h"
#include "sys/process.h"

namespace crategate::stages {

struct CiContainerInputs {
  std::string image;  ///< that the engine has
  const config::Argv& generate;
  Workspace workspace;
  std::string user;   ///< `uid:gid` of whom new files belong to
  std::string shell;  ///< the command that opens a shell in the same image, for a hint
};

/// The repository at /workspace, readable and writable, and nothing else of the machine: no variable, no login, no
/// engine. HOME is a place that any user can write to.
docker::ContainerSpec ci_container(const CiContainerInputs& in);

/// Errors: bad_input where there is no command.
Result<void> require_ci_generate(const config::Argv& generate);

/// With `ci-image.generate` as its command, which there is.
docker::ContainerSpec ci_generate_container(const CiContainerInputs& in);

/// Runs `ci-image.generate` without a time limit of its own.
/// Effects: container; writes logs/ci-image-gen.log in the state directory, and what the command writes.
/// Errors: bad_input (no command), tests_failed (non-zero exit), engine.
Result<CommandResult> run_ci_generate(const CiContainerInputs& in, docker::Engine& engine, sys::FileSystem& files,
                                      const Progress& progress);

/// `docker run -it …` of a shell in that container. `variables`: what the docker command line gets.
sys::Command ci_shell(const CiContainerInputs& in, std::map<std::string, std::string> variables);

}  // namespace crategate::stages
