// Images from one place to another, byte for byte.
// Belongs here: what has to be copied, and in which order.  Not here: requests (read, upload, write).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "registry/client.h"

namespace crategate::registry {

struct CopyOptions {
  /// Carry along what refers to the image and to each image of an index: signatures, SBOMs, provenance, by the referrers
  /// list and by the tags of older tools (`sha256-….sig`, `.att`, `.sbom`).
  bool with_referrers = true;
  /// Both ends are one registry when their references name the same; else only bytes are moved.
  bool may_mount = true;
  std::size_t parallel = 16;  ///< requests, and so blobs, at a time
};

struct Copied {
  oci::Digest digest;                                  ///< of the image
  std::size_t manifests = 0;                           ///< written, those of referrers included
  std::size_t mounted = 0, present = 0, uploaded = 0;  ///< blobs
  std::uint64_t bytes = 0;                             ///< uploaded
  std::vector<std::string> kept;  ///< signature tags that the target had already, naming something else
};

/// Copies a manifest or index with all it needs; the tag last. Blobs are mounted within a registry and streamed between
/// two, with bounded memory; within one repository only the tag is written. What the target serves already, as it is
/// asked beside the first read, is not copied again; what refers to it is looked at all the same.
///
/// `to` without tag and digest: by digest. Everything that is read is checked against its digest and size; addresses in a
/// manifest (`urls`) are not followed, and layers that must not be distributed stay behind.
///
/// Effects:  network(both)
/// Errors:   not_found when the image, or a part of it, is not there; integrity for an index that is nested deeper than
///           two; those of RegistryReader and RegistryWriter
Result<Copied> copy_image(RegistryReader& source, const oci::Reference& from, RegistryReader& target_reader,
                          RegistryWriter& target, const oci::Reference& to, const CopyOptions& options = {});

}  // namespace crategate::registry
