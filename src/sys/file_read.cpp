// Reading: regular files only, sizes checked before a byte is read.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/strings.h"
#include "sys/beneath.h"
#include "sys/file_system.h"
#include "sys/regular_file.h"

namespace crategate::sys {
namespace {

constexpr std::size_t kSmallBlock = 4u << 10, kBlock = 64u << 10;

Failure refuse(const Path& path, std::string_view found) {
  return fail(ErrorCode::bad_input, concat(quoted(path.string()), " is ", found, ", expected a regular file"),
              "put the file itself there");
}

Failure too_large(const Path& path, std::uint64_t size, std::uint64_t limit) {
  return fail(ErrorCode::bad_input,
              concat(quoted(path.string()), " has ", format_bytes(size), ", expected at most ", format_bytes(limit)),
              "name a smaller file");
}

Result<std::optional<std::string>> finish(const Descriptor& file, int number, const Path& path, std::uint64_t limit) {
  if (file.valid()) {
    CG_TRY(std::string bytes, read_regular_file(file, path, limit));
    return bytes;
  }
  if (number == ENOENT) return std::nullopt;
  if (number == ELOOP) return refuse(path, "or goes through a symbolic link");
  if (number == ENXIO) return refuse(path, "a socket or device");
  return fail(system_error(concat("cannot read ", quoted(path.string())), number));
}

}  // namespace

std::string_view file_kind(unsigned mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a named pipe";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISLNK(mode)) return "a symbolic link";
  return "a device";
}

Result<std::string> read_regular_file(const Descriptor& file, const Path& path, std::uint64_t limit) {
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0)
    return fail(system_error(concat("cannot read ", quoted(path.string())), errno));
  if (!S_ISREG(status.st_mode)) return refuse(path, file_kind(status.st_mode));
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > limit) return too_large(path, size, limit);
  std::string bytes;
  bytes.reserve(static_cast<std::size_t>(size));
  // Files of /proc say that they are empty.
  std::string block(std::clamp<std::size_t>(static_cast<std::size_t>(size) + 1, kSmallBlock, kBlock), '\0');
  while (true) {
    const ssize_t count = ::read(file.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(system_error(concat("cannot read ", quoted(path.string())), errno));
    if (count == 0) return bytes;
    bytes.append(block, 0, static_cast<std::size_t>(count));
    if (bytes.size() > limit) return too_large(path, bytes.size(), limit);
  }
}

Result<std::optional<std::string>> PosixFileSystem::read_below(const Path& root, const Path& relative,
                                                               std::uint64_t limit) const {
  CG_TRY(const auto components, components_below(relative));
  const Descriptor directory = open_root(root);
  if (!directory.valid()) return finish(directory, errno, root, limit);
  const Descriptor file = open_beneath(directory, components, kOpenToRead);
  return finish(file, file.valid() ? 0 : errno, relative, limit);
}

Result<std::optional<std::string>> PosixFileSystem::read(const Path& path, std::uint64_t limit) const {
  const Descriptor file(::open(path.c_str(), kOpenToRead));
  return finish(file, file.valid() ? 0 : errno, path, limit);
}

Result<std::vector<std::string>> PosixFileSystem::list(const Path& directory) const {
  std::error_code error;
  std::vector<std::string> names;
  std::filesystem::directory_iterator entry(directory, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
    names.push_back(entry->path().filename().string());
  if (error && error != std::errc::no_such_file_or_directory)
    return fail(system_error(concat("cannot list ", quoted(directory.string())), error.value()));
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::vector<std::string>> PosixFileSystem::files_below(const Path& directory) const {
  std::error_code error;
  std::vector<std::string> paths;
  std::filesystem::recursive_directory_iterator entry(directory, error);
  for (; !error && entry != std::filesystem::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code gone;
    if (entry->symlink_status(gone).type() == std::filesystem::file_type::regular)
      paths.push_back(entry->path().lexically_relative(directory).string());
  }
  if (error && error != std::errc::no_such_file_or_directory)
    return fail(system_error(concat("cannot list ", quoted(directory.string())), error.value()));
  std::sort(paths.begin(), paths.end());
  return paths;
}

bool PosixFileSystem::exists(const Path& path) const {
  struct stat status = {};
  return ::lstat(path.c_str(), &status) == 0;
}

Result<std::uint64_t> PosixFileSystem::free_space(const Path& path) const {
  struct statvfs status = {};
  Path existing = std::filesystem::absolute(path);
  while (::statvfs(existing.c_str(), &status) != 0) {
    if (errno != ENOENT || !existing.has_relative_path())
      return fail(system_error(concat("cannot tell the free space at ", quoted(path.string())), errno));
    existing = existing.parent_path();
  }
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

}  // namespace crategate::sys
