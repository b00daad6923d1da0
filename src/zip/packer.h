// The parts of an archive, compressed one by one.
// Belongs here: where members are cut, reading and compressing.  Not here: the order of the bytes (write).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "zip/deflate.h"
#include "zip/member.h"
#include "zip/records.h"
#include "zip/source_file.h"

namespace crategate::zip {

/// What one thread does at once: members in a row, or `length` bytes of one that is cut.
struct Portion {
  std::size_t first = 0, last = 0;
  std::uint64_t offset = 0, length = 0;
  bool cut = false;
};

/// One portion, compressed. Of members in a row `bytes` are their headers and data; of a cut one the data alone.
struct Part {
  Portion portion;
  std::string bytes;
  std::vector<Entry> entries;  ///< offsets count from the beginning of `bytes`
  std::uint32_t crc = 0;       ///< of a cut one
  Stamp stamp;                 ///< of a cut file
};

/// Unpacked bytes of a member.
std::uint64_t size_of(const Member& member);

/// Small members together, larger ones than a MiB cut; the same whatever compresses them.
std::vector<Portion> cut(const std::vector<const Member*>& members);

/// One thread's: its compressor, its buffer, and the file it is in.
class Packer {
 public:
  Packer(Compressor compressor, const std::vector<const Member*>& members, int level)
      : compressor_(std::move(compressor)), members_(members), level_(level) {}
  /// Errors: bad_input for a file that cannot be read, is none, or changes.
  Result<Part> pack(const Portion& portion);

 private:
  Result<void> pack_whole(const Member& member, Part& part);
  Result<void> pack_cut(const Member& member, Part& part);
  /// The bytes stay until the next call.
  Result<std::string_view> read_whole(const Member& member);
  Result<std::string_view> read_cut(const Member& member, Part& part);

  Compressor compressor_;
  const std::vector<const Member*>& members_;
  int level_;
  std::string buffer_, compressed_;
  std::optional<SourceFile> file_;
  const Member* of_ = nullptr;
};

}  // namespace crategate::zip
