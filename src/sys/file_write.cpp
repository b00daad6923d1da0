// Writing: whole files by rename, appended files whole or not at all, directories.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

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
  if (!file.valid()) return fail(system_error(concat("cannot write ", quoted(place.shown.string())), errno));
  give_to_owner(place.directory, file);
  return Temporary{std::move(file), name};
}

Result<void> rename_into_place(const Place& place, const std::string& temporary) {
  if (::renameat(place.directory.get(), temporary.c_str(), place.directory.get(), place.name.c_str()) == 0) return {};
  const int number = errno;
  ::unlinkat(place.directory.get(), temporary.c_str(), 0);
  return fail(system_error(concat("cannot write ", quoted(place.shown.string())), number));
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

}  // namespace crategate::sys
