// Joining deflate streams (RFC 1951) that were compressed apart, so that one file can be compressed on many cores.
// Belongs here: where the last block of a stream begins.  Not here: compressing (deflate), unpacking (inflate).
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace crategate::zip {

/// Opens the end of a whole deflate stream: the mark of its last block is cleared, and an empty stored block takes it to
/// a byte boundary, so that the blocks of another stream can follow.
/// The codes are walked without their text being made; what they stand for must be `length` bytes, and must end where the
/// stream does. Errors: internal when it is not so (a defect of the compressor or of this walk; nothing is guessed).
Result<void> open_end(std::string& stream, std::uint64_t length);

}  // namespace crategate::zip
