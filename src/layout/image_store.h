// An OCI image layout on disk (https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/http.h"
#include "oci/manifest.h"
#include "oci/reference.h"
#include "sys/file_system.h"

namespace crategate::layout {

/// A directory with `oci-layout`, `index.json`, `blobs/sha256`. Names in index.json are `repository:tag` in the
/// annotation `org.opencontainers.image.ref.name`, which skopeo accepts as `oci:DIR:NAME`. Writers in one or more
/// processes take a lock.
class OciLayout {
 public:
  /// Creates what is missing and removes what killed writers left a day ago.
  /// Errors: bad_input when `directory` is something else.
  static Result<OciLayout> open(sys::Path directory);
  /// Changes nothing.
  /// Errors: bad_input when there is no layout.
  static Result<OciLayout> open_existing(sys::Path directory);

  /// Manifest or index bytes, by name or digest, checked against their digest. nullopt = not there.
  struct Stored {
    oci::Descriptor descriptor;
    std::string bytes;
  };
  Result<std::optional<Stored>> find(const std::string& name) const;
  Result<std::optional<Stored>> find(const oci::Digest& digest) const;

  Result<bool> has_blob(const oci::Digest& digest) const;
  /// Of its file; nullopt = not there.
  Result<std::optional<std::uint64_t>> blob_size(const oci::Digest& digest) const;
  /// Whole small blob (configs), checked. nullopt = not there.
  /// Errors: integrity.
  Result<std::optional<std::string>> read_blob(const oci::Digest& digest,
                                               std::size_t limit = oci::kManifestLimit) const;
  /// Its bytes from `offset` on; size and digest of the whole are checked when it ends.
  /// Errors: integrity, also when it is not there.
  Result<net::BodySource> open_blob(const oci::Descriptor& descriptor, std::uint64_t offset = 0) const;

  /// Streams a blob in; digest and size are checked before it becomes visible.
  Result<void> write_blob(const oci::Descriptor& descriptor, const net::BodySource& source);
  Result<void> write_blob(const oci::Digest& digest, std::string_view bytes);
  /// Stores manifest bytes, untagged.
  Result<oci::Descriptor> write_manifest(std::string_view bytes, std::string_view media_type);
  /// Points `name` at a stored manifest, atomically.
  Result<void> tag(const std::string& name, const oci::Descriptor& manifest);
  /// Takes a name away; what it pointed at stays. False = there was no such name.
  Result<bool> untag(const std::string& name);
  /// Names and what they point at, sorted.
  Result<std::vector<std::pair<std::string, oci::Digest>>> names() const;
  /// Everything that index.json lists, with or without a name.
  Result<std::vector<oci::Digest>> manifests() const;
  const sys::Path& directory() const { return directory_; }

 private:
  explicit OciLayout(sys::Path directory) : directory_(std::move(directory)) {}
  sys::Path directory_;
};

}  // namespace crategate::layout
