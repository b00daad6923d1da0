#include "sys/empty_directory.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/strings.h"
#include "sys/beneath.h"
#include "sys/cancel.h"
#include "sys/directory_names.h"

namespace crategate::sys {
namespace {

constexpr std::uint64_t kBlock = 512;  // the unit of st_blocks
constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

/// A directory on the same mount; -1 with errno, EXDEV for another one. A kernel without openat2 sees other file systems
/// only (by `device`).
Descriptor open_on_same_mount(const Descriptor& parent, const std::string& name, dev_t device) {
  open_how how = {};
  how.flags = static_cast<std::uint64_t>(kDirectory);
  how.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS;
  Descriptor opened(static_cast<int>(::syscall(SYS_openat2, parent.get(), name.c_str(), &how, sizeof how)));
  if (!opened.valid() && (errno == ENOSYS || errno == EPERM))
    opened = Descriptor(::openat(parent.get(), name.c_str(), kDirectory));
  struct stat status = {};
  if (opened.valid() && (::fstat(opened.get(), &status) != 0 || status.st_dev != device)) {
    opened.reset();
    errno = EXDEV;
  }
  return opened;
}

class Emptying {
 public:
  Emptying(const KeepDirectory& keep, dev_t device) : keep_(keep), device_(device) {}

  /// False: something of it stays, so that it cannot be removed itself.
  bool content_of(const Descriptor& directory, const std::string& shown) {
    const auto names = names_in(directory);
    if (!names) return failed(shown, errno);
    if (keep_ && keep_(*names)) return kept();
    bool all = true;
    for (const auto& name : *names) {
      if (!check_cancelled()) return false;
      all = entry(directory, name) && all;
    }
    return all;
  }
  const Emptied& result() const { return result_; }

 private:
  bool entry(const Descriptor& parent, const std::string& name) {
    struct stat status = {};
    if (::fstatat(parent.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return failed(name, errno);
    if (!S_ISDIR(status.st_mode)) return removed(parent, name, 0, status);
    const Descriptor directory = open_on_same_mount(parent, name, device_);
    if (!directory.valid()) return errno == EXDEV ? kept() : failed(name, errno);
    return content_of(directory, name) && removed(parent, name, AT_REMOVEDIR, status);
  }

  bool removed(const Descriptor& parent, const std::string& name, int flags, const struct stat& status) {
    if (::unlinkat(parent.get(), name.c_str(), flags) != 0 && errno != ENOENT) return failed(name, errno);
    ++result_.removed;
    if (flags != 0 || status.st_nlink == 1) result_.bytes += static_cast<std::uint64_t>(status.st_blocks) * kBlock;
    return true;
  }

  bool kept() {
    ++result_.kept;
    return false;
  }

  bool failed(const std::string& name, int number) {
    if (result_.failures++ == 0)
      result_.first_failure = concat(quoted(name), ": ", std::system_category().message(number));
    return false;
  }

  const KeepDirectory& keep_;
  dev_t device_;
  Emptied result_;
};

}  // namespace

Result<std::optional<Emptied>> empty_directory(const Path& directory, const KeepDirectory& keep) {
  CG_TRY(const auto components, components_below(directory.relative_path()));
  const Descriptor opened = open_beneath(open_root("/"), components, O_RDONLY | O_DIRECTORY);
  if (!opened.valid() && errno == ENOENT) return std::nullopt;
  struct stat status = {};
  if (!opened.valid() || ::fstat(opened.get(), &status) != 0) {
    return fail(ErrorCode::bad_input,
                concat(quoted(directory.string()), ": expected a directory reached without links, found ",
                       std::system_category().message(errno)),
                "Name the directory itself, by its real path.");
  }
  Emptying work(keep, status.st_dev);
  work.content_of(opened, directory.string());
  CG_CHECK(check_cancelled());
  return work.result();
}

}  // namespace crategate::sys
