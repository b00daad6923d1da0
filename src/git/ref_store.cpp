// GitRefStore: plumbing in a repository of our own.
#include "git/ref_store.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "git/revision.h"

namespace crategate::git {
namespace {

constexpr std::size_t kLargest = 16u << 20;
constexpr std::size_t kMostFiles = 16;
constexpr std::size_t kNonce = 16;

Failure not_ours(std::string_view oid, std::string_view why) {
  return fail(ErrorCode::bad_input, concat("the commit ", oid, ": expected a few text files, found ", why),
              "Something else wrote that ref; see what it is with `git ls-remote` before you remove it.");
}

struct Entry {
  std::string oid, name;
};

/// `git ls-tree -z`: "100644 blob <oid>\t<name>".
Result<std::vector<Entry>> entries_of(std::string_view oid, std::string_view listed) {
  std::vector<Entry> entries;
  for (const std::string& row : split(listed, '\0')) {
    if (row.empty()) continue;
    const auto tab = row.find('\t');
    const auto words = split(row.substr(0, tab), ' ');
    if (tab == std::string::npos || words.size() != 3 || words[0] != "100644" || words[1] != "blob")
      return not_ours(oid, concat("the entry ", quoted(row)));
    entries.push_back({words[2], row.substr(tab + 1)});
    if (entries.size() > kMostFiles) return not_ours(oid, concat("more than ", kMostFiles, " files"));
  }
  return entries;
}

/// The next answer of `git cat-file --batch`: "<oid> blob <size>\n<bytes>\n".
std::optional<std::string> take_blob(std::string_view& answers, const std::string& oid) {
  const auto end = answers.find('\n');
  const std::string head = concat(oid, " blob ");
  if (end == std::string_view::npos || !answers.starts_with(head)) return std::nullopt;
  const auto size = parse_unsigned(answers.substr(head.size(), end - head.size()));
  if (!size || *size > answers.size() - end - 1) return std::nullopt;
  std::string bytes(answers.substr(end + 1, *size));
  answers.remove_prefix(std::min(answers.size(), end + 1 + *size + 1));
  return bytes;
}

}  // namespace

Result<std::map<std::string, std::string>> GitRefStore::files_of(const std::string& oid) {
  CG_TRY(const auto listed, repository_.git({"ls-tree", "-z", "--full-tree", oid}));
  if (listed.exit_code != 0) return not_ours(oid, quoted(trim(listed.err), 300));
  CG_TRY(const auto entries, entries_of(oid, listed.out));
  std::map<std::string, std::string> files;
  if (entries.empty()) return files;
  std::string wanted;
  for (const auto& entry : entries) wanted += concat(entry.oid, "\n");
  CG_TRY(const auto read, repository_.git({"cat-file", "--batch"}, std::move(wanted)));
  if (read.dropped > 0) return not_ours(oid, concat("more than ", format_bytes(kLargest)));
  std::string_view answers = read.out;
  for (const auto& entry : entries) {
    auto bytes = take_blob(answers, entry.oid);
    if (!bytes) return not_ours(oid, concat("no content of ", quoted(entry.name)));
    files[entry.name] = *std::move(bytes);
  }
  return files;
}

Result<std::optional<RefState>> GitRefStore::read(const std::string& ref) {
  CG_CHECK(check_revision(ref));
  CG_TRY(auto oid, repository_.look(ref));
  if (!oid) return std::nullopt;
  CG_TRY(const bool known, repository_.has(*oid));
  if (!known) {
    CG_TRY(oid, repository_.fetch(ref));
    if (!oid) return std::nullopt;
  }
  CG_TRY(auto files, files_of(*oid));
  return RefState{*std::move(oid), std::move(files)};
}

Result<std::string> GitRefStore::commit(const std::optional<std::string>& parent,
                                        const std::map<std::string, std::string>& files, const std::string& message) {
  std::string tree;
  for (const auto& [name, text] : files) {
    CG_TRY(const std::string blob, repository_.line({"hash-object", "-w", "--no-filters", "--stdin"}, text));
    tree += concat("100644 blob ", blob, "\t", name, std::string(1, '\0'));
  }
  CG_TRY(const std::string root, repository_.line({"mktree", "-z"}, std::move(tree)));
  std::vector<std::string> arguments = {"commit-tree", root};
  if (parent) arguments.insert(arguments.end(), {"-p", *parent});
  // Two writers of the same files would make the same commit, and each take the other's push for its own.
  return repository_.line(std::move(arguments), concat(message, "\n\nWrite: ", sys::random_hex(kNonce), "\n"));
}

Result<std::optional<std::string>> GitRefStore::compare_and_swap(const std::string& ref,
                                                                 const std::optional<std::string>& expected,
                                                                 const std::map<std::string, std::string>& files,
                                                                 const std::string& message) {
  CG_CHECK(check_revision(ref));
  if (expected) {
    CG_TRY(const bool known, repository_.has(*expected));
    if (!known) {
      CG_TRY(const auto fetched, repository_.fetch(ref));
      if (fetched != expected) return std::nullopt;
    }
  }
  CG_TRY(const std::string next, commit(expected, files, message));
  CG_TRY(const bool swapped, repository_.swap(ref, expected, next));
  if (!swapped) return std::nullopt;
  return next;
}

}  // namespace crategate::git
