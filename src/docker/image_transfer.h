// An image into the engine: from its registry, or from an archive.
// Belongs here: `docker pull` and `docker load` through the API.  Not here: which images (stages).
#pragma once

#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "docker/engine.h"
#include "net/http.h"

namespace crategate::docker {

class EngineApi;

/// Without a tag and digest it is `latest`, as everywhere.
/// Effects: network(engine), by which the engine asks the registry; without `auth` without a login.
/// Errors: bad_input (not a reference), not_found, forbidden, no_space, engine.
Result<void> pull_image(EngineApi& api, const std::string& name, const Secret& auth = {});

/// The engine's header X-Registry-Auth (https://docs.docker.com/reference/api/engine/version/v1.41/#section/Authentication).
Secret registry_auth(const PullLogin& login);

/// Effects: network(engine).
/// Errors: no_space, engine; whatever the source answers.
Result<void> load_image(EngineApi& api, const net::BodySource& archive, std::uint64_t size);

}  // namespace crategate::docker
