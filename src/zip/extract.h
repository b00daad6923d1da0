// The files of an archive, all of them or none.
// Belongs here: making files.  Not here: judging the archive (directory), moving them to their place (staging).
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "zip/directory.h"
#include "zip/staging.h"

namespace crategate::zip {

struct ExtractOptions {
  Limits limits;
  Existing existing = Existing::refuse;
  unsigned workers = 0;  ///< threads; 0 = one per core
};

struct Extracted {
  std::size_t members = 0;
  std::uint64_t content = 0;  ///< bytes of the files
  std::string comment;
};

/// Unpacks `archive` below `destination`. The whole archive is checked before a file is made; every check sum is checked
/// before a file has its place (staging.h). Files keep their permission bits, without set-user-ID and the like, and can be
/// read by their owner. Links and devices are never made.
/// Errors: integrity (see read_directory, Unpacker), bad_input when a file would replace another or its place is not
/// below the destination, no_space, interrupted. Nothing is left behind then.
Result<Extracted> extract(const sys::Path& archive, const sys::Path& destination, const ExtractOptions& options);

}  // namespace crategate::zip
