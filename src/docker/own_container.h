// Which container this process runs in.
// Belongs here: its traces, and the engine's word on them.  Not here: what follows for paths (host_paths).
#pragma once

#include <optional>

#include "base/result.h"
#include "docker/engine.h"

namespace crategate::docker {

class EngineApi;

/// The container whose id the host name or the mounts show. In a step of a workflow it must have been started with
/// exactly this GITHUB_OUTPUT, or else no other one was: a container that shares its network has another's host name.
/// Every mount that the engine names must be one of this process. Outside of a container the engine is not asked.
///
/// Errors: engine
Result<std::optional<OwnContainer>> find_own_container(EngineApi& api, const Surroundings& surroundings);

}  // namespace crategate::docker
