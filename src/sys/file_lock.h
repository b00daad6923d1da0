// A lock between the processes of one machine, which ends with its process.
#pragma once

#include <optional>

#include "base/result.h"
#include "sys/file_system.h"

namespace crategate::sys {

class FileLock {
 public:
  /// nullopt = another process (or another lock of this one) has it. The file is made where it is missing, and stays.
  /// Errors: bad_input (a link, an escape), no_space, internal.
  static Result<std::optional<FileLock>> try_take(const Path& root, const Path& relative);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace crategate::sys
