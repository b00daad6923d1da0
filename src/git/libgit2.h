// libgit2's objects and failures as the rest of the code has them.
// Belongs here: ownership, its settings, its errors.  Not here: what is done with objects (object_store, tree_patch).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/tree_change.h"

struct git_blob;
struct git_commit;
struct git_diff;
struct git_index;
struct git_odb;
struct git_oid;
struct git_patch;
struct git_repository;
struct git_signature;
struct git_tree;
struct git_tree_entry;

namespace crategate::git {

struct Release {
  void operator()(git_commit* object) const;
  void operator()(git_diff* object) const;
  void operator()(git_index* object) const;
  void operator()(git_odb* object) const;
  void operator()(git_patch* object) const;
  void operator()(git_repository* object) const;
  void operator()(git_signature* object) const;
  void operator()(git_tree* object) const;
  void operator()(git_tree_entry* object) const;
};
template <class T>
using Handle = std::unique_ptr<T, Release>;

/// Once for the process, before anything else of it. No file of the machine or of a person is a setting.
Result<void> start_libgit2();

/// What it said last, or `otherwise`; bad_input unless the machine is at fault (no_space, internal).
Error libgit2_error(int code, std::string_view doing);
inline Result<void> checked(int code, std::string_view doing) {
  if (code < 0) return fail(libgit2_error(code, doing));
  return {};
}

Result<git_oid> parse_oid(std::string_view text);
std::string to_text(const git_oid& oid);
/// nullopt for a folder, and for what git never writes.
std::optional<EntryMode> entry_mode(unsigned mode);
unsigned git_mode(EntryMode mode);
std::string mode_text(EntryMode mode);  ///< `100644`

Result<Handle<git_tree>> find_tree(git_repository& repository, const std::string& oid);

}  // namespace crategate::git
