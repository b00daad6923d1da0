// Removing a tree that anybody may have made: of any depth, and with directories that their owner may not read.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "base/strings.h"
#include "sys/beneath.h"
#include "sys/directory_names.h"
#include "sys/file_system.h"

namespace crategate::sys {
namespace {

constexpr mode_t kOwner = 0700;

/// Opens a directory so that its content can be removed. -1 with errno.
Descriptor open_to_empty(const Descriptor& parent, const std::string& name) {
  constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  Descriptor opened(::openat(parent.get(), name.c_str(), kDirectory));
  if (!opened.valid() && errno == EACCES && ::fchmodat(parent.get(), name.c_str(), kOwner, 0) == 0)
    opened = Descriptor(::openat(parent.get(), name.c_str(), kDirectory));
  struct stat status = {};
  if (opened.valid() && ::fstat(opened.get(), &status) == 0 && (status.st_mode & kOwner) != kOwner)
    static_cast<void>(::fchmod(opened.get(), kOwner));  // what stays impossible is told by what is tried next
  return opened;
}

/// Empties a tree level by level: what directories hold in directories is moved up to the top first, so that no depth
/// needs more than two descriptors.
class Removal {
 public:
  explicit Removal(Descriptor top) : top_(std::move(top)) {}

  /// 0, or errno.
  int all() {
    for (;;) {
      const auto names = names_in(top_);
      if (!names) return errno;
      if (names->empty()) return 0;
      for (const auto& name : *names)
        if (const int number = at_top(name); number != 0) return number;
    }
  }

 private:
  int at_top(const std::string& name) {
    if (::unlinkat(top_.get(), name.c_str(), 0) == 0 || errno == ENOENT) return 0;
    if (errno != EISDIR) return errno;
    if (::unlinkat(top_.get(), name.c_str(), AT_REMOVEDIR) == 0) return 0;
    if (errno != ENOTEMPTY && errno != EEXIST && errno != EACCES) return errno;
    const Descriptor directory = open_to_empty(top_, name);
    if (!directory.valid()) return errno;
    const auto names = names_in(directory);
    if (!names) return errno;
    for (const auto& inner : *names)
      if (const int number = inside(directory, inner); number != 0) return number;
    return ::unlinkat(top_.get(), name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : errno;
  }

  int inside(const Descriptor& directory, const std::string& name) {
    if (::unlinkat(directory.get(), name.c_str(), 0) == 0 || errno == ENOENT) return 0;
    if (errno != EISDIR) return errno;
    if (::unlinkat(directory.get(), name.c_str(), AT_REMOVEDIR) == 0) return 0;
    const Descriptor readable = open_to_empty(directory, name);  // a directory that moves must be writable
    for (;;) {
      const std::string moved = concat(".crategate-removed-", ++moved_);
      if (::renameat(directory.get(), name.c_str(), top_.get(), moved.c_str()) == 0) return 0;
      if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR) return errno;
    }
  }

  Descriptor top_;
  std::uint64_t moved_ = 0;
};

/// Removes `name` from `parent`, a link as a link and a directory with what it holds. 0, or errno.
int remove_from(const Descriptor& parent, const std::string& name) {
  if (::unlinkat(parent.get(), name.c_str(), 0) == 0 || errno == ENOENT) return 0;
  if (errno != EISDIR) return errno;
  Descriptor directory = open_to_empty(parent, name);
  if (!directory.valid()) return errno;
  if (const int number = Removal(std::move(directory)).all(); number != 0) return number;
  return ::unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : errno;
}

}  // namespace

Result<void> PosixFileSystem::remove_tree(const Path& path) {
  auto components = components_below(path.relative_path());
  if (!components) return fail(ErrorCode::internal, concat("refusing to remove ", quoted(path.string())));
  const std::string name = components->back();
  components->pop_back();
  Descriptor parent = open_root(path.is_absolute() ? "/" : ".");
  if (parent.valid() && !components->empty()) parent = open_beneath(parent, *components, O_PATH | O_DIRECTORY);
  const int number = parent.valid() ? remove_from(parent, name) : errno;
  if (number == 0 || number == ENOENT) return {};
  return fail(system_error(concat("cannot remove ", quoted(path.string())), number));
}

}  // namespace crategate::sys
