// The release set in a registry: its images and itself, by digest.
// Belongs here: what has to be there before a tag can name it.  Not here: the document (pipeline/release_set), tags.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "registry/client.h"

namespace crategate::stages {

/// Brings `images` (each with its digest) into the repository of the set, for a registry may refuse an index whose
/// images it does not have there, then `index` itself; its digest. What is there already is left alone, and no tag is
/// written.
///
/// Effects:  network: blobs are mounted, or streamed where the registry mounts nothing
/// Errors:   not_found for an image that is not where it is said to be; integrity; those of the registry
Result<oci::Digest> stage_release_set(const oci::Repository& set, const std::vector<oci::Reference>& images,
                                      const std::string& index, registry::RegistryReader& reader,
                                      registry::RegistryWriter& writer);

}  // namespace crategate::stages
