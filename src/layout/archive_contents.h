// What an image archive holds, collected in one pass.
// Belongs here: which entries are read, and how.  Not here: which of them are the image (archive).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "layout/blob_file.h"
#include "layout/tar_reader.h"
#include "oci/digest.h"
#include "oci/manifest.h"

namespace crategate::layout {

/// A layer waiting beside the layout's blobs.
struct StagedLayer {
  BlobFile file;                       ///< as it came, until `compress`
  oci::Digest content;                 ///< of the bytes in the archive
  std::optional<oci::Digest> diff_id;  ///< known from the start when they were not compressed
  std::string media_type;
  bool published = false;
  std::optional<oci::Descriptor> stored;  ///< elsewhere: this file is not needed
  bool is_compressed() const;
};

struct ArchiveContents {
  std::map<std::string, std::string> documents;    ///< manifest.json, index.json, oci-layout
  std::map<oci::Digest, std::string> small_blobs;  ///< what begins like JSON: manifests, configurations
  std::vector<StagedLayer> layers;
};

/// Reads an archive to its end. Layers are staged below `layout`, or passed over when that is empty.
/// Errors: integrity, no_space, whatever the source answers.
Result<ArchiveContents> read_contents(const net::BodySource& archive, const sys::Path& layout);

/// Stages bytes that look like JSON but are used as a layer.
Result<StagedLayer> stage_layer(const sys::Path& layout, std::string_view bytes);

/// Replaces the file of an uncompressed layer by its gzip form; nothing to do for a compressed one.
Result<void> compress(StagedLayer& layer, const sys::Path& layout);

}  // namespace crategate::layout
