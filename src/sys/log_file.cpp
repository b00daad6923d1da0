// Logs that are written while their producer runs, and private directories.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "base/strings.h"
#include "sys/beneath.h"
#include "sys/environment.h"
#include "sys/file_system.h"
#include "sys/ownership.h"

namespace crategate::sys {

Result<LogFile> LogFile::create(const Path& root, const Path& relative, std::uint64_t limit) {
  CG_TRY(const Place place, make_place(root, relative));
  CG_TRY(Descriptor file, create_replacing(place, 0644));
  return LogFile(file.release(), limit);
}

LogFile::LogFile(LogFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      limit_(other.limit_),
      written_(other.written_),
      dropped_(other.dropped_) {}

LogFile& LogFile::operator=(LogFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  limit_ = other.limit_;
  written_ = other.written_;
  dropped_ = other.dropped_;
  return *this;
}

LogFile::~LogFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> LogFile::write(std::string_view bytes) {
  const auto room = static_cast<std::size_t>(std::min<std::uint64_t>(limit_ - written_, bytes.size()));
  dropped_ += bytes.size() - room;
  if (const int number = write_all(descriptor_, bytes.substr(0, room)); number != 0)
    return fail(system_error("cannot write the log", number));
  written_ += room;
  return {};
}

Result<void> LogFile::close() {
  if (descriptor_ < 0) return {};
  const Descriptor file(std::exchange(descriptor_, -1));
  if (dropped_ == 0) return {};
  const std::string note =
      concat("\n[crategate: ", dropped_, " more bytes are left out; a log keeps ", format_bytes(limit_), "]\n");
  if (const int number = write_all(file.get(), note); number != 0)
    return fail(system_error("cannot write the log", number));
  return {};
}

Result<TemporaryDirectory> TemporaryDirectory::create(const Path& parent) {
  const Path where = parent.empty() ? Path(SystemEnvironment().get("TMPDIR").value_or("/tmp")) : parent;
  std::string name = (where / "crategate-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    return fail(system_error(concat("cannot make a temporary directory in ", quoted(where.string())), errno));
  give_to_owner(name);
  return TemporaryDirectory(name);
}

TemporaryDirectory::TemporaryDirectory(TemporaryDirectory&& other) noexcept
    : path_(std::exchange(other.path_, Path())) {}

TemporaryDirectory& TemporaryDirectory::operator=(TemporaryDirectory&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace crategate::sys
