// A folder that a program of strangers writes, or has written (A88).
// Belongs here: finding and reading its entries by descriptors, with limits.  Not here: what they mean (stages/regen_tree).
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "sys/descriptor.h"
#include "sys/file_system.h"

namespace crategate::sys {

struct FolderLimits {
  std::size_t entries = 0;  ///< of every kind, directories too
  std::uint64_t bytes = 0;  ///< as files say their size: a hole counts
  std::size_t depth = 0;    ///< directories in directories
};

/// What stands at a path. Valid while it is visited.
class FolderEntry {
 public:
  enum class Kind : unsigned char { file, executable, link, directory, other };
  FolderEntry(const Descriptor& parent, std::string path, unsigned mode, std::uint64_t size)
      : parent_(parent), path_(std::move(path)), mode_(mode), size_(size) {}
  const std::string& path() const { return path_; }  ///< below the folder
  std::string name() const { return path_.substr(path_.rfind('/') + 1); }
  Kind kind() const;
  std::uint64_t size() const { return size_; }  ///< bytes of a file or a link
  /// "a named pipe", … of what is neither a file nor a link.
  std::string description() const;
  /// A file's bytes; where a link leads.
  /// Errors: bad_input, also for what is no longer what it was.
  Result<std::string> content() const;

 private:
  const Descriptor& parent_;
  std::string path_;
  unsigned mode_;
  std::uint64_t size_;
};

/// Of a directory: whether what it holds is visited, too.
using FolderVisitor = std::function<Result<bool>(const FolderEntry& entry)>;

/// Every entry below `folder`, a directory before what it holds, by the bytes of their names. No link is followed, and
/// nothing is opened but directories, and files whose content is asked for.
/// Errors: bad_input above a limit, and for a directory that may not be read; those of `visit`; interrupted.
Result<void> walk_folder(const Path& folder, const FolderLimits& limits, const FolderVisitor& visit);

/// The limits alone, while somebody still writes: what goes or changes meanwhile is passed over.
/// Errors: those of walk_folder.
Result<void> check_folder(const Path& folder, const FolderLimits& limits);

}  // namespace crategate::sys
