// A file descriptor that closes itself, and the errors of system calls.
// Belongs here: what every POSIX file of this layer needs.  Not here: anything that other layers include.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace crategate::sys {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor() { reset(); }
  int get() const { return value_; }
  bool valid() const { return value_ >= 0; }
  int release() { return std::exchange(value_, -1); }
  void reset();

 private:
  int value_ = -1;
};

/// The error of a failed system call: `what` says what was attempted ("cannot write VERSION"), `number` is errno.
/// no_space for a full disk or quota, bad_input for what the user can correct, else internal.
Error system_error(std::string_view what, int number);

/// Writes all bytes; 0, or the errno of the failure.
int write_all(int descriptor, std::string_view bytes);

}  // namespace crategate::sys
