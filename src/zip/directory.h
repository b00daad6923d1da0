// What an archive holds, believed only where all of its records agree.
// Belongs here: the end record, the central directory, local headers.  Not here: unpacking data (inflate), files (extract).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "zip/bytes.h"
#include "zip/records.h"

namespace crategate::zip {

/// What more is refused than. The sizes are compared as the archive states them, and again while it is unpacked.
struct Limits {
  std::uint64_t archive = std::uint64_t{8} << 30;  ///< bytes of the file
  std::size_t members = 200'000;
  std::uint64_t member = std::uint64_t{16} << 30;     ///< bytes of one, unpacked
  std::uint64_t total = std::uint64_t{32} << 30;      ///< of all of them
  std::uint64_t ratio = 250;                          ///< unpacked to packed bytes
  std::uint64_t ratio_from = std::uint64_t{1} << 30;  ///< unpacked bytes that may have any ratio: zeros pack well
  std::size_t depth = 64;                             ///< components of a name
};

struct Directory {
  std::vector<Entry> entries;  ///< as their data lies in the archive
  std::string comment;
};

/// Reads the central directory and every local header. What is accepted is one archive whoever reads it: members and
/// directory fill the file from its first byte to its last without gap or overlap, headers and descriptors say what the
/// directory says, names can be extracted beside each other (names.h).
/// Errors: integrity for all else: encryption, methods other than stored and deflated, several disks, links and devices,
/// zip64 records that contradict, a second end record, bytes behind the end, and whatever exceeds `limits`.
Result<Directory> read_directory(const Bytes& archive, const Limits& limits);

/// The comment of the archive whose last bytes `tail` are: all of it, or 64 KiB and 22 bytes.
/// Errors: integrity.
Result<std::string> find_comment(std::string_view tail);

}  // namespace crategate::zip
