// Blobs as files: written aside, visible only when complete, checked whenever they are read.
// Belongs here: one blob, and the lock of a layout.  Not here: manifests and names (image_store).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/sha256.h"
#include "net/http.h"
#include "oci/digest.h"
#include "sys/file_system.h"

namespace crategate::layout {

/// Where a blob lies below the layout.
/// Errors: integrity for a digest that is not SHA-256.
Result<sys::Path> blob_path(const oci::Digest& digest);

/// A blob being written: a file beside the visible ones, removed again unless it is published.
class BlobFile {
 public:
  /// Errors: no_space, internal.
  static Result<BlobFile> create(const sys::Path& layout);
  BlobFile(BlobFile&& other) noexcept;
  BlobFile& operator=(BlobFile&& other) noexcept;
  ~BlobFile();

  Result<void> write(std::string_view bytes);
  /// Ends writing.
  Result<void> close();
  const oci::Digest& digest() const { return *digest_; }  ///< of a closed file
  std::uint64_t size() const { return size_; }
  const sys::Path& path() const { return path_; }
  /// Makes the closed file visible under its digest, atomically.
  Result<void> publish();

 private:
  BlobFile(sys::Path layout, sys::Path path, int descriptor);
  void discard();
  sys::Path layout_, path_;
  int descriptor_ = -1;
  Sha256 hash_;
  std::uint64_t size_ = 0;
  std::optional<oci::Digest> digest_;
};

/// Removes the files of writers that were killed: a day old, longer than any blob takes. Best effort.
void remove_abandoned_blobs(const sys::Path& layout);

/// A blob as it lies in a layout, which may be a stranger's.
struct StoredBlob {
  std::uint64_t size = 0;
  net::BodySource bytes;  ///< as they are
};
/// nullopt = there is none: no file, no regular file, or one that is reached through a symbolic link below the layout.
/// Errors: integrity for a digest that is not SHA-256; internal.
Result<std::optional<StoredBlob>> open_stored_blob(const sys::Path& layout, const oci::Digest& digest);

/// `bytes`, and at their end an error unless size and digest are as expected.
/// Errors: integrity.
net::BodySource checked_source(net::BodySource bytes, const oci::Digest& digest, std::optional<std::uint64_t> size);
/// The bytes of a file that this process or its user has named, as they are.
Result<net::BodySource> file_source(const sys::Path& file);

/// Held by whoever changes index.json; other writers, in this process or another, wait.
class LayoutLock {
 public:
  static Result<LayoutLock> take(const sys::Path& layout);
  LayoutLock(LayoutLock&& other) noexcept;
  LayoutLock& operator=(LayoutLock&&) = delete;
  ~LayoutLock();

 private:
  explicit LayoutLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace crategate::layout
