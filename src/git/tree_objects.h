// What trees hold, and what two of them do not share.
// Belongs here: reading trees and blobs within limits.  Not here: patches (tree_patch, tree_apply).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/tree_change.h"
#include "git/libgit2.h"

namespace crategate::git {

/// Where trees are read for what `most` does not limit.
inline constexpr std::size_t kMostEntries = 1'000'000;

using Visit = std::function<void(const std::string& path, EntryMode mode, const git_oid& oid)>;
/// Every file, link and submodule below `tree`, in git's order. Folders that share their content count each time.
/// Errors: bad_input above `most`, for a path that no checkout takes, and for a name that a folder has twice.
Result<void> walk_tree(git_repository& repository, const std::string& tree, std::size_t most, const Visit& visit);

/// nullopt: the tree has no such path, or it is a folder.
struct FoundEntry {
  EntryMode mode = EntryMode::file;
  std::string oid;
};
Result<std::optional<FoundEntry>> find_entry(const git_tree& tree, const std::string& path);

/// Errors: bad_input for what is no blob, and above `most` bytes.
Result<std::string> read_blob(git_repository& repository, const std::string& oid, std::uint64_t most);

/// In the order of paths. Errors: bad_input above kMostEntries.
Result<std::vector<TreeChange>> difference(git_repository& repository, const std::string& before,
                                           const std::string& after);

/// The tree that an index stands for.
Result<std::string> write_tree(git_repository& repository, git_index& index);

}  // namespace crategate::git
