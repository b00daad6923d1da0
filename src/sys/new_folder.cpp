#include "sys/new_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/strings.h"
#include "sys/beneath.h"
#include "sys/ownership.h"

namespace crategate::sys {
namespace {

constexpr mode_t kPrivate = 0700, kFile = 0644, kExecutable = 0755;

Failure cannot_make(const std::string& relative, int number) {
  return fail(system_error(concat("cannot make ", quoted(relative)), number));
}

}  // namespace

Result<NewFolder> NewFolder::create(const Path& folder) {
  if (::mkdir(folder.c_str(), kPrivate) != 0) return cannot_make(folder.string(), errno);
  give_to_owner(folder.string());
  Descriptor directory(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory.valid()) return cannot_make(folder.string(), errno);
  return NewFolder(std::move(directory));
}

Result<void> NewFolder::add_file(const std::string& relative, std::string_view bytes, bool executable) const {
  CG_TRY(const Place place, make_place(directory_, relative));
  const Descriptor file(::openat(place.directory.get(), place.name.c_str(),
                                 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                                 executable ? kExecutable : kFile));
  if (!file.valid()) return cannot_make(relative, errno);
  give_to_owner(place.directory, file);
  if (const int number = write_all(file.get(), bytes); number != 0) return cannot_make(relative, number);
  return {};
}

Result<void> NewFolder::add_link(const std::string& relative, const std::string& target) const {
  CG_TRY(const Place place, make_place(directory_, relative));
  if (target.find('\0') != std::string::npos) return cannot_make(relative, EINVAL);
  if (::symlinkat(target.c_str(), place.directory.get(), place.name.c_str()) != 0) return cannot_make(relative, errno);
  give_to_owner(place.directory.get(), place.name);
  return {};
}

Result<void> NewFolder::add_directory(const std::string& relative) const {
  CG_TRY(const Place place, make_place(directory_, relative));
  if (::mkdirat(place.directory.get(), place.name.c_str(), kExecutable) != 0) return cannot_make(relative, errno);
  give_to_owner(place.directory.get(), place.name);
  return {};
}

}  // namespace crategate::sys
