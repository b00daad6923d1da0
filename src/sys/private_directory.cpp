// mkdtemp and flock. A sweeper that comes between the two is noticed: the directory is then gone, or locked.
#include "sys/private_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "base/strings.h"

namespace crategate::sys {
namespace {

constexpr std::array<const char*, 2> kPlaces = {"/dev/shm", "/tmp"};
constexpr std::string_view kPrefix = "crategate-private-";
constexpr int kTries = 8;

bool is_below(const Path& path, const Path& directory) {
  std::error_code ignored;
  const Path inner = std::filesystem::weakly_canonical(path, ignored);
  const Path outer = std::filesystem::weakly_canonical(directory, ignored);
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

/// A descriptor that holds the lock of a directory of this user; invalid when another process has it.
Descriptor lock(const Path& path) {
  Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status = {};
  const bool ours = directory.valid() && ::fstat(directory.get(), &status) == 0 && status.st_uid == ::geteuid() &&
                    status.st_nlink > 0;
  if (!ours || ::flock(directory.get(), LOCK_EX | LOCK_NB) != 0) return {};
  return directory;
}

/// Whether `path` still names what `directory` has open.
bool is_there(const Path& path, const Descriptor& directory) {
  struct stat named = {}, opened = {};
  return ::lstat(path.c_str(), &named) == 0 && ::fstat(directory.get(), &opened) == 0 &&
         named.st_ino == opened.st_ino && named.st_dev == opened.st_dev;
}

/// Those of kPlaces that there are, links followed.
std::vector<Path> places() {
  std::vector<Path> found;
  for (const char* place : kPlaces) {
    std::error_code error;
    const Path real = std::filesystem::canonical(place, error);
    if (!error) found.push_back(real);
  }
  return found;
}

/// An invalid descriptor and errno when nothing can be made in `place`.
std::pair<Path, Descriptor> make_in(const Path& place) {
  for (int i = 0; i < kTries; ++i) {
    std::string name = (place / concat(kPrefix, "XXXXXX")).string();
    if (::mkdtemp(name.data()) == nullptr) return {};
    Descriptor held = lock(name);
    if (held.valid() && is_there(name, held)) return {name, std::move(held)};
  }
  errno = EAGAIN;
  return {};
}

}  // namespace

Result<PrivateDirectory> PrivateDirectory::create(const std::vector<Path>& shared) {
  int number = EACCES;
  for (const Path& place : places()) {
    if (std::ranges::any_of(shared, [&](const Path& path) { return !path.empty() && is_below(place, path); })) continue;
    auto [path, held] = make_in(place);
    if (held.valid()) return PrivateDirectory(std::move(path), std::move(held));
    number = errno;
  }
  Error error = system_error("cannot make a private directory for credentials in /dev/shm or /tmp", number);
  error.hint = "give this process a /tmp that it can write and that is not the workspace";
  return fail(std::move(error));
}

void PrivateDirectory::sweep() {
  PosixFileSystem files;
  for (const Path& place : places()) {
    const auto names = files.list(place);
    for (const std::string& name : names.value_or(std::vector<std::string>{})) {
      if (!name.starts_with(kPrefix)) continue;
      const Path path = place / name;
      const Descriptor held = lock(path);
      if (held.valid()) static_cast<void>(files.remove_tree(path));
    }
  }
}

PrivateDirectory::PrivateDirectory(PrivateDirectory&& other) noexcept
    : path_(std::exchange(other.path_, Path())), lock_(std::move(other.lock_)) {}

PrivateDirectory& PrivateDirectory::operator=(PrivateDirectory&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(lock_, other.lock_);
  return *this;
}

PrivateDirectory::~PrivateDirectory() {
  if (!path_.empty()) static_cast<void>(PosixFileSystem().remove_tree(path_));
}

Result<void> PrivateDirectory::write(const std::string& name, std::string_view bytes) const {
  const Path path = path_ / name;
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  const int number = file.valid() ? write_all(file.get(), bytes) : errno;
  if (number != 0) return fail(system_error(concat("cannot write ", quoted(path.string())), number));
  return {};
}

void PrivateDirectory::link(const std::string& name, const Path& target) const {
  [[maybe_unused]] const int ignored = ::symlink(target.c_str(), (path_ / name).c_str());
}

bool is_writable(const Path& directory) {
  std::error_code ignored;
  Path existing = std::filesystem::absolute(directory, ignored);
  struct stat status = {};
  while (::stat(existing.c_str(), &status) != 0 && errno == ENOENT && existing.has_relative_path())
    existing = existing.parent_path();
  return S_ISDIR(status.st_mode) && ::access(existing.c_str(), W_OK | X_OK) == 0;
}

}  // namespace crategate::sys
