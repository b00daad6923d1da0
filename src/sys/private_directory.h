// A place for credentials that programs want in a file: seen by nobody else, and gone with its process.
// Belongs here: where it is, its lock, its removal.  Not here: what is in it (docker/client_config).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sys/descriptor.h"
#include "sys/file_system.h"

namespace crategate::sys {

/// A directory (0700) that is removed on destruction. It is locked while its process lives; what a killed process left
/// is removed by the next one, here and in other containers that share the place.
class PrivateDirectory {
 public:
  /// In memory where the machine has that, else in /tmp; never below one of `shared`, whatever it is called.
  /// Errors: bad_input when there is no such place, no_space.
  static Result<PrivateDirectory> create(const std::vector<Path>& shared);
  /// Removes what dead processes of this user have left.
  static void sweep();

  PrivateDirectory(PrivateDirectory&& other) noexcept;
  PrivateDirectory& operator=(PrivateDirectory&& other) noexcept;
  ~PrivateDirectory();
  const Path& path() const { return path_; }
  /// A new file (0600).
  /// Errors: no_space, internal.
  Result<void> write(const std::string& name, std::string_view bytes) const;
  /// A symbolic link to what is elsewhere.
  void link(const std::string& name, const Path& target) const;

 private:
  PrivateDirectory(Path path, Descriptor lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  Path path_;
  Descriptor lock_;
};

/// Whether this process may make files in `directory`, or make it.
bool is_writable(const Path& directory);

}  // namespace crategate::sys
