// An archive from its members, as a stream.
// Belongs here: reading files, compressing on all cores, the order of the bytes.  Not here: which files (selection).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "zip/bytes.h"
#include "zip/deflate.h"
#include "zip/member.h"

namespace crategate::zip {

struct WriteOptions {
  int level = kDefaultLevel;
  unsigned workers = 0;  ///< threads that compress; 0 = one per core
  std::string comment;   ///< of the archive
};

struct Written {
  std::uint64_t size = 0;  ///< bytes of the archive
  std::string sha256;      ///< of the archive, 64 lower-case hex digits
  std::size_t members = 0;
  std::uint64_t content = 0;  ///< bytes of the members, unpacked
};

/// Writes members in the order of their names. Equal members and options give equal bytes, whatever the number of
/// threads: files are cut at the same places, and no time is kept. Memory: a few MiB per thread.
/// A file of more than a MiB is compressed in parts that make one stream, its sizes in a descriptor behind it; all others
/// have them in front.
/// Errors: bad_input for names that cannot be extracted (names.h), for a file that cannot be read, is none, or changes
/// meanwhile, a level or comment that the format has no room for; interrupted; whatever the sink answers.
Result<Written> write(const std::vector<Member>& members, const WriteOptions& options, const ByteSink& sink);

}  // namespace crategate::zip
