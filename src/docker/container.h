// One container from creation to removal.
// Belongs here: the creation request as a value, and the run.  Not here: images, transport.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "docker/engine.h"
#include "docker/host_paths.h"

namespace crategate::docker {

class EngineApi;

/// The body of `POST /containers/create`; `mounts` are the binds of `spec` on the engine's machine.
///
/// They are `Mounts`, which the engine refuses when their source is missing; `Binds` would make an empty directory, and
/// a test run over it would find nothing to fail (A77).
std::string creation_body(const ContainerSpec& spec, const std::vector<HostMount>& mounts);

/// Creates, attaches, starts, waits and always removes. See Engine::run_container.
Result<ContainerOutcome> run_in_container(EngineApi& api, sys::Clock& clock, const ContainerSpec& spec,
                                          const std::vector<HostMount>& mounts, const ContainerRun& run);

}  // namespace crategate::docker
