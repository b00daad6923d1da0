// ci-image load: the image of a fork, which nobody could push, from its artifact into the engine.
// Belongs here: reading what a stranger made.  Not here: making it (build_ci_image).
#pragma once

#include <string>

#include "base/result.h"
#include "config/configuration.h"
#include "docker/engine.h"
#include "oci/digest.h"
#include "stages/workspace.h"

namespace crategate::stages {

struct CiImageLoadInputs {
  const config::CiImage& settings;
  Workspace workspace;
  sys::Path from;            ///< an OCI layout: its directory, or an archive of it
  std::string architecture;  ///< that is taken where there are several
};

struct CiImageLoaded {
  std::string name;  ///< in the engine: `image:fork`
  oci::Digest digest;
};

/// Every digest is verified, and the names that the layout gives itself count for nothing: it cannot stand in for
/// another image of the engine.
///
/// Effects: reads the layout, network(engine); an archive is unpacked below the state directory meanwhile
/// Errors:  not_found, integrity, engine, no_space
Result<CiImageLoaded> load_ci_image(const CiImageLoadInputs& in, docker::Engine& engine, sys::FileSystem& files);

}  // namespace crategate::stages
