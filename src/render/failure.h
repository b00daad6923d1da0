// The last two lines of every failure.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/error.h"

namespace crategate::render {

/// `crategate: <exit code> <name>: <what, expected, found>` and `→ <what to do>`; each one line, redacted and
/// harmless in a workflow log. The second is never only the arrow: without a hint it is the code's own remedy.
std::array<std::string, 2> error_lines(const Error& error);

/// What to do about a failure of this kind when nothing more precise is known.
std::string_view remedy(ErrorCode code);

}  // namespace crategate::render
