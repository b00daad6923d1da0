// What BuildKit's last lines say about a failed build.
// Belongs here: text → Error.  Not here: running the build.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "base/error.h"

namespace crategate::docker {

/// The last lines of a build, without blank lines and rules, each freed from BuildKit's `#8 0.312 ` prefix.
class OutputTail {
 public:
  void add(std::string_view line);
  const std::deque<std::string>& lines() const { return lines_; }
  /// One line: "a | b | c".
  std::string condensed() const;

 private:
  std::deque<std::string> lines_;
};

/// Whether the image was made and only its cache could not be written, for a reason that may pass: anything but a denial.
/// Cells that write one repository at once hit it with a registry that links a blob anew (distribution 2.x).
bool lost_its_cache(const OutputTail& tail);

/// The error of a build that ended with `exit_code`.
///
/// The location is the Dockerfile line that BuildKit names (`Dockerfile:12`, `parse error on line 3`), if it does.
///
/// Returns:  no_space when the disk is full, else engine; the message holds the reason and the tail
Error build_failure(const std::string& dockerfile, int exit_code, const OutputTail& tail);

}  // namespace crategate::docker
