// The image of a cell in the engine, as later stages find what `build` made.
#pragma once

#include "base/result.h"
#include "docker/engine.h"
#include "pipeline/plan.h"
#include "stages/workspace.h"

namespace crategate::stages {

/// What this plan built here, or else the image of that name in the engine.
/// Errors: not_found, naming the stage that makes it; engine.
Result<docker::EngineImage> find_cell_image(const pipeline::Plan& plan, const pipeline::Cell& cell,
                                            const Workspace& workspace, const sys::FileSystem& files,
                                            docker::Engine& engine);

}  // namespace crategate::stages
