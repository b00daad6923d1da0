// Emptying a directory of somebody else's files, without ever leaving it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sys/file_system.h"

namespace crategate::sys {

struct Emptied {
  std::uint64_t removed = 0;   ///< files, links and directories
  std::uint64_t bytes = 0;     ///< that they took on the disk
  std::uint64_t kept = 0;      ///< directories left alone: another mount, or `keep` said so
  std::uint64_t failures = 0;  ///< what could not be removed; none of it ends the work
  std::string first_failure;   ///< "name: reason"
};

/// True for the names in a directory that is to stay with all it holds.
using KeepDirectory = std::function<bool(const std::vector<std::string>& names)>;

/// Removes what `directory` holds; itself it stays. No symbolic link is followed, on the way there or below, and no mount
/// is crossed. nullopt = there is no such directory.
/// Errors: bad_input for a path with a link in it, or of no directory; interrupted.
Result<std::optional<Emptied>> empty_directory(const Path& directory, const KeepDirectory& keep);

}  // namespace crategate::sys
