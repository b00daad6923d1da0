// Files by an open descriptor: regular ones are read, the others named.
#pragma once

#include <fcntl.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sys/descriptor.h"
#include "sys/file_system.h"

namespace crategate::sys {

/// How such a file is opened: nothing waits for the other end of a pipe, no link is followed.
inline constexpr int kOpenToRead = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW;

/// "a directory", "a named pipe", … of a `st_mode` that is no regular file's.
std::string_view file_kind(unsigned mode);

/// The bytes of an open file, which messages call `shown`.
/// Errors: bad_input for what is no regular file, and for more than `limit` bytes.
Result<std::string> read_regular_file(const Descriptor& file, const Path& shown, std::uint64_t limit);

}  // namespace crategate::sys
