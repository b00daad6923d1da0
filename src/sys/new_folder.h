// A folder of our own that is filled with what strangers wrote.
// Belongs here: entries made by descriptors, so that none is written through another one.  Not here: reading them back
// (folder_walk).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "sys/descriptor.h"
#include "sys/file_system.h"

namespace crategate::sys {

/// Every entry is new: a name that is there, by whatever other name the file system knows it, is an error, and so is a
/// symbolic link on the way. All of it belongs to whom the folder around it belongs to.
class NewFolder {
 public:
  /// Makes `folder`, for its owner alone.
  /// Errors: bad_input where something has that name, no_space.
  static Result<NewFolder> create(const Path& folder);
  /// Each makes the directories on the way. Errors: bad_input, no_space.
  Result<void> add_file(const std::string& relative, std::string_view bytes, bool executable) const;
  Result<void> add_link(const std::string& relative, const std::string& target) const;
  Result<void> add_directory(const std::string& relative) const;

 private:
  explicit NewFolder(Descriptor directory) : directory_(std::move(directory)) {}
  Descriptor directory_;
};

}  // namespace crategate::sys
