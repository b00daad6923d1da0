#include "sys/ownership.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/strings.h"

namespace crategate::sys {
namespace {

/// Whether what is made in the directory of this status is to be given away.
bool is_anothers(const struct stat& directory) { return ::geteuid() == 0 && directory.st_uid != 0; }

}  // namespace

void give_to_owner(const Descriptor& directory, const Descriptor& made) {
  struct stat status = {};
  if (::fstat(directory.get(), &status) != 0 || !is_anothers(status)) return;
  [[maybe_unused]] const int ignored = ::fchownat(made.get(), "", status.st_uid, status.st_gid, AT_EMPTY_PATH);
}

void give_to_owner(int directory, const std::string& name) {
  struct stat status = {};
  if (::fstatat(directory, "", &status, AT_EMPTY_PATH) != 0 || !is_anothers(status)) return;
  [[maybe_unused]] const int ignored =
      ::fchownat(directory, name.c_str(), status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW);
}

void give_to_owner(const std::string& path) {
  struct stat status = {};
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  if (::stat(parent.empty() ? "." : parent.c_str(), &status) != 0 || !is_anothers(status)) return;
  [[maybe_unused]] const int ignored =
      ::fchownat(AT_FDCWD, path.c_str(), status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW);
}

std::string owner_of_new_files(const std::string& directory) {
  struct stat status = {};
  const bool known = ::stat(directory.c_str(), &status) == 0 && is_anothers(status);
  return concat(known ? status.st_uid : ::geteuid(), ":", known ? status.st_gid : ::getegid());
}

}  // namespace crategate::sys
