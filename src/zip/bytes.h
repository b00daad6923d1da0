// Bytes at known places, and bytes as they come: what archives are read from and written to.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/result.h"
#include "sys/file_system.h"

namespace crategate::zip {

/// Takes bytes as they arrive; an error ends the work.
using ByteSink = std::function<Result<void>(std::string_view)>;

/// A file or text that can be read anywhere, by several threads at a time.
struct Bytes {
  std::uint64_t size = 0;
  /// Exactly `length` bytes that lie within `size`.
  /// Errors: integrity when the file has become shorter, else of the system.
  std::function<Result<void>(std::uint64_t offset, char* to, std::size_t length)> read;
};

/// A regular file, opened now: it stays the same one whatever its name does later.
/// Errors: not_found, bad_input.
Result<Bytes> bytes_of_file(const sys::Path& path);
/// `text` must outlive it.
Bytes bytes_in_memory(std::string_view text);

}  // namespace crategate::zip
