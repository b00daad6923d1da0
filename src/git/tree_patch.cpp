#include "git/tree_patch.h"

#include <git2.h>

#include <algorithm>
#include <cstdint>

#include "base/strings.h"
#include "git/tree_objects.h"

namespace crategate::git {
namespace {

constexpr std::uint64_t kLargestFile = 1U << 30U;
constexpr const char* kMaking = "making a patch";

struct Side {
  std::optional<EntryMode> mode;  ///< nullopt: absent
  std::string oid = std::string(GIT_OID_HEXSZ, '0');
  std::string content;
};

/// As C writes a string, as git reads it; plain where every reader takes it so.
std::string quoted_name(std::string_view name) {
  constexpr std::string_view kPlain = "abtnvfr", kSpecial = "\a\b\t\n\v\f\r";
  const auto is_plain = [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '\\'; };
  if (std::ranges::all_of(name, is_plain)) return std::string(name);
  std::string text = "\"";
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (const auto special = kSpecial.find(c); special != std::string_view::npos) {
      text += {'\\', kPlain[special]};
    } else if (c == '"' || c == '\\') {
      text += {'\\', c};
    } else if (is_plain(c) || c == ' ') {
      text += c;
    } else {
      const auto digit = [byte](unsigned shift) { return static_cast<char>('0' + (byte >> shift & 7u)); };
      text += {'\\', digit(6), digit(3), digit(0)};
    }
  }
  return text + '"';
}

/// Up to where the content begins. Oids are there for a change of mode, too.
std::string header_of(const std::string& path, const Side& before, const Side& after, bool with_names) {
  const std::string old_name = quoted_name(concat("a/", path)), new_name = quoted_name(concat("b/", path));
  std::string text = concat("diff --git ", old_name, " ", new_name, "\n");
  const bool kept = before.mode && after.mode && before.mode == after.mode;
  if (!before.mode) {
    text += concat("new file mode ", mode_text(*after.mode), "\n");
  } else if (!after.mode) {
    text += concat("deleted file mode ", mode_text(*before.mode), "\n");
  } else if (!kept) {
    text += concat("old mode ", mode_text(*before.mode), "\nnew mode ", mode_text(*after.mode), "\n");
  }
  text += concat("index ", before.oid, "..", after.oid, kept ? concat(" ", mode_text(*before.mode)) : "", "\n");
  if (!with_names) return text;
  return text +
         concat("--- ", before.mode ? old_name : "/dev/null", "\n+++ ", after.mode ? new_name : "/dev/null", "\n");
}

/// Hunks or binary content; the header is ours.
int add_line(const git_diff_delta*, const git_diff_hunk*, const git_diff_line* line, void* text) {
  if (line->origin == GIT_DIFF_LINE_FILE_HDR) return 0;
  auto& body = *static_cast<std::string*>(text);
  const bool signed_line = line->origin == GIT_DIFF_LINE_CONTEXT || line->origin == GIT_DIFF_LINE_ADDITION ||
                           line->origin == GIT_DIFF_LINE_DELETION;
  if (signed_line) body += line->origin;
  body.append(line->content, line->content_len);
  return 0;
}

Result<std::string> section(const std::string& path, const Side& before, const Side& after) {
  const auto is_binary = [](const Side& side) { return side.content.find('\0') != std::string::npos; };
  const bool binary = is_binary(before) || is_binary(after);
  git_diff_options options;
  CG_CHECK(checked(git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION), kMaking));
  options.flags = GIT_DIFF_SHOW_BINARY | (binary ? GIT_DIFF_FORCE_BINARY : GIT_DIFF_FORCE_TEXT);
  const auto buffer = [](const Side& side) { return side.mode ? side.content.data() : nullptr; };
  git_patch* made = nullptr;
  CG_CHECK(checked(git_patch_from_buffers(&made, buffer(before), before.content.size(), path.c_str(), buffer(after),
                                          after.content.size(), path.c_str(), &options),
                   concat(kMaking, " of ", quoted(path, 200))));
  const Handle<git_patch> patch(made);
  std::string body;
  CG_CHECK(checked(git_patch_print(made, add_line, &body), kMaking));
  return header_of(path, before, after, !binary && !body.empty()) + body;
}

Result<Side> side_of(git_repository& repository, const git_tree& tree, const std::string& path,
                     std::optional<EntryMode> mode) {
  Side side;
  if (!mode) return side;
  CG_TRY(const auto entry, find_entry(tree, path));
  if (!entry) return fail(ErrorCode::bad_input, concat("no file ", quoted(path, 200), " in its tree"));
  side.mode = mode;
  side.oid = entry->oid;
  if (mode == EntryMode::submodule) {
    side.content = concat("Subproject commit ", entry->oid, "\n");
  } else {
    CG_TRY(side.content, read_blob(repository, entry->oid, kLargestFile));
  }
  return side;
}

bool same_kind(EntryMode one, EntryMode other) {
  const auto is_file = [](EntryMode mode) { return mode == EntryMode::file || mode == EntryMode::executable; };
  return one == other || (is_file(one) && is_file(other));
}

}  // namespace

Result<std::string> make_patch(git_repository& repository, const std::string& before, const std::string& after,
                               const std::vector<TreeChange>& changes) {
  CG_TRY(const auto old_tree, find_tree(repository, before));
  CG_TRY(const auto new_tree, find_tree(repository, after));
  std::string patch;
  for (const TreeChange& change : changes) {
    CG_TRY(const Side from, side_of(repository, *old_tree, change.path, change.before));
    CG_TRY(const Side to, side_of(repository, *new_tree, change.path, change.after));
    const bool both = from.mode && to.mode && !same_kind(*from.mode, *to.mode);
    CG_TRY(const std::string first, section(change.path, from, both ? Side{} : to));
    patch += first;
    if (!both) continue;
    CG_TRY(const std::string second, section(change.path, Side{}, to));
    patch += second;
  }
  return patch;
}

}  // namespace crategate::git
