// A folder in which files wait until all of them are there, and the step that gives them their place.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "sys/descriptor.h"
#include "sys/file_system.h"
#include "zip/records.h"

namespace crategate::zip {

/// What happens to a destination that is there already.
enum class Existing : unsigned char {
  refuse,   ///< it must be absent or an empty folder
  add,      ///< files are added to those in it; none may have the name of another
  replace,  ///< a file takes the place of one with its name, or of a link, which is not followed; never of a folder
};

/// Removes itself with what is in it.
class Staging {
 public:
  /// Beside `destination`; in it when it is there. All of `entries` must be allowed to go there.
  /// Errors: bad_input (see Existing; a link among the folders, a file in place of a folder), no_space.
  static Result<Staging> create(const sys::Path& destination, const std::vector<Entry>& entries, Existing existing);
  Staging(Staging&& other) noexcept;
  Staging& operator=(Staging&&) = delete;
  ~Staging();

  const sys::Descriptor& directory() const { return directory_; }
  /// With a destination that was absent one rename, so all or nothing; else file by file, after all have been checked.
  Result<void> give(const std::vector<Entry>& entries);

 private:
  Staging(sys::Path destination, sys::Path path, bool merges, Existing existing);
  Result<void> merge(const Entry& entry);

  sys::Path destination_, path_;
  sys::Descriptor directory_;
  bool merges_ = false;
  Existing existing_ = Existing::refuse;
};

}  // namespace crategate::zip
