#include "stages/regen_tree.h"

#include <optional>
#include <set>
#include <utility>

#include "base/strings.h"
#include "sys/new_folder.h"

namespace crategate::stages {
namespace {

using git::EntryMode;
using sys::FolderEntry;

constexpr std::uint64_t kMostBytes = 8ull << 30;
constexpr std::size_t kRoomForEntries = 100'000;
constexpr std::size_t kDepth = 128;
constexpr std::uint64_t kLargestIgnoreFile = 256u << 10;
constexpr std::size_t kShown = 200;  // of a path in a message
constexpr std::string_view kIgnoreFile = ".gitignore";

bool is_file(EntryMode mode) { return mode == EntryMode::file || mode == EntryMode::executable; }

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

Result<void> write_entry(git::TreeStore& store, const git::TreeEntry& entry, const sys::NewFolder& folder,
                         WrittenTree& written) {
  WrittenFile file{.mode = entry.mode, .oid = entry.oid};
  if (entry.mode == EntryMode::submodule) {
    CG_CHECK(folder.add_directory(entry.path));
  } else {
    CG_TRY(const std::string content, store.blob(entry.oid, kRegenRoom));
    file.size = content.size();
    written.bytes += file.size;
    if (written.bytes > kMostBytes)
      return fail(ErrorCode::bad_input, concat("expected at most ", format_bytes(kMostBytes), " in files, found more"));
    if (entry.mode == EntryMode::symlink) {
      CG_CHECK(folder.add_link(entry.path, content));
    } else {
      CG_CHECK(folder.add_file(entry.path, content, entry.mode == EntryMode::executable));
    }
    const bool has_rules = is_file(entry.mode) && file.size <= kLargestIgnoreFile &&
                           (entry.path == kIgnoreFile || entry.path.ends_with(concat("/", kIgnoreFile)));
    if (has_rules) written.ignored.add(folder_of(entry.path), content);
  }
  written.files.emplace(entry.path, std::move(file));
  return {};
}

/// One reading of the folder.
class Comparison {
 public:
  Comparison(git::TreeStore& store, const WrittenTree& written, const EditLimits& limits)
      : store_(store), written_(written), limits_(limits) {}

  /// Whether what a directory holds is looked at.
  Result<bool> visit(const FolderEntry& entry) {
    const auto found = written_.files.find(entry.path());
    const WrittenFile* const before = found == written_.files.end() ? nullptr : &found->second;
    const bool is_directory = entry.kind() == FolderEntry::Kind::directory;
    if (!submodule_.empty() && entry.path().starts_with(submodule_))
      return refuse(entry, concat("a file of the submodule ", quoted(submodule_)), "nothing there");
    if (to_lower(entry.name()) == ".git") return refuse(entry, "a git repository", "files of the project");
    if (before == nullptr && written_.ignored.is_ignored(entry.path(), is_directory) && !holds_files(entry.path()))
      return false;
    if (is_directory) return enter(entry, before);
    if (entry.kind() == FolderEntry::Kind::other) return refuse(entry, entry.description(), "a regular file");
    CG_CHECK(compare(entry, before));
    return false;
  }

  Result<std::vector<git::TreeEdit>> edits() {
    std::vector<git::TreeEdit> all;
    for (const auto& [path, file] : written_.files) {
      // A submodule's folder is empty, and some programs remove such.
      if (seen_.contains(path) || file.mode == EntryMode::submodule) continue;
      CG_CHECK(count(path, file.size, 0));
      all.push_back({.path = path, .blob = std::nullopt, .mode = file.mode});
    }
    all.insert(all.end(), std::make_move_iterator(edits_.begin()), std::make_move_iterator(edits_.end()));
    return all;
  }

 private:
  static Failure refuse(const FolderEntry& entry, std::string_view found, std::string_view expected) {
    return fail(ErrorCode::bad_input, concat(quoted(entry.path(), kShown), ": expected ", expected, ", found ", found),
                "Let ci-image.generate leave nothing but the files that it makes; the others can go to /tmp.");
  }

  /// Whether the commit has files below the path: they are looked at though rules for new ones ignore the folder.
  bool holds_files(const std::string& path) const {
    const std::string inside = path + '/';
    const auto first = written_.files.lower_bound(inside);
    return first != written_.files.end() && first->first.starts_with(inside);
  }

