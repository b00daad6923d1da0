// pread: no position that threads would share.
#include "zip/bytes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/strings.h"
#include "sys/descriptor.h"

namespace crategate::zip {

Result<Bytes> bytes_of_file(const sys::Path& path) {
  const auto file =
      std::make_shared<sys::Descriptor>(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  const std::string what = concat("cannot read ", quoted(path.string()));
  if (!file->valid() && errno == ENOENT) return fail(ErrorCode::not_found, concat(what, ": there is no such file"));
  struct stat status = {};
  if (!file->valid() || ::fstat(file->get(), &status) != 0) return fail(sys::system_error(what, errno));
  if (!S_ISREG(status.st_mode)) return fail(ErrorCode::bad_input, concat(what, ": it is not a regular file"));
  return Bytes{static_cast<std::uint64_t>(status.st_size),
               [file, what](std::uint64_t offset, char* to, std::size_t length) -> Result<void> {
                 while (length > 0) {
                   const ssize_t count = ::pread(file->get(), to, length, static_cast<off_t>(offset));
                   if (count < 0 && errno == EINTR) continue;
                   if (count < 0) return fail(sys::system_error(what, errno));
                   if (count == 0) return fail(ErrorCode::integrity, concat(what, ": it became shorter meanwhile"));
                   to += count;
                   offset += static_cast<std::uint64_t>(count);
                   length -= static_cast<std::size_t>(count);
                 }
                 return {};
               }};
}

Bytes bytes_in_memory(std::string_view text) {
  return {text.size(), [text](std::uint64_t offset, char* to, std::size_t length) -> Result<void> {
            if (text.copy(to, length, offset) == length) return {};
            return fail(ErrorCode::internal, "read behind the end of a text");
          }};
}

}  // namespace crategate::zip
