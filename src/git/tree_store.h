// Trees, files and patches of a bare repository, read and made by libgit2 (https://libgit2.org) without a work tree.
// Belongs here: objects and patches as they are, hostile ones too.  Not here: which change is allowed (pipeline/regen_policy),
// remotes (commit_transfer).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/tree_change.h"
#include "sys/file_system.h"

namespace crategate::git {

using crategate::EntryMode;
using crategate::TreeChange;

struct TreeEntry {
  std::string path;  ///< bytes as git has them, from the top of the tree
  EntryMode mode = EntryMode::file;
  std::string oid;
};

/// A path that becomes `blob` with `mode`; without a blob it goes.
struct TreeEdit {
  std::string path;
  std::optional<std::string> blob;
  EntryMode mode = EntryMode::file;
};

struct Identity {
  std::string name, email;
};

struct NewCommit {
  std::string tree, parent, message;
  Identity author;           ///< and committer
  std::int64_t seconds = 0;  ///< since the epoch, UTC
};

/// Oids are 40 hex digits. Errors besides: bad_input for an oid that names nothing of that kind. Not thread-safe.
class TreeStore {
 public:
  virtual ~TreeStore() = default;
  virtual Result<std::string> tree_of(const std::string& commit) = 0;
  /// All files, links and submodules, in git's order. Errors: bad_input above `most` entries, and for one with a name that
  /// no checkout takes (`.git`, `..`, and their like on case-insensitive file systems).
  virtual Result<std::vector<TreeEntry>> entries(const std::string& tree, std::size_t most) = 0;
  /// Errors: bad_input above `most` bytes, known before the content is read.
  virtual Result<std::string> blob(const std::string& oid, std::uint64_t most) = 0;
  virtual Result<std::string> write_blob(std::string_view content) = 0;
  /// The tree with `edits` done. Errors: bad_input for a path that no tree can have.
  virtual Result<std::string> edit(const std::string& tree, const std::vector<TreeEdit>& edits) = 0;
  virtual Result<std::vector<TreeChange>> changes(const std::string& before, const std::string& after) = 0;
  /// In git's format, with whole oids and binary content, without renames: `git apply` and `apply` take it.
  virtual Result<std::string> patch(const std::string& before, const std::string& after) = 0;
  /// The tree that `patch` makes of `tree`: every hunk exactly where it says. Nothing is written but objects.
  /// Errors: bad_input for what is no patch, for a file that it names twice, and for one that does not fit.
  virtual Result<std::string> apply(const std::string& tree, std::string_view patch) = 0;
  virtual Result<std::string> commit(const NewCommit& commit) = 0;
};

/// `repository`: a bare one. Its configuration is not read for anything that would start a program.
/// Errors: bad_input when it is none.
Result<std::unique_ptr<TreeStore>> open_tree_store(const sys::Path& repository);

}  // namespace crategate::git
