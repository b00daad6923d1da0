#include "sys/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/strings.h"
#include "sys/beneath.h"

namespace crategate::sys {

Result<std::optional<FileLock>> FileLock::try_take(const Path& root, const Path& relative) {
  CG_TRY(const Place place, make_place(root, relative));
  constexpr int kFlags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  const int descriptor = ::openat(place.directory.get(), place.name.c_str(), kFlags, 0644);
  if (descriptor < 0) return fail(system_error(concat("cannot open the lock ", relative.string()), errno));
  FileLock lock(descriptor);
  while (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return std::nullopt;
    if (errno != EINTR) return fail(system_error(concat("cannot take the lock ", relative.string()), errno));
  }
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace crategate::sys
