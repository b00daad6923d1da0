// What is inside of gzip and zstd streams, as it comes.
// Belongs here: one level of compression, and its limits.  Not here: archives (tar_reader).
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/result.h"
#include "net/http.h"
#include "oci/digest.h"

namespace crategate::layout {

enum class Compression : unsigned char { none, gzip, zstd };

/// A body whose chunks are good until the next call; empty = its end.
using ViewSource = std::function<Result<std::string_view>()>;
/// The same chunks, kept for that long.
ViewSource views_of(net::BodySource source);

/// By its first bytes, as engines tell.
Compression compression_of(std::string_view first_bytes);

/// How much a stream may grow, so that the work a bomb makes stays in proportion to its size: deflate writes a thousand
/// zeros in a byte, zstd a gigabyte in some. Layers of software grow less than a hundred times.
struct Growth {
  std::uint64_t factor = 200;
  std::uint64_t beyond = std::uint64_t{4} << 30U;  ///< bytes
};

/// The content of `source`, which begins like `compression`; with `none` the source itself. Several members or frames in a
/// row are one stream, as tools take them; what is compressed twice is unpacked once. At its end the source has ended,
/// too. Memory: chunks and the decompressor's window, for zstd at most 128 MiB.
///
/// Errors: integrity for what is damaged, cut short, followed by other bytes, or larger than `growth` lets it be; what the
/// source answers.
net::BodySource unpacked(net::BodySource source, Compression compression, Growth growth = {});

/// A stream with its first chunk looked at.
struct Peeked {
  Compression compression = Compression::none;
  net::BodySource source;  ///< all of it
};
Result<Peeked> peek(net::BodySource source);

/// A blob as it is and as it unpacks.
struct BlobFacts {
  oci::Digest content;  ///< of its bytes
  std::uint64_t size = 0;
  oci::Digest diff_id;  ///< of what is in it; the same for what is not compressed
};
/// Takes the source to its end once; its compression is told from the first chunk.
/// Errors: as of `unpacked`.
Result<BlobFacts> examine(const ViewSource& source);

}  // namespace crategate::layout
