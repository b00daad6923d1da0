// One image of a layout as an archive that every engine loads.
// Belongs here: the tar and its two tables of contents.  Not here: sending it (docker/engine).
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "layout/image_store.h"
#include "oci/reference.h"

namespace crategate::layout {

struct WrittenArchive {
  net::BodySource source;
  std::uint64_t size = 0;
  oci::Digest config;  ///< id of the image on the classic store
};

/// Manifest, configuration and layers, each checked against its digest as it is read, and the tables of contents of the
/// containerd store (index.json) and of older engines (manifest.json), which name it `name` and nothing else.
///
/// Effects: reads the layout, while the source is read
/// Errors:  integrity, also while it is read
Result<WrittenArchive> write_archive(const OciLayout& layout, const oci::Digest& manifest, const oci::Reference& name);

}  // namespace crategate::layout
