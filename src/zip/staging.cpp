// Descriptors only below the two folders: no link is followed in either.
#include "zip/staging.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/strings.h"
#include "sys/beneath.h"
#include "sys/environment.h"
#include "sys/ownership.h"

namespace crategate::zip {
namespace {

constexpr unsigned kPrivate = 0700;

Failure refuse(const sys::Path& path, std::string_view why) {
  return fail(ErrorCode::bad_input, concat(quoted(path.string(), 200), " ", why),
              "name an empty or a new folder, or ask for files to be replaced");
}

Failure cannot_write(const sys::Path& path, int number) {
  return fail(sys::system_error(concat("cannot write ", quoted(path.string(), 200)), number));
}

/// A name without the '/' of directories.
std::string plain(const Entry& entry) {
  return entry.directory ? entry.name.substr(0, entry.name.size() - 1) : entry.name;
}

/// What has the name of `entry` below `root` now; nullopt = nothing.
Result<std::optional<mode_t>> mode_below(const sys::Descriptor& root, const Entry& entry) {
  CG_TRY(auto components, sys::components_below(plain(entry)));
  const std::string last = components.back();
  components.pop_back();
  sys::Descriptor parent;
  if (!components.empty()) parent = sys::open_beneath(root, components, O_PATH | O_DIRECTORY);
  const int at = components.empty() ? root.get() : parent.get();
  struct stat status = {};
  if (at >= 0 && ::fstatat(at, last.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return status.st_mode;
  if (errno == ENOENT) return std::nullopt;
  return cannot_write(entry.name, errno);
}

Result<void> check_place(const sys::Descriptor& root, const Entry& entry, Existing existing) {
  CG_TRY(const auto mode, mode_below(root, entry));
  if (!mode) return {};
  if (S_ISDIR(*mode) && entry.directory) return {};
  if (S_ISDIR(*mode) || entry.directory) return refuse(entry.name, "is a folder on one side and a file on the other");
  if (existing == Existing::replace && (S_ISREG(*mode) || S_ISLNK(*mode))) return {};
  return refuse(entry.name, "is already there");
}

bool has_nothing(const sys::Path& directory) {
  std::error_code error;
  return std::filesystem::is_empty(directory, error) && !error;
}

}  // namespace

Staging::Staging(sys::Path destination, sys::Path path, bool merges, Existing existing)
    : destination_(std::move(destination)),
      path_(std::move(path)),
      directory_(sys::open_root(path_)),
      merges_(merges),
      existing_(existing) {}

Staging::Staging(Staging&& other) noexcept
    : destination_(std::move(other.destination_)),
      path_(std::exchange(other.path_, {})),
      directory_(std::move(other.directory_)),
      merges_(other.merges_),
      existing_(other.existing_) {}

Staging::~Staging() {
  if (!path_.empty()) static_cast<void>(sys::PosixFileSystem().remove_tree(path_));
}

Result<Staging> Staging::create(const sys::Path& destination, const std::vector<Entry>& entries, Existing existing) {
  sys::Path place = std::filesystem::absolute(destination).lexically_normal();
  if (!place.has_filename()) place = place.parent_path();
  struct stat status = {};
  const bool merges = ::stat(place.c_str(), &status) == 0;
  if (!merges && errno != ENOENT) return cannot_write(place, errno);
  if (merges && !S_ISDIR(status.st_mode)) return refuse(place, "is not a folder");
  if (merges && existing == Existing::refuse && !has_nothing(place)) return refuse(place, "is not empty");
  if (merges) {
    const sys::Descriptor root = sys::open_root(place);
    if (!root.valid()) return cannot_write(place, errno);
    for (const Entry& entry : entries) CG_CHECK(check_place(root, entry, existing));
  } else {
    CG_CHECK(sys::PosixFileSystem().make_directories(place.parent_path(), 0755));
  }
  const sys::Path path = (merges ? place : place.parent_path()) / concat(".crategate-", sys::random_hex(16));
  if (::mkdir(path.c_str(), kPrivate) != 0) return cannot_write(path, errno);
  sys::give_to_owner(path.string());
  Staging staging(place, path, merges, existing);
  if (!staging.directory_.valid()) return cannot_write(path, errno);
  return staging;
}

Result<void> Staging::give(const std::vector<Entry>& entries) {
  if (merges_) {
    for (const Entry& entry : entries) CG_CHECK(merge(entry));
    return {};
  }
  if (::chmod(path_.c_str(), 0755) != 0 || ::rename(path_.c_str(), destination_.c_str()) != 0)
    return cannot_write(destination_, errno);
  path_.clear();
  return {};
}

Result<void> Staging::merge(const Entry& entry) {
  const std::string name = plain(entry);
  CG_TRY(const auto from, sys::make_place(path_, name));
  CG_TRY(const auto to, sys::make_place(destination_, name));
  if (entry.directory) {
    if (::mkdirat(to.directory.get(), to.name.c_str(), 0755) != 0)
      return errno == EEXIST ? Result<void>() : cannot_write(name, errno);
    sys::give_to_owner(to.directory.get(), to.name);
    return ::fchmodat(to.directory.get(), to.name.c_str(), entry.mode | kPrivate, 0) == 0 ? Result<void>()
                                                                                          : cannot_write(name, errno);
  }
  const unsigned flags = existing_ == Existing::replace ? 0 : RENAME_NOREPLACE;
  if (::renameat2(from.directory.get(), from.name.c_str(), to.directory.get(), to.name.c_str(), flags) == 0) return {};
  return cannot_write(name, errno);
}

}  // namespace crategate::zip
