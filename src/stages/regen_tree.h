// The files of a commit in a plain folder, and what a program of strangers has made of them there (A36, A88).
// Belongs here: tree → folder → edits.  Not here: running that program (regen), which edits may be committed
// (pipeline/regen_policy).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "git/ignore_rules.h"
#include "git/tree_store.h"
#include "sys/file_system.h"
#include "sys/folder_walk.h"

namespace crategate::stages {

/// The largest file in such a folder, and how much larger the whole may become.
inline constexpr std::uint64_t kRegenRoom = 512u << 20;

/// Of a commit.
inline constexpr std::size_t kMostTreeFiles = 300'000;

struct WrittenFile {
  git::EntryMode mode = git::EntryMode::file;
  std::string oid;
  std::uint64_t size = 0;
};

struct WrittenTree {
  std::string tree;
  std::map<std::string, WrittenFile> files;  ///< by path; links and submodules, too
  std::uint64_t bytes = 0;
  git::IgnoreRules ignored;
};

/// Makes `folder` and writes the tree into it as it is: no attributes, no filters, no `.git`; a submodule is an empty
/// folder.
/// Errors: bad_input, also for a tree that is too large; no_space.
Result<WrittenTree> write_tree(git::TreeStore& store, const std::string& tree, const sys::Path& folder);

/// What the folder may come to while the program runs.
sys::FolderLimits folder_limits(const WrittenTree& written);

struct EditLimits {
  std::size_t files = 0;
  std::uint64_t bytes = 0;  ///< of new content; and of what is replaced or removed
};

/// What has to be done to the tree so that it is the folder; of new files those that the commit's own `.gitignore` files
/// leave. Blobs of new content are written. Empty folders, owners, times and the other bits of modes are nothing.
/// Errors: bad_input, with its name, for what no commit of ours may hold: a repository in the folder, files of a submodule,
///         pipes, sockets and devices, names that are no UTF-8; above a limit.
Result<std::vector<git::TreeEdit>> read_edits(git::TreeStore& store, const WrittenTree& written,
                                              const sys::Path& folder, const EditLimits& limits);

}  // namespace crategate::stages
