// rebuild: the images of a plan that publishes what it builds once more (gate.mode: rebuild), made and kept beside the
// plan. Belongs here: making them.  Not here: comparing them with what was tested (pipeline/gate).
#pragma once

#include <vector>

#include "base/result.h"
#include "pipeline/rebuilt.h"
#include "stages/build.h"
#include "stages/workspace.h"

namespace crategate::stages {

inline constexpr std::string_view kRebuiltDirectory = "rebuilt";  ///< an OCI layout, below the state directory

/// The build of the tested image once more: from its base, and from the layers that its own build left in the cache.
docker::BuildRequest rebuild_request(const BuildInputs& in, const pipeline::Record& record);

/// Builds the cell's image, not into the engine. `record`: of the tested one; it has been judged.
/// Effects: process(docker buildx); writes rebuilt/ and rebuilds/<cell>.json in the state directory.
/// Errors: engine, no_space, integrity, interrupted; unavailable for an image that differs under `strict` when the cache
/// could not be read.
Result<pipeline::Rebuilt> run_rebuild(const BuildInputs& in, const pipeline::Record& record, const BuildServices& svc);

/// A rebuild that was refused is forgotten, so that it can be tried again.
Result<void> withdraw_rebuild(sys::FileSystem& files, const Workspace& workspace, const std::string& cell);

/// What the documents say that was rebuilt for this plan: enough for tags that follow version tags, and for reports.
/// Errors: bad_input for a document that cannot be read.
Result<pipeline::Rebuilds> load_rebuilds(const sys::FileSystem& files, const Workspace& workspace,
                                         const pipeline::Plan& plan);

/// Those whose image lies here, whole, with what it really holds: nothing that a document says of it is believed.
/// Errors: integrity for a layer that is not the one of the configuration.
Result<pipeline::Rebuilds> prove_rebuilds(const Workspace& workspace, const pipeline::Rebuilds& rebuilds);

}  // namespace crategate::stages
