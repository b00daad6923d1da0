// An image from its registry into the engine.
// Belongs here: `docker pull` through the API.  Not here: which images are pulled (stages).
#pragma once

#include <string>

#include "base/result.h"

namespace crategate::docker {

class EngineApi;

/// Without a tag and digest it is `latest`, as everywhere.
/// Effects: network(engine), by which the engine asks the registry without a login.
/// Errors: bad_input (not a reference), not_found, forbidden, no_space, engine.
Result<void> pull_image(EngineApi& api, const std::string& name);

}  // namespace crategate::docker
