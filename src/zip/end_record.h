// Where a zip file ends and where its central directory lies.
// Belongs here: the end record and its zip64 form.  Not here: what the directory says (directory).
#pragma once

#include "base/result.h"
#include "zip/bytes.h"

namespace crategate::zip {

struct EndRecord {
  std::uint64_t members = 0;
  std::uint64_t offset = 0;  ///< of the central directory
  std::uint64_t size = 0;    ///< of the central directory, which ends where the end records begin
  std::string comment;
};

/// Errors: integrity (see read_directory).
Result<EndRecord> read_end(const Bytes& archive);

/// "the archive …", with what to do; for everything that is refused of one.
Failure refuse_archive(std::string_view why);

}  // namespace crategate::zip
