// What an open directory holds.
// Belongs here: names.  Not here: whether they are opened or removed.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "sys/descriptor.h"

namespace crategate::sys {

/// All names but `.` and `..`, in the order of the file system; of more than `most` that many and one. nullopt with errno.
std::optional<std::vector<std::string>> names_in(const Descriptor& directory,
                                                 std::size_t most = std::numeric_limits<std::size_t>::max());

}  // namespace crategate::sys
