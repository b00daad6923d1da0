// What is to be published, whole and by digest in the repository of its tags, before any tag is written.
// Belongs here: content without names.  Not here: tags (publication), whether it may be published (survey).
#pragma once

#include "base/result.h"
#include "registry/client.h"
#include "stages/survey.h"

namespace crategate::stages {

/// Makes the copies of a change set: blobs mounted, or streamed where the registry mounts nothing, then the manifest by
/// digest; the index of the release last. What is there already is left alone.
/// `candidates`: of what is copied; `reader`: of where it goes.
/// Effects: registry writes that no tag shows.
/// Errors:  not_found for an image that is not where it is said to be; integrity; those of the registry
Result<void> stage_images(const Publication& publication, registry::RegistryReader& candidates,
                          registry::RegistryReader& reader, registry::RegistryWriter& writer);

/// Manifest, configuration and every layer are there; of an index, each of its manifests.
/// Errors: not_found naming what is missing; integrity; registry errors.
Result<void> require_whole(const oci::Reference& image, registry::RegistryReader& reader);

}  // namespace crategate::stages
