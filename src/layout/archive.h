// `docker save` and OCI archives → one image in an OCI layout, streaming; every digest verified (A69).
#pragma once

#include <functional>
#include <optional>

#include "base/result.h"
#include "layout/image_store.h"
#include "oci/image_config.h"
#include "oci/manifest.h"
#include "oci/platform.h"

namespace crategate::layout {

struct ImportedImage {
  oci::Descriptor manifest;  ///< as it will be published
  oci::Descriptor config;
  std::string config_bytes;
  oci::ImageConfig image;
};

/// Where an uncompressed layer is stored compressed already; nullopt = nowhere. Asked by diff ID.
using FindStoredLayer = std::function<Result<std::optional<oci::Descriptor>>(const oci::Digest& diff_id)>;

/// Feeds an archive stream (chunks; empty = end) through libarchive's tar reader into `layout`.
/// Containerd store: the archive is an OCI layout whose manifest is kept byte for byte (of an index, the entry of
/// `platform`; attestations are left out). Classic store: every layer is uncompressed, so they are gzipped
/// deterministically and an OCI manifest is made; config bytes stay as they are. An image in the containerd store whose
/// layers are all uncompressed cannot be told from that and is treated the same. A layer that `find_stored` knows is named
/// in the manifest as it is stored there, and is not put into `layout`. Nothing is extracted by name: only
/// `blobs/sha256/<hex>`, `manifest.json`, `index.json`, `oci-layout`, `<hex>.json`,
/// `<hex>/layer.tar` are read; links, devices and other names are ignored or refused. Where both index.json and
/// manifest.json are there, they must name the same image.
/// Errors: integrity, no_space.
Result<ImportedImage> import_archive(const net::BodySource& archive, const oci::Platform& platform, OciLayout& layout,
                                     const FindStoredLayer& find_stored = {});

/// The config digest (and config) of the one image in an archive, without keeping layers; constant memory. Every layer is
/// there, and is what manifest and configuration say.
struct ArchiveConfig {
  oci::Digest config_digest;
  oci::ImageConfig image;
  std::optional<oci::Digest> manifest;  ///< an archive without index.json names none
};
Result<ArchiveConfig> read_archive_config(const net::BodySource& archive, const oci::Platform& platform);

}  // namespace crategate::layout
