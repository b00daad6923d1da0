// What a layer puts into an image, whatever its files' times: what two builds of one source have in common.
// Belongs here: reading the layer's tar.  Not here: which differences matter (pipeline/gate).
#pragma once

#include <vector>

#include "base/result.h"
#include "layout/image_store.h"
#include "oci/digest.h"
#include "oci/manifest.h"

namespace crategate::layout {

/// SHA-256 over the entries of a layer in their order: name, kind, mode, owner, links, device, extended attributes, size
/// and SHA-256 of the bytes; not over times, names of owners, and how the tar or its compression is written.
/// `layer`: plain, gzip or zstd. Streaming; memory does not depend on its size.
///
/// Errors: integrity for what is no tar, is cut short, sparse, grows beyond what `unpacked` lets it, has more than 4 MiB of
/// headers before an entry or more than 10 million entries; what the source answers; interrupted.
Result<oci::Digest> layer_content(const net::BodySource& layer);

/// That of every layer, in order.
/// Errors: not_found for a layer that `layout` does not have; as above.
Result<std::vector<oci::Digest>> layer_contents(const OciLayout& layout, const oci::Manifest& manifest);

}  // namespace crategate::layout
