// A tar stream, entry by entry, in constant memory.
// Belongs here: libarchive.  Not here: which entries matter (archive_contents).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "net/http.h"
#include "oci/digest.h"
#include "sys/file_system.h"

namespace crategate::layout {

struct TarEntry {
  enum class Kind : unsigned char { file, directory, link, other };
  std::string name;  ///< as written; one leading "./" is removed
  Kind kind = Kind::other;
  std::uint64_t size = 0;
};

/// Reads tar, plain or compressed with gzip or zstd; no other format or filter is enabled (A70).
/// Errors: integrity for what is not such a stream, is cut short, sparse, or has more than 100000 entries; whatever the
/// source answers; interrupted.
class TarReader {
 public:
  static Result<TarReader> open(const net::BodySource& source);
  TarReader(TarReader&&) noexcept;
  TarReader& operator=(TarReader&&) noexcept;
  ~TarReader();
  /// The next entry; nullopt = end of the archive.
  Result<std::optional<TarEntry>> next();
  /// The next bytes of the current entry; empty = its end, and exactly its size has been given.
  Result<std::string> read();
  /// Takes the source to its end, so that its writer is not cut off.
  Result<void> drain();

 private:
  struct State;
  explicit TarReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// SHA-256 of the content of a file compressed with gzip or zstd.
/// Errors: integrity when it cannot be decompressed.
Result<oci::Digest> uncompressed_digest(const sys::Path& file);

}  // namespace crategate::layout
