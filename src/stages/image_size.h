// How much of an image is to be downloaded.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "oci/platform.h"
#include "oci/reference.h"
#include "registry/client.h"

namespace crategate::stages {

struct ImageSize {
  std::uint64_t bytes = 0;               ///< compressed layers, each once, and the configuration
  oci::Platform platform;                ///< that they are for
  std::vector<oci::Platform> platforms;  ///< of all its images, in the index's order
};

/// Of an index the image for `platform`, else its first one: images of several platforms share no layers, and nobody
/// downloads them all.
///
/// Effects: network(registry), of small documents
/// Returns: nullopt = the registry does not have it
/// Errors:  integrity for what is no image; registry errors
Result<std::optional<ImageSize>> image_size(const oci::Reference& image, const oci::Platform& platform,
                                            registry::RegistryReader& reader);

}  // namespace crategate::stages
