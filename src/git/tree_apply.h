// A patch and a tree make another tree.
// Belongs here: hostile patches, exactly applied or refused.  Not here: which change is allowed (pipeline/regen_policy).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "git/libgit2.h"

namespace crategate::git {

/// See TreeStore::apply.
Result<std::string> apply_patch(git_repository& repository, const std::string& tree, std::string_view patch);

}  // namespace crategate::git
