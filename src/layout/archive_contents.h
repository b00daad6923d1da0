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
#include "layout/unpacked.h"
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
  std::vector<BlobFacts> seen;  ///< the other blobs, where nothing is staged
};

/// Reads an archive to its end. Every blob is checked against the digest in its name. Layers are staged below `layout`, or
/// looked at in passing when that is empty.
/// Errors: integrity, also for names that other readers take for one of an image's parts and for more than 4096 layers;
/// no_space; whatever the source answers.
Result<ArchiveContents> read_contents(const net::BodySource& archive, const sys::Path& layout);

/// Stages bytes that look like JSON but are used as a layer.
Result<StagedLayer> stage_layer(const sys::Path& layout, std::string_view bytes);

/// Replaces the file of an uncompressed layer by its gzip form; nothing to do for a compressed one.
Result<void> compress(StagedLayer& layer, const sys::Path& layout);

}  // namespace crategate::layout
