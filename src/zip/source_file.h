// A file that is read into an archive, and must stay what it is meanwhile.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "sys/descriptor.h"
#include "zip/member.h"

namespace crategate::zip {

/// What tells one state of a file from another.
struct Stamp {
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t modified = 0, changed = 0;  ///< nanoseconds
  bool operator==(const Stamp&) const = default;
};

class SourceFile {
 public:
  /// Errors: bad_input when it cannot be read, is no regular file, or has another size than `member` says.
  static Result<SourceFile> open(const Member& member);
  /// The bytes from `offset` on, `to.size()` of them.
  /// Errors: bad_input when they are not there or the file is not in the state in which it was opened.
  Result<void> read(std::uint64_t offset, std::string& to) const;
  const Stamp& stamp() const { return stamp_; }

 private:
  SourceFile(sys::Descriptor file, sys::Path path, Stamp stamp)
      : file_(std::move(file)), path_(std::move(path)), stamp_(stamp) {}
  sys::Descriptor file_;
  sys::Path path_;
  Stamp stamp_;
};

Failure changed_meanwhile(const sys::Path& path);

}  // namespace crategate::zip
