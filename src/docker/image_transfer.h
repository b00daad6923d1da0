// An image into the engine: from its registry, or from an archive.
// Belongs here: `docker pull` and `docker load` through the API.  Not here: which images (stages).
#pragma once

#include <string>

#include "base/result.h"
#include "net/http.h"

namespace crategate::docker {

class EngineApi;

/// Without a tag and digest it is `latest`, as everywhere.
/// Effects: network(engine), by which the engine asks the registry without a login.
/// Errors: bad_input (not a reference), not_found, forbidden, no_space, engine.
Result<void> pull_image(EngineApi& api, const std::string& name);

/// Effects: network(engine).
/// Errors: no_space, engine; whatever the source answers.
Result<void> load_image(EngineApi& api, const net::BodySource& archive, std::uint64_t size);

}  // namespace crategate::docker
