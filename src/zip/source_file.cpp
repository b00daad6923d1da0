// Never blocks on a pipe; the state is compared after every read.
#include "zip/source_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/strings.h"

namespace crategate::zip {
namespace {

Stamp stamp_of(const struct stat& status) {
  const auto nanoseconds = [](const timespec& time) {
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
  };
  return {static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino),
          static_cast<std::uint64_t>(status.st_size), nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)};
}

std::string cannot_read(const sys::Path& path) { return concat("cannot read ", quoted(path.string(), 200)); }

}  // namespace

Failure changed_meanwhile(const sys::Path& path) {
  return fail(ErrorCode::bad_input, concat("the file ", quoted(path.string(), 200), " changed while it was read"),
              "let what writes it end first, or leave it out");
}

Result<SourceFile> SourceFile::open(const Member& member) {
  sys::Descriptor file(::open(member.source.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat status = {};
  if (!file.valid() || ::fstat(file.get(), &status) != 0)
    return fail(sys::system_error(cannot_read(member.source), errno));
  if (!S_ISREG(status.st_mode))
    return fail(ErrorCode::bad_input, concat(cannot_read(member.source), ": it is no regular file"),
                "leave it out; archives hold files and directories");
  if (static_cast<std::uint64_t>(status.st_size) != member.size) return changed_meanwhile(member.source);
  return SourceFile(std::move(file), member.source, stamp_of(status));
}

Result<void> SourceFile::read(std::uint64_t offset, std::string& to) const {
  for (std::size_t done = 0; done < to.size();) {
    const ssize_t count = ::pread(file_.get(), to.data() + done, to.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(sys::system_error(cannot_read(path_), errno));
    if (count == 0) return changed_meanwhile(path_);
    done += static_cast<std::size_t>(count);
  }
  struct stat status = {};
  if (::fstat(file_.get(), &status) != 0 || stamp_of(status) != stamp_) return changed_meanwhile(path_);
  return {};
}

}  // namespace crategate::zip
