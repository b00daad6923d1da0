// Descriptors and errno.
#include "sys/descriptor.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/strings.h"

namespace crategate::sys {

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    reset();
    value_ = other.release();
  }
  return *this;
}

void Descriptor::reset() {
  if (value_ >= 0) ::close(value_);
  value_ = -1;
}

Error system_error(std::string_view what, int number) {
  const std::string reason = std::generic_category().message(number);
  Error error{.code = ErrorCode::internal, .message = concat(what, ": ", reason)};
  switch (number) {
    case ENOSPC:
    case EDQUOT:
      error.code = ErrorCode::no_space;
      error.hint = "free some disk space and run the same command again";
      break;
    case EFBIG:
      error.code = ErrorCode::no_space;
      error.hint = "raise the limit on the size of files (ulimit -f), or name another place";
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      error.code = ErrorCode::bad_input;
      error.hint = "give this user access to it, or name another place";
      break;
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case EEXIST:
    case ENXIO:
    case EINVAL:
    case ENOTEMPTY:
      error.code = ErrorCode::bad_input;
      error.hint = "correct the path";
      break;
    default:
      break;
  }
  return error;
}

int write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

}  // namespace crategate::sys
