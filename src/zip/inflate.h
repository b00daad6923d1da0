// The content of a member, unpacked as it is read.
// Belongs here: data, its length and its check sum.  Not here: which members there are (directory).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "zip/bytes.h"
#include "zip/directory.h"

namespace crategate::zip {

/// One per thread; its memory is the same for every member.
class Unpacker {
 public:
  Unpacker();
  Unpacker(Unpacker&&) noexcept;
  Unpacker& operator=(Unpacker&&) noexcept;
  ~Unpacker();
  /// Gives the sink exactly `entry.size` bytes. They count for nothing before it has answered success.
  /// Errors: integrity when the data is no deflate stream of `entry.packed` bytes, or unpacks to more, to less or to
  /// another check sum than the directory says; whatever the sink answers.
  Result<void> unpack(const Bytes& archive, const Entry& entry, const ByteSink& sink);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The content of the member `name`, byte for byte that name; nullopt when there is none. The whole archive is checked.
/// Errors: those of read_directory and unpack.
Result<std::optional<std::string>> read_member(const Bytes& archive, std::string_view name, const Limits& limits);
Result<std::optional<std::string>> read_member(const sys::Path& archive, std::string_view name, const Limits& limits);

}  // namespace crategate::zip
