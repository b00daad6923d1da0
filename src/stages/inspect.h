// Evidence of any image, wherever it is: what `digest --image` prints.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "docker/engine.h"
#include "oci/image_config.h"
#include "registry/client.h"
#include "stages/workspace.h"

namespace crategate::stages {

struct InspectRequest {
  /// `docker:NAME` (the engine), `docker://REFERENCE` (a registry), `oci:DIR[:NAME]`, `docker-archive:FILE`,
  /// `oci-archive:FILE`.
  std::string image;
  oci::Platform platform;
  std::vector<std::string> ignore_labels;
  bool quick = false;  ///< of the engine's image by its description alone
};

struct ImageEvidence {
  std::string layer_text;  ///< the seed's value
  std::string fingerprint;
  std::optional<oci::Digest> config_digest;    ///< the containerd store's description has none
  std::optional<oci::Digest> manifest_digest;  ///< archives of the docker form have none
};

struct InspectServices {
  std::function<Result<docker::Engine*>()> engine;
  registry::RegistryReader& registry;
};

/// The image for `platform`: of an index its entry; another platform's is refused. Every digest is checked while it is
/// read: of an archive, and of what the engine saves, all layers, down to their diff IDs; of registries and layouts
/// manifest and configuration. A description of the engine is believed.
///
/// Effects: reads only
/// Errors:  bad_input for another form; not_found, naming the platforms that there are; integrity; registry and engine
///          errors
Result<ImageEvidence> inspect_image(const InspectRequest& request, const InspectServices& svc);

}  // namespace crategate::stages
