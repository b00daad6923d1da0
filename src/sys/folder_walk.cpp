#include "sys/folder_walk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "base/strings.h"
#include "sys/cancel.h"
#include "sys/directory_names.h"
#include "sys/regular_file.h"

namespace crategate::sys {
namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

Failure too_much(std::string_view what, std::string_view most, std::string_view found) {
  return fail(ErrorCode::bad_input, concat("expected at most ", most, " ", what, ", found ", found));
}

Failure unreadable(const std::string& path, int number) {
  Error error = system_error(concat("cannot read ", quoted(path)), number);
  error.code = ErrorCode::bad_input;
  return fail(std::move(error));
}

class Walk {
 public:
  Walk(const FolderLimits& limits, const FolderVisitor& visit, bool changing)
      : limits_(limits), visit_(visit), changing_(changing) {}

  Result<void> content_of(const Descriptor& directory, const std::string& path, std::size_t depth) {
    auto names = names_in(directory, limits_.entries - entries_);
    if (!names) return unreadable(path, errno);
    std::ranges::sort(*names);
    for (const auto& name : *names) {
      CG_CHECK(check_cancelled());
      CG_CHECK(entry(directory, path.empty() ? name : concat(path, "/", name), name, depth));
    }
    return {};
  }

 private:
  Result<void> entry(const Descriptor& parent, const std::string& path, const std::string& name, std::size_t depth) {
    struct stat status = {};
    if (::fstatat(parent.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return passed_over(path, errno);
    if (++entries_ > limits_.entries)
      return too_much("files and folders", std::to_string(limits_.entries), "more of them");
    const bool is_directory = S_ISDIR(status.st_mode);
    const auto size = is_directory ? 0 : static_cast<std::uint64_t>(status.st_size);
    if (size > limits_.bytes - bytes_)
      return too_much("in files", format_bytes(limits_.bytes), concat("more with ", quoted(path)));
    bytes_ += size;
    CG_TRY(const bool enter, visit_(FolderEntry(parent, path, status.st_mode, size)));
    if (!is_directory || !enter) return {};
    if (depth == limits_.depth) return too_much("folders in one another", std::to_string(limits_.depth), quoted(path));
    const Descriptor directory(::openat(parent.get(), name.c_str(), kDirectory));
    if (!directory.valid()) return passed_over(path, errno);
    return content_of(directory, path, depth + 1);
  }

  /// While others write, a name may go, or become that of something else.
  Result<void> passed_over(const std::string& path, int number) const {
    if (changing_ && (number == ENOENT || number == ENOTDIR || number == ELOOP)) return {};
    return unreadable(path, number);
  }

  const FolderLimits& limits_;
  const FolderVisitor& visit_;
  const bool changing_;
  std::size_t entries_ = 0;
  std::uint64_t bytes_ = 0;
};

Result<void> walk(const Path& folder, const FolderLimits& limits, const FolderVisitor& visit, bool changing) {
  const Descriptor top(::open(folder.c_str(), kDirectory));
  if (!top.valid()) return unreadable(folder.string(), errno);
  return Walk(limits, visit, changing).content_of(top, "", 1);
}

}  // namespace

FolderEntry::Kind FolderEntry::kind() const {
  if (S_ISDIR(mode_)) return Kind::directory;
  if (S_ISLNK(mode_)) return Kind::link;
  if (!S_ISREG(mode_)) return Kind::other;
  return (mode_ & S_IXUSR) != 0 ? Kind::executable : Kind::file;
}

std::string FolderEntry::description() const { return std::string(file_kind(mode_)); }

Result<std::string> FolderEntry::content() const {
  const std::string own = name();
  if (kind() != Kind::link) {
    const Descriptor file(::openat(parent_.get(), own.c_str(), kOpenToRead));
    if (!file.valid()) return unreadable(path_, errno);
    return read_regular_file(file, path_, size_);
  }
  std::string target(PATH_MAX, '\0');
  const ssize_t length = ::readlinkat(parent_.get(), own.c_str(), target.data(), target.size());
  if (length < 0) return unreadable(path_, errno);
  target.resize(static_cast<std::size_t>(length));
  return target;
}

Result<void> walk_folder(const Path& folder, const FolderLimits& limits, const FolderVisitor& visit) {
  return walk(folder, limits, visit, false);
}

Result<void> check_folder(const Path& folder, const FolderLimits& limits) {
  return walk(
      folder, limits, [](const FolderEntry&) { return Result<bool>(true); }, true);
}

}  // namespace crategate::sys
