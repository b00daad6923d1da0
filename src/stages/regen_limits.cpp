#include "stages/regen_limits.h"

#include <algorithm>

#include "base/strings.h"
#include "sys/file_system.h"

namespace crategate::stages {
namespace {

/// As the engine compares places: without `.`, `..` and a slash at the end.
std::string plain_place(const std::string& volume) {
  std::string place = sys::Path(volume).lexically_normal().string();
  while (place.size() > 1 && place.ends_with('/')) place.pop_back();
  return place;
}

}  // namespace

Result<void> limit_volumes(docker::ContainerSpec& spec, const std::vector<std::string>& volumes,
                           const std::string& options) {
  for (const auto& volume : volumes) {
    const std::string place = plain_place(volume);
    if (!place.starts_with('/') || place == "/") {
      return fail(
          ErrorCode::bad_input,
          concat("the image ", spec.image, ": expected volumes that a limit can be set for, found ", quoted(volume)),
          "Leave this VOLUME out of the CI image's Dockerfile, or give it an absolute path below /.");
    }
    if (place != spec.workdir) spec.limits.tmpfs.try_emplace(place, options);
  }
  return {};
}

Result<DiskWatch> DiskWatch::begin(FreeSpace free) {
  CG_TRY(const std::uint64_t now, free());
  const std::uint64_t room = std::min(kDiskRoom, now / 2);
  return DiskWatch(std::move(free), room, now - room);
}

Result<void> DiskWatch::check() const {
  CG_TRY(const std::uint64_t free, free_());
  if (free >= least_) return {};
  return fail(ErrorCode::bad_input,
              concat("the disk: expected at most ", format_bytes(room_), " less of free space, found ",
                     format_bytes(least_ - free), " more taken"),
              "Files that were removed and are still open count, and so do other programs on this disk.");
}

}  // namespace crategate::stages
