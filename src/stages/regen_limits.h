// What the command of /regen may take of the disk, where neither the container's limits nor the folder's entries show it.
// Belongs here: volumes of the image, the space that is left.  Not here: the container (regen), the folder (regen_tree).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "docker/engine.h"

namespace crategate::stages {

/// What becomes of the disk while the command runs, at most; half of it where less than twice as much is free. Wider than
/// the folder's room, because other programs count too.
inline constexpr std::uint64_t kDiskRoom = 2048ull << 20;

/// For a volume of the image (VOLUME) the engine makes a writable place on its disk, also beside a root that is
/// read-only. Each becomes a tmpfs with `options`, but for the one that `spec` mounts something at.
/// Errors: bad_input for a place that no tmpfs can be laid on.
Result<void> limit_volumes(docker::ContainerSpec& spec, const std::vector<std::string>& volumes,
                           const std::string& options);

/// The disk that a folder is on. Files that were removed and are still open are on it, and in no folder.
class DiskWatch {
 public:
  using FreeSpace = std::function<Result<std::uint64_t>()>;
  /// `free`: bytes that can still be written there. Errors: its own.
  static Result<DiskWatch> begin(FreeSpace free);
  /// Errors: bad_input when too much was taken since the beginning.
  Result<void> check() const;

 private:
  DiskWatch(FreeSpace free, std::uint64_t room, std::uint64_t least)
      : free_(std::move(free)), room_(room), least_(least) {}
  FreeSpace free_;
  std::uint64_t room_, least_;
};

}  // namespace crategate::stages
