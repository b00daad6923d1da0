// What is to be published, whole and by digest in the repository of its tags, before any tag is written.
// Belongs here: content without names.  Not here: tags (publication), whether it may be published (survey).
#pragma once

#include "base/result.h"
#include "pipeline/plan.h"
#include "registry/client.h"
#include "stages/survey.h"

namespace crategate::stages {

/// Brings each admitted candidate into the repository of its cell: blobs mounted, or streamed where the registry mounts
/// nothing, then the manifest by digest. Nothing to do where the candidate lies there already. Then the release set,
/// where there is one, into its own.
/// Effects: registry writes that no tag shows.
Result<void> stage_images(const pipeline::Plan& plan, const Publication& publication, registry::RegistryReader& reader,
                          registry::RegistryWriter& writer);

/// Manifest, configuration and every layer are there; of an index, each of its manifests.
/// Errors: not_found naming what is missing; integrity; registry errors.
Result<void> require_whole(const oci::Reference& image, registry::RegistryReader& reader);

}  // namespace crategate::stages
