#include "git/libgit2.h"

#include <git2.h>

#include <charconv>

#include "base/strings.h"

namespace crategate::git {

void Release::operator()(git_commit* object) const { git_commit_free(object); }
void Release::operator()(git_diff* object) const { git_diff_free(object); }
void Release::operator()(git_index* object) const { git_index_free(object); }
void Release::operator()(git_odb* object) const { git_odb_free(object); }
void Release::operator()(git_patch* object) const { git_patch_free(object); }
void Release::operator()(git_repository* object) const { git_repository_free(object); }
void Release::operator()(git_signature* object) const { git_signature_free(object); }
void Release::operator()(git_tree* object) const { git_tree_free(object); }
void Release::operator()(git_tree_entry* object) const { git_tree_entry_free(object); }

namespace {

constexpr std::size_t kLargestCachedTree = 64U << 20U;

/// An empty search path finds no file; the levels are those of git_config_level_t.
Result<void> start_once() {
  if (const int code = git_libgit2_init(); code < 0) return fail(libgit2_error(code, "starting libgit2"));
  for (const int level :
       {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL})
    CG_CHECK(checked(git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, ""), "leaving settings alone"));
  // Else a folder of more than some sixty files is read anew for each of them.
  CG_CHECK(
      checked(git_libgit2_opts(GIT_OPT_SET_CACHE_OBJECT_LIMIT, GIT_OBJECT_TREE, kLargestCachedTree), "keeping trees"));
  CG_CHECK(checked(git_libgit2_opts(GIT_OPT_ENABLE_STRICT_OBJECT_CREATION, 1), "checking new objects"));
  return checked(git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 1), "checking objects");
}

}  // namespace

Result<void> start_libgit2() {
  static const Result<void> started = start_once();
  return started;
}

Error libgit2_error(int code, std::string_view doing) {
  const git_error* last = git_error_last();
  const std::string why =
      last == nullptr || last->message == nullptr ? concat("libgit2 answered ", code) : quoted(last->message, 300);
  Error error{.code = ErrorCode::bad_input, .message = concat(doing, ": ", why)};
  const int kind = last == nullptr ? GIT_ERROR_NONE : static_cast<int>(last->klass);
  if (why.find("No space left") != std::string::npos) {
    error.code = ErrorCode::no_space;
    error.hint = "Free space for temporary files.";
  } else if (kind == GIT_ERROR_OS || kind == GIT_ERROR_NOMEMORY || kind == GIT_ERROR_THREAD) {
    error.code = ErrorCode::internal;
  }
  return error;
}

Result<git_oid> parse_oid(std::string_view text) {
  git_oid oid{};
  const bool plain =
      text.size() == GIT_OID_HEXSZ && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (!plain || git_oid_fromstrn(&oid, text.data(), text.size()) != 0)
    return fail(ErrorCode::bad_input,
                concat("expected the name of a git object, ", GIT_OID_HEXSZ, " hex digits, found ", quoted(text)));
  return oid;
}

std::string to_text(const git_oid& oid) {
  std::string text(GIT_OID_HEXSZ, '0');
  git_oid_fmt(text.data(), &oid);
  return text;
}

std::optional<EntryMode> entry_mode(unsigned mode) {
  switch (mode) {
    case GIT_FILEMODE_BLOB:
      return EntryMode::file;
    case GIT_FILEMODE_BLOB_EXECUTABLE:
      return EntryMode::executable;
    case GIT_FILEMODE_LINK:
      return EntryMode::symlink;
    case GIT_FILEMODE_COMMIT:
      return EntryMode::submodule;
    default:
      return std::nullopt;
  }
}

unsigned git_mode(EntryMode mode) {
  switch (mode) {
    case EntryMode::file:
      return GIT_FILEMODE_BLOB;
    case EntryMode::executable:
      return GIT_FILEMODE_BLOB_EXECUTABLE;
    case EntryMode::symlink:
      return GIT_FILEMODE_LINK;
    case EntryMode::submodule:
      break;
  }
  return GIT_FILEMODE_COMMIT;
}

std::string mode_text(EntryMode mode) {
  std::string text(6, '0');
  std::to_chars(text.data(), text.data() + text.size(), git_mode(mode), 8);
  return text;
}

Result<Handle<git_tree>> find_tree(git_repository& repository, const std::string& oid) {
  CG_TRY(const git_oid name, parse_oid(oid));
  git_tree* tree = nullptr;
  CG_CHECK(checked(git_tree_lookup(&tree, &repository, &name), concat("the tree ", oid)));
  return Handle<git_tree>(tree);
}

}  // namespace crategate::git
