#include "sys/directory_names.h"

#include <dirent.h>
#include <fcntl.h>

#include <memory>
#include <string_view>

namespace crategate::sys {

std::optional<std::vector<std::string>> names_in(const Descriptor& directory, std::size_t most) {
  // A descriptor of its own: that of the caller may be an O_PATH one, and keeps its position.
  const int again = ::openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(again < 0 ? nullptr : ::fdopendir(again), ::closedir);
  if (!entries) return std::nullopt;
  std::vector<std::string> names;
  while (names.size() <= most) {
    const dirent* const entry = ::readdir(entries.get());
    if (entry == nullptr) break;
    const std::string_view found = entry->d_name;
    if (found != "." && found != "..") names.emplace_back(found);
  }
  return names;
}

}  // namespace crategate::sys
