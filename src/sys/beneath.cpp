// openat2 and its fallback.
#include "sys/beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/strings.h"
#include "sys/ownership.h"

namespace crategate::sys {
namespace {

constexpr int kDirectory = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr int kAttempts = 16;  ///< openat2 answers EAGAIN when a rename happens meanwhile

bool is_link(int directory, const std::string& name) {
  struct stat status = {};
  return ::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
}

Descriptor open_component(int directory, const std::string& name, int flags) {
  Descriptor opened(::openat(directory, name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC));
  if (!opened.valid()) {
    const int number = errno;
    errno = number == ENOTDIR && is_link(directory, name) ? ELOOP : number;
  }
  return opened;
}

/// O_PATH opens a symbolic link itself; a caller never wants that.
Descriptor refuse_link(Descriptor opened, int flags) {
  struct stat status = {};
  if (!opened.valid() || (flags & O_PATH) == 0) return opened;
  if (::fstat(opened.get(), &status) != 0 || !S_ISLNK(status.st_mode)) return opened;
  errno = ELOOP;
  return {};
}

Result<Descriptor> make_component(const Descriptor& parent, const std::string& name, const Path& relative) {
  const bool made = ::mkdirat(parent.get(), name.c_str(), 0755) == 0;
  if (!made && errno != EEXIST)
    return fail(
        system_error(concat("cannot make the directory ", quoted(name), " of ", quoted(relative.string())), errno));
  Descriptor opened = open_component(parent.get(), name, kDirectory);
  if (!opened.valid())
    return fail(system_error(concat("cannot write ", quoted(relative.string()), " through ", quoted(name)), errno));
  if (made) give_to_owner(parent, opened);
  return opened;
}

}  // namespace

Result<std::vector<std::string>> components_below(const Path& relative) {
  const std::string text = relative.string();
  const auto refuse = [&text](std::string_view why) {
    return fail(ErrorCode::bad_input, concat("the path ", quoted(text), " ", why),
                "name a file below the directory, without `..` and without a leading `/`");
  };
  if (text.empty()) return refuse("is empty");
  if (relative.is_absolute()) return refuse("is absolute, expected one below the project");
  if (text.find('\0') != std::string::npos) return refuse("contains a NUL byte");
  std::vector<std::string> components;
  for (const std::string& part : split(text, '/')) {
    if (part == "..") return refuse("leaves its directory");
    if (!part.empty() && part != ".") components.push_back(part);
  }
  if (components.empty()) return refuse("names no file");
  return components;
}

Descriptor open_root(const Path& directory) {
  return Descriptor(::open(directory.empty() ? "." : directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

Descriptor open_beneath(const Descriptor& root, const std::vector<std::string>& components, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC | O_NOFOLLOW);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const std::string path = join(components, "/");
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const long opened = ::syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how);
    if (opened >= 0) return refuse_link(Descriptor(static_cast<int>(opened)), flags);
    if (errno != EAGAIN && errno != EINTR) break;
  }
  // ENOSYS: an older kernel; EPERM: a container's system call filter that does not know the call.
  if (errno != ENOSYS && errno != EPERM && errno != EAGAIN) return {};
  return open_beneath_by_component(root, components, flags);
}

Descriptor open_beneath_by_component(const Descriptor& root, const std::vector<std::string>& components, int flags) {
  Descriptor directory;
  int at = root.get();
  for (std::size_t i = 0; i + 1 < components.size(); ++i) {
    Descriptor next = open_component(at, components[i], kDirectory);
    if (!next.valid()) return {};
    directory = std::move(next);
    at = directory.get();
  }
  return refuse_link(open_component(at, components.back(), flags), flags);
}

Result<Place> make_place(const Path& root, const Path& relative) {
  CG_CHECK(components_below(relative));
  Descriptor directory = open_root(root);
  if (!directory.valid() && errno == ENOENT) {
    CG_CHECK(PosixFileSystem().make_directories(root, 0755));
    directory = open_root(root);
  }
  if (!directory.valid()) return fail(system_error(concat("cannot open the directory ", quoted(root.string())), errno));
  CG_TRY(auto place, make_place(directory, relative));
  place.shown = root / relative;
  return place;
}

Result<Place> make_place(const Descriptor& root, const Path& relative) {
  CG_TRY(const auto components, components_below(relative));
  Descriptor directory(::openat(root.get(), ".", kDirectory));
  if (!directory.valid()) return fail(system_error(concat("cannot write ", quoted(relative.string())), errno));
  for (std::size_t i = 0; i + 1 < components.size(); ++i) {
    CG_TRY(directory, make_component(directory, components[i], relative));
  }
  return Place{std::move(directory), components.back(), relative};
}

}  // namespace crategate::sys