  Result<bool> enter(const FolderEntry& entry, const WrittenFile* before) {
    if (before != nullptr && before->mode == EntryMode::submodule) {
      seen_.insert(entry.path());
      submodule_ = entry.path() + '/';
    }
    return true;
  }

  Result<void> compare(const FolderEntry& entry, const WrittenFile* before) {
    const auto mode = entry.kind() == FolderEntry::Kind::link         ? EntryMode::symlink
                      : entry.kind() == FolderEntry::Kind::executable ? EntryMode::executable
                                                                      : EntryMode::file;
    if (before != nullptr) seen_.insert(entry.path());
    std::optional<std::string> oid;
    if (before != nullptr && before->size == entry.size() && before->mode != EntryMode::submodule) {
      CG_TRY(const std::string content, entry.content());
      CG_TRY(oid, store_.write_blob(content));
      if (*oid == before->oid && mode == before->mode) return {};
    }
    CG_CHECK(count(entry.path(), before == nullptr ? 0 : before->size, entry.size()));
    if (!oid) {
      CG_TRY(const std::string content, entry.content());
      CG_TRY(oid, store_.write_blob(content));
    }
    edits_.push_back({.path = entry.path(), .blob = std::move(oid), .mode = mode});
    return {};
  }

  /// One more change. A patch has what goes and what comes: neither may be without end.
  Result<void> count(const std::string& path, std::uint64_t gone, std::uint64_t come) {
    if (!is_valid_utf8(path)) {
      return fail(ErrorCode::bad_input, concat(quoted(path, kShown), ": expected a name in UTF-8, found other bytes"),
                  "Rename the file.");
    }
    if (++changes_ > limits_.files) {
      return fail(ErrorCode::bad_input,
                  concat("expected at most ", limits_.files, " changed files, found more, as ", quoted(path, kShown)),
                  "Set regen.max-files, or let ci-image.generate make fewer.");
    }
    CG_CHECK(add(gone, gone_, "replaced or removed", path));
    return add(come, come_, "new", path);
  }

  Result<void> add(std::uint64_t bytes, std::uint64_t& sum, std::string_view what, const std::string& path) const {
    if (bytes > limits_.bytes - sum) {
      return fail(ErrorCode::bad_input,
                  concat("expected at most ", format_bytes(limits_.bytes), " of ", what, " content, found more with ",
                         quoted(path, kShown)),
                  "Set regen.max-mib, or let ci-image.generate change less.");
    }
    sum += bytes;
    return {};
  }

  git::TreeStore& store_;
  const WrittenTree& written_;
  const EditLimits& limits_;
  std::set<std::string> seen_;
  std::string submodule_;  ///< the last one, with a slash
  std::vector<git::TreeEdit> edits_;
  std::size_t changes_ = 0;
  std::uint64_t gone_ = 0, come_ = 0;
};

}  // namespace

Result<WrittenTree> write_tree(git::TreeStore& store, const std::string& tree, const sys::Path& folder) {
  CG_TRY(const auto entries, store.entries(tree, kMostTreeFiles));
  CG_TRY(const auto fresh, sys::NewFolder::create(folder));
  WrittenTree written{.tree = tree, .files = {}, .bytes = 0, .ignored = {}};
  for (const auto& entry : entries) CG_CHECK(write_entry(store, entry, fresh, written));
  return written;
}

sys::FolderLimits folder_limits(const WrittenTree& written) {
  std::set<std::string> folders;
  for (const auto& [path, file] : written.files) {
    for (auto folder = folder_of(path); !folder.empty() && folders.insert(folder).second;) folder = folder_of(folder);
  }
  return {.entries = written.files.size() + folders.size() + kRoomForEntries,
          .bytes = written.bytes + kRegenRoom,
          .depth = kDepth};
}

Result<std::vector<git::TreeEdit>> read_edits(git::TreeStore& store, const WrittenTree& written,
                                              const sys::Path& folder, const EditLimits& limits) {
  Comparison comparison(store, written, limits);
  CG_CHECK(sys::walk_folder(folder, folder_limits(written),
                            [&comparison](const FolderEntry& entry) { return comparison.visit(entry); }));
  return comparison.edits();
}

}  // namespace crategate::stages
