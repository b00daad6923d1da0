#include "git/tree_objects.h"

#include <git2.h>

#include <unordered_set>

#include "base/file_name.h"
#include "base/strings.h"

namespace crategate::git {
namespace {

constexpr const char* kDifference = "comparing two trees";

/// Folders on the way to where the walk is; no recursion, for a stranger may have nested them.
struct Level {
  Handle<git_tree> tree;
  std::string prefix;
  std::size_t next = 0;
  std::unordered_set<std::string_view> names;
};

Failure too_many(std::string_view tree, std::size_t most) {
  return fail(ErrorCode::bad_input, concat("the tree ", tree, ": expected at most ", most, " files, found more"));
}

std::uint64_t object_size(git_odb& objects, const git_oid& oid) {
  std::size_t size = 0;
  git_object_t type = GIT_OBJECT_ANY;
  return git_odb_read_header(&size, &type, &objects, &oid) == 0 && type == GIT_OBJECT_BLOB ? size : 0;
}

Result<Handle<git_odb>> objects_of(git_repository& repository) {
  git_odb* objects = nullptr;
  CG_CHECK(checked(git_repository_odb(&objects, &repository), "opening the object store"));
  return Handle<git_odb>(objects);
}

int stop_above_most(const git_diff* so_far, const git_diff_delta*, const char*, void*) {
  return git_diff_num_deltas(so_far) >= kMostEntries ? GIT_EUSER : 0;
}

TreeChange change_of(const git_diff_delta& delta, git_odb& objects) {
  TreeChange change;
  change.path = delta.new_file.path;
  if (delta.status != GIT_DELTA_ADDED) change.before = entry_mode(delta.old_file.mode);
  if (delta.status != GIT_DELTA_DELETED) {
    change.after = entry_mode(delta.new_file.mode);
    if (change.after != EntryMode::submodule) change.size = object_size(objects, delta.new_file.id);
  }
  return change;
}

}  // namespace

Result<void> walk_tree(git_repository& repository, const std::string& tree, std::size_t most, const Visit& visit) {
  CG_TRY(auto root, find_tree(repository, tree));
  std::vector<Level> levels;
  levels.push_back({.tree = std::move(root)});
  std::size_t entries = 0, folders = 0;
  while (!levels.empty()) {
    Level& level = levels.back();
    if (level.next == git_tree_entrycount(level.tree.get())) {
      levels.pop_back();
      continue;
    }
    const git_tree_entry* entry = git_tree_entry_byindex(level.tree.get(), level.next++);
    const std::string_view name = git_tree_entry_name(entry);
    const std::string path = concat(level.prefix, name);
    auto fault = path.size() > kLongestTreePath ? fault_of_tree_path(path) : fault_of_tree_component(name);
    if (!fault && !level.names.insert(name).second) fault = "is there twice";
    if (fault) return fail(ErrorCode::bad_input, concat("the path ", quoted(path, 200), " of a tree ", *fault));
    if (const auto mode = entry_mode(git_tree_entry_filemode(entry))) {
      if (++entries > most) return too_many(tree, most);
      visit(path, *mode, *git_tree_entry_id(entry));
      continue;
    }
    if (++folders > kMostEntries) return too_many(tree, kMostEntries);
    CG_TRY(auto folder, find_tree(repository, to_text(*git_tree_entry_id(entry))));
    levels.push_back({.tree = std::move(folder), .prefix = concat(path, "/")});
  }
  return {};
}

Result<std::optional<FoundEntry>> find_entry(const git_tree& tree, const std::string& path) {
  git_tree_entry* found = nullptr;
  const int code = git_tree_entry_bypath(&found, &tree, path.c_str());
  if (code == GIT_ENOTFOUND) return std::nullopt;
  CG_CHECK(checked(code, concat("looking for ", quoted(path, 200))));
  const Handle<git_tree_entry> entry(found);
  const auto mode = entry_mode(git_tree_entry_filemode(found));
  if (!mode) return std::nullopt;
  return FoundEntry{*mode, to_text(*git_tree_entry_id(found))};
}

Result<std::string> read_blob(git_repository& repository, const std::string& oid, std::uint64_t most) {
  CG_TRY(const git_oid name, parse_oid(oid));
  CG_TRY(const auto objects, objects_of(repository));
  std::size_t size = 0;
  git_object_t type = GIT_OBJECT_ANY;
  CG_CHECK(checked(git_odb_read_header(&size, &type, objects.get(), &name), concat("the file ", oid)));
  if (type != GIT_OBJECT_BLOB)
    return fail(ErrorCode::bad_input,
                concat("the object ", oid, ": expected a file, found a ", git_object_type2string(type)));
  if (size > most)
    return fail(ErrorCode::bad_input,
                concat("the file ", oid, ": expected at most ", format_bytes(most), ", found ", format_bytes(size)));
  git_odb_object* read = nullptr;
  CG_CHECK(checked(git_odb_read(&read, objects.get(), &name), concat("the file ", oid)));
  std::string content(static_cast<const char*>(git_odb_object_data(read)), git_odb_object_size(read));
  git_odb_object_free(read);
  return content;
}

Result<std::vector<TreeChange>> difference(git_repository& repository, const std::string& before,
                                           const std::string& after) {
  CG_TRY(const auto old_tree, find_tree(repository, before));
  CG_TRY(const auto new_tree, find_tree(repository, after));
  CG_TRY(const auto objects, objects_of(repository));
  git_diff_options options;
  CG_CHECK(checked(git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION), kDifference));
  options.flags = GIT_DIFF_INCLUDE_TYPECHANGE;
  options.ignore_submodules = GIT_SUBMODULE_IGNORE_NONE;
  options.notify_cb = stop_above_most;
  git_diff* made = nullptr;
  const int code = git_diff_tree_to_tree(&made, &repository, old_tree.get(), new_tree.get(), &options);
  if (code == GIT_EUSER) return too_many(after, kMostEntries);
  CG_CHECK(checked(code, kDifference));
  const Handle<git_diff> diff(made);
  std::vector<TreeChange> changes;
  for (std::size_t i = 0; i < git_diff_num_deltas(made); ++i)
    changes.push_back(change_of(*git_diff_get_delta(made, i), *objects));
  return changes;
}

Result<std::string> write_tree(git_repository& repository, git_index& index) {
  git_oid oid{};
  CG_CHECK(checked(git_index_write_tree_to(&oid, &index, &repository), "writing a tree"));
  return to_text(oid);
}

}  // namespace crategate::git
