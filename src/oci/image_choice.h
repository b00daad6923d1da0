// Which entry of an index is the image for a platform: one rule for registries, layouts and archives.
// Belongs here: the choice.  Not here: reading what it is made from.
#pragma once

#include <functional>

#include "base/result.h"
#include "oci/manifest.h"
#include "oci/platform.h"

namespace crategate::oci {

/// What BuildKit says about how an image was built (https://docs.docker.com/build/metadata/attestations/). It stands in an
/// index as if it were an image, for the platform unknown/unknown, and is never one.
bool is_attestation(const Descriptor& entry);

/// True where an image for `found` is one for `wanted`: a variant counts only where both say one, since v8 is implied for
/// arm64 by some writers.
bool fits(const Platform& found, const Platform& wanted);

/// Reads an index that another one names; its bytes are checked against the entry.
using ReadIndex = std::function<Result<Index>(const Descriptor&)>;

/// The image for `platform` in `index` and the indexes within it. The same platform to the letter wins over one that
/// fits, and that over an entry that names none. Attestations and other artifacts are passed over.
///
/// Errors: not_found, naming the platforms that there are; integrity where several images fit alike, for indexes nested
/// deeper than two or more than 16; what `read` answers.
Result<Descriptor> choose_image(const Index& index, const Platform& platform, const ReadIndex& read);

/// Charts, signatures and the like have manifests, too.
/// Errors: integrity for what is not an image, naming what it is.
Result<void> require_image(const Manifest& manifest);

}  // namespace crategate::oci
