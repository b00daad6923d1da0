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
  /// What the step that failed printed last, as BuildKit repeats it below ` > [2/2] RUN …:`; empty = nothing.
  const std::string& last_of_step() const { return last_of_step_; }

 private:
  std::deque<std::string> lines_;
  std::string last_of_step_;
  bool in_step_ = false;
};

/// Whether the image was made and only its cache could not be written, for a reason that may pass: anything but a denial.
/// Cells that write one repository at once hit it with a registry that links a blob anew (distribution 2.x).
bool lost_its_cache(const OutputTail& tail);

/// The error of a build that ended with `exit_code`.
///
/// Where BuildKit says that the Dockerfile cannot be built, the location is that file, with the line if it names one
/// (`Dockerfile:12`, `parse error on line 3`), and the message is its reason and what the step printed last. Otherwise the
/// message has the tail.
///
/// Returns:  no_space when the disk is full, else engine; without a hint the remedy is in the Dockerfile, if there is a
///           location
Error build_failure(const std::string& dockerfile, int exit_code, const OutputTail& tail);

}  // namespace crategate::docker
