// Which manifest and configuration of an archive are the image.
// Belongs here: index.json and manifest.json.  Not here: layers (archive), reading the archive (archive_contents).
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "layout/archive_contents.h"
#include "oci/image_config.h"
#include "oci/manifest.h"
#include "oci/platform.h"

namespace crategate::layout {

/// The parts of the image, before its layers are looked at.
struct ArchivedImage {
  std::string manifest_bytes;             ///< empty in an archive without OCI manifests
  std::optional<oci::Manifest> manifest;  ///< of those bytes
  oci::Digest config_digest;
  std::string config_bytes;
  oci::ImageConfig image;
};

/// The one image for `platform`: of an index its entry. Some engines read index.json and some manifest.json, so both must
/// lead to it where both are there.
/// Errors: integrity.
Result<ArchivedImage> find_image(const ArchiveContents& contents, const oci::Platform& platform);

/// "the image archive: …"; without a hint that of saving again.
Failure refused_archive(std::string_view message, std::string hint = {});

}  // namespace crategate::layout
