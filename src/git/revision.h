// What may be handed to git as a revision.
#pragma once

#include <string_view>

#include "base/result.h"

namespace crategate::git {

/// Names, full or short commits, with `~`, `^` and `@{…}`; never what git reads as an option, a search or a path.
/// Errors: bad_input.
Result<void> check_revision(std::string_view revision);

/// 40 or 64 hex digits: a whole object id.
bool is_oid(std::string_view text);

}  // namespace crategate::git
