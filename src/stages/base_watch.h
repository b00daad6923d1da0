// Asks registries what the bases of a plan's cells stand for, and whether they have moved (pipeline/base_watch decides).
#pragma once

#include "base/result.h"
#include "config/configuration.h"
#include "pipeline/plan.h"
#include "registry/client.h"

namespace crategate::stages {

/// `images`: where the plan's images are, asked under `fresh: auto` only; null: none are there yet. `bases`: where their
/// bases are.
///
/// The image of a cell that is published is the one of its version tag, else of a moving tag. What cannot be found out is
/// a line of the log; under `fresh: auto` it counts as moved.
/// Effects: network; changes the plan and its identity.
/// Errors: bad_input for moving tags that are none; interrupted.
Result<void> look_at_bases(pipeline::Plan& plan, const config::Configuration& configuration,
                           registry::RegistryReader* images, registry::RegistryReader& bases);

}  // namespace crategate::stages
