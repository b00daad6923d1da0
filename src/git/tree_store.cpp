// TreeStore on libgit2, opened bare.
#include "git/tree_store.h"

#include <git2.h>

#include "base/file_name.h"
#include "base/strings.h"
#include "git/libgit2.h"
#include "git/tree_apply.h"
#include "git/tree_objects.h"
#include "git/tree_patch.h"

namespace crategate::git {
namespace {

Result<Handle<git_signature>> signature_of(const Identity& identity, std::int64_t seconds) {
  git_signature* signature = nullptr;
  CG_CHECK(checked(git_signature_new(&signature, identity.name.c_str(), identity.email.c_str(), seconds, 0),
                   concat("the author ", quoted(identity.name))));
  return Handle<git_signature>(signature);
}

class LibgitTreeStore final : public TreeStore {
 public:
  explicit LibgitTreeStore(Handle<git_repository> repository) : repository_(std::move(repository)) {}

  Result<std::string> tree_of(const std::string& commit) override {
    CG_TRY(const auto found, find_commit(commit));
    return to_text(*git_commit_tree_id(found.get()));
  }

  Result<std::vector<TreeEntry>> entries(const std::string& tree, std::size_t most) override {
    std::vector<TreeEntry> entries;
    CG_CHECK(walk_tree(*repository_, tree, most, [&](const std::string& path, EntryMode mode, const git_oid& oid) {
      entries.push_back({path, mode, to_text(oid)});
    }));
    return entries;
  }

  Result<std::string> blob(const std::string& oid, std::uint64_t most) override {
    return read_blob(*repository_, oid, most);
  }

  Result<std::string> write_blob(std::string_view content) override {
    git_oid oid{};
    CG_CHECK(checked(git_blob_create_from_buffer(&oid, repository_.get(), content.data(), content.size()),
                     "writing a file's content"));
    return to_text(oid);
  }

  Result<std::string> edit(const std::string& tree, const std::vector<TreeEdit>& edits) override;

  Result<std::vector<TreeChange>> changes(const std::string& before, const std::string& after) override {
    return difference(*repository_, before, after);
  }

  Result<std::string> patch(const std::string& before, const std::string& after) override {
    CG_TRY(const auto changed, difference(*repository_, before, after));
    return make_patch(*repository_, before, after, changed);
  }

  Result<std::string> apply(const std::string& tree, std::string_view patch) override {
    return apply_patch(*repository_, tree, patch);
  }

  Result<std::string> commit(const NewCommit& commit) override;

 private:
  Result<Handle<git_commit>> find_commit(const std::string& oid) {
    CG_TRY(const git_oid name, parse_oid(oid));
    git_commit* commit = nullptr;
    CG_CHECK(checked(git_commit_lookup(&commit, repository_.get(), &name), concat("the commit ", oid)));
    return Handle<git_commit>(commit);
  }

  Handle<git_repository> repository_;
};

Result<Handle<git_index>> index_of(const git_tree& tree) {
  git_index* made = nullptr;
  CG_CHECK(checked(git_index_new(&made), "reading a tree"));
  Handle<git_index> index(made);
  CG_CHECK(checked(git_index_read_tree(made, &tree), "reading a tree"));
  return index;
}

/// libgit2 lets both stand, or the older one go.
bool is_file_and_folder(git_index& index, const std::string& path) {
  for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (git_index_get_bypath(&index, path.substr(0, slash).c_str(), 0) != nullptr) return true;
  }
  return git_index_find_prefix(nullptr, &index, concat(path, "/").c_str()) == 0;
}

Result<std::string> LibgitTreeStore::edit(const std::string& tree, const std::vector<TreeEdit>& edits) {
  CG_CHECK(walk_tree(*repository_, tree, kMostEntries, [](const auto&, auto, const auto&) {}));
  CG_TRY(const auto base, find_tree(*repository_, tree));
  CG_TRY(const auto index, index_of(*base));
  for (const TreeEdit& edit : edits) {
    if (const auto fault = fault_of_tree_path(edit.path))
      return fail(ErrorCode::bad_input, concat("the path ", quoted(edit.path, 200), " of a tree ", *fault));
    if (edit.blob) continue;
    const int code = git_index_remove(index.get(), edit.path.c_str(), 0);
    if (code != GIT_ENOTFOUND) CG_CHECK(checked(code, concat("removing ", quoted(edit.path, 200))));
  }
  for (const TreeEdit& edit : edits) {
    if (!edit.blob) continue;
    CG_TRY(const git_oid oid, parse_oid(*edit.blob));
    git_index_entry entry{};
    entry.mode = git_mode(edit.mode);
    entry.id = oid;
    entry.path = edit.path.c_str();
    if (is_file_and_folder(*index, edit.path))
      return fail(ErrorCode::bad_input, concat("the path ", quoted(edit.path, 200), " is a file and a folder"));
    CG_CHECK(checked(git_index_add(index.get(), &entry), concat("adding ", quoted(edit.path, 200))));
  }
  return write_tree(*repository_, *index);
}

Result<std::string> LibgitTreeStore::commit(const NewCommit& commit) {
  CG_TRY(const auto tree, find_tree(*repository_, commit.tree));
  CG_TRY(const auto parent, find_commit(commit.parent));
  CG_TRY(const auto author, signature_of(commit.author, commit.seconds));
  git_oid oid{};
  CG_CHECK(checked(git_commit_create_v(&oid, repository_.get(), nullptr, author.get(), author.get(), nullptr,
                                       commit.message.c_str(), tree.get(), 1, parent.get()),
                   "writing a commit"));
  return to_text(oid);
}

}  // namespace

Result<std::unique_ptr<TreeStore>> open_tree_store(const sys::Path& repository) {
  CG_CHECK(start_libgit2());
  git_repository* opened = nullptr;
  if (const int code = git_repository_open_bare(&opened, repository.c_str()); code < 0) {
    Error error = libgit2_error(code, concat("the git repository ", quoted(repository.string(), 200)));
    error.code = ErrorCode::bad_input;
    return fail(std::move(error));
  }
  return std::unique_ptr<TreeStore>(std::make_unique<LibgitTreeStore>(Handle<git_repository>(opened)));
}

}  // namespace crategate::git
