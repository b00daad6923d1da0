// Writing: whole files by rename, appended files whole or not at all, directories.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>

#include "base/strings.h"
#include "sys/beneath.h"
#include "sys/environment.h"
#include "sys/file_system.h"
#include "sys/ownership.h"

namespace crategate::sys {
namespace {

struct Temporary {
  Descriptor file;
  std::string name;
};

Result<Temporary> create_temporary(const Place& place, unsigned mode) {
  const std::string name = concat(".crategate-", random_hex(16));
  Descriptor file(::openat(place.directory.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                           static_cast<mode_t>(mode)));
  if (!file.valid()) return fail(system_error(concat("cannot write ", quoted(place.name)), errno));
  give_to_owner(place.directory, file);
  return Temporary{std::move(file), name};
}

Result<void> rename_into_place(const Place& place, const std::string& temporary) {
  if (::renameat(place.directory.get(), temporary.c_str(), place.directory.get(), place.name.c_str()) == 0) return {};
  const int number = errno;
  ::unlinkat(place.directory.get(), temporary.c_str(), 0);
  return fail(system_error(concat("cannot write ", quoted(place.name)), number));
}

/// Makes the rename itself durable; a file system that cannot is not an error.
void sync_directory(const Place& place) {
  const Descriptor directory(::openat(place.directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.valid()) ::fsync(directory.get());
}

Result<void> append_all(const Descriptor& file, const Path& path, std::string_view bytes) {
  struct stat before = {};
  if (::fstat(file.get(), &before) != 0 || !S_ISREG(before.st_mode))
    return fail(ErrorCode::bad_input, concat(quoted(path.string()), " is not a regular file"), "name a regular file");
  const int number = write_all(file.get(), bytes);
  if (number == 0) return {};
  Error error = system_error(concat("cannot append to ", quoted(path.string())), number);
  if (::ftruncate(file.get(), before.st_size) != 0) error.message += "; what was written could not be taken back";
  return fail(std::move(error));
}

/// None when the directory cannot be read: then it cannot be removed either, unless it is empty.
std::vector<std::string> names_in(const Descriptor& directory) {
  const int opened = ::openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(opened < 0 ? nullptr : ::fdopendir(opened), ::closedir);
  std::vector<std::string> names;
  while (const dirent* entry = entries ? ::readdir(entries.get()) : nullptr) {
    const std::string_view found = entry->d_name;
    if (found != "." && found != "..") names.emplace_back(found);
  }
  return names;
}

/// Removes `name` from `parent`, a link as a link and a directory with what it holds. 0, or errno.
int remove_from(const Descriptor& parent, const std::string& name) {
  if (::unlinkat(parent.get(), name.c_str(), 0) == 0 || errno == ENOENT) return 0;
  if (errno != EISDIR) return errno;
  const Descriptor directory(::openat(parent.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory.valid()) return errno;
  for (const std::string& entry : names_in(directory)) {
    if (const int number = remove_from(directory, entry); number != 0) return number;
  }
  return ::unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : errno;
}

}  // namespace

Result<Descriptor> create_replacing(const Place& place, unsigned mode) {
  CG_TRY(Temporary temporary, create_temporary(place, mode));
  CG_CHECK(rename_into_place(place, temporary.name));
  return std::move(temporary.file);
}

Result<void> PosixFileSystem::write_below(const Path& root, const Path& relative, std::string_view bytes,
                                          Durability durability) {
  CG_TRY(const Place place, make_place(root, relative));
  CG_TRY(const Temporary temporary, create_temporary(place, 0644));
  int number = write_all(temporary.file.get(), bytes);
  if (number == 0 && durability == Durability::machine && ::fsync(temporary.file.get()) != 0) number = errno;
  if (number != 0) {
    ::unlinkat(place.directory.get(), temporary.name.c_str(), 0);
    return fail(system_error(concat("cannot write ", quoted(relative.string())), number));
  }
  CG_CHECK(rename_into_place(place, temporary.name));
  if (durability == Durability::machine) sync_directory(place);
  return {};
}

Result<void> PosixFileSystem::append(const Path& path, std::string_view bytes) {
  constexpr int kFlags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  Descriptor file(::open(path.c_str(), kFlags));
  if (!file.valid() && errno == ENOENT) {
    file = Descriptor(::open(path.c_str(), kFlags | O_CREAT, 0644));
    if (file.valid()) give_to_owner(path.string());
  }
  if (!file.valid()) return fail(system_error(concat("cannot append to ", quoted(path.string())), errno));
  return append_all(file, path, bytes);
}

Result<void> PosixFileSystem::make_directories(const Path& path, unsigned mode) {
  Path made;
  for (const Path& part : path) {
    made /= part;
    if (::mkdir(made.c_str(), static_cast<mode_t>(mode)) == 0) {
      give_to_owner(made.string());
      continue;
    }
    if (errno == EEXIST) continue;
    return fail(system_error(concat("cannot make the directory ", quoted(made.string())), errno));
  }
  struct stat status = {};
  if (!path.empty() && ::stat(path.c_str(), &status) != 0)
    return fail(system_error(concat("cannot make the directory ", quoted(path.string())), errno));
  if (!path.empty() && !S_ISDIR(status.st_mode))
    return fail(system_error(concat("cannot make the directory ", quoted(path.string())), ENOTDIR));
  return {};
}

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
