// The difference of two trees as a patch.
// Belongs here: making one.  Not here: applying one (tree_apply).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/tree_change.h"
#include "git/libgit2.h"

namespace crategate::git {

/// `changes`: the difference of the two. Whatever attributes say, a file is binary if it has a NUL; a name with a blank is
/// quoted, because libgit2 does not find the end of it where no line has it alone. What becomes of another kind (a file, a
/// link) goes and comes.
Result<std::string> make_patch(git_repository& repository, const std::string& before, const std::string& after,
                               const std::vector<TreeChange>& changes);

}  // namespace crategate::git
