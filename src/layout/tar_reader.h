// A tar stream, entry by entry, in constant memory.
// Belongs here: libarchive.  Not here: which entries matter (archive_contents), compression (unpacked).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http.h"
#include "oci/digest.h"
#include "sys/file_system.h"

namespace crategate::layout {

struct TarEntry {
  enum class Kind : unsigned char { file, directory, link, other };
  std::string name;  ///< as written
  Kind kind = Kind::other;
  std::uint64_t size = 0;
};

/// Reads tar, plain or compressed once with gzip or zstd. Of libarchive only the tar reader is enabled, and no filter
/// (A70).
/// Errors: integrity for what is not such a stream, is cut short, is sparse, has bytes behind a link or behind its end,
/// has more than 4 MiB of headers before an entry, or more than 100000 entries; whatever the source answers; interrupted.
class TarReader {
 public:
  static Result<TarReader> open(net::BodySource source);
  TarReader(TarReader&&) noexcept;
  TarReader& operator=(TarReader&&) noexcept;
  ~TarReader();
  /// The next entry; nullopt = end of the archive.
  Result<std::optional<TarEntry>> next();
  /// The next bytes of the current entry, good until the next call; the first are at least 16, if it has as many. Empty =
  /// its end, and exactly its size has been given.
  Result<std::string_view> read();
  /// Takes the source to its end, so that its writer is not cut off. After the last entry only.
  /// Errors: integrity when anything but padding is there.
  Result<void> drain();

 private:
  struct State;
  explicit TarReader(std::unique_ptr<State> state);
  Result<std::string_view> block();
  std::unique_ptr<State> state_;
};

/// SHA-256 of the content of a file, which may be compressed with gzip or zstd.
/// Errors: integrity when it cannot be decompressed.
Result<oci::Digest> uncompressed_digest(const sys::Path& file);

}  // namespace crategate::layout
