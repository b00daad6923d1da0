// Evidence of any image, wherever it is: what `digest --image` prints.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "docker/engine.h"
#include "oci/image_config.h"
#include "registry/client.h"
#include "stages/workspace.h"

namespace crategate::stages {

struct ImageEvidence {
  std::string layer_text;  ///< the seed's value
  std::string fingerprint;
  oci::Digest config_digest = oci::Digest::of("");
  std::optional<oci::Digest> manifest_digest;  ///< archives of the docker form have none
};

struct InspectServices {
  std::function<Result<docker::Engine*>()> engine;
  registry::RegistryReader& registry;
};

/// `image`: `docker:NAME` (the engine), `docker://REFERENCE` (a registry), `oci:DIR[:NAME]`, `docker-archive:FILE`,
/// `oci-archive:FILE`. Read-only; of an index the entry of `platform`.
/// Errors: bad_input for another form, not_found, integrity, registry and engine errors.
Result<ImageEvidence> inspect_image(const std::string& image, const oci::Platform& platform,
                                    const std::vector<std::string>& ignore_labels, const InspectServices& svc);

}  // namespace crategate::stages
