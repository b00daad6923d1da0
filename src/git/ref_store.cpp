// GitRefStore: plumbing in a repository of our own, and pushes with a lease on the old value.
#include "git/ref_store.h"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "git/invocation.h"
#include "git/ref_failure.h"
#include "git/revision.h"
#include "sys/cancel.h"

namespace crategate::git {
namespace {

constexpr std::chrono::milliseconds kTimeLimit{60'000};
constexpr std::chrono::milliseconds kGraceOfPuttingAway{200};
constexpr std::size_t kLargest = 16u << 20;
constexpr std::size_t kMostFiles = 16;
constexpr int kTries = 5;  ///< of a push that met another one's lock
constexpr std::size_t kNonce = 16;
constexpr std::string_view kLocalRef = "refs/heads/read";

bool is_oid(std::string_view text) {
  constexpr std::size_t kSha1 = 40, kSha256 = 64;
  return (text.size() == kSha1 || text.size() == kSha256) &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

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

/// What became of a push, as its porcelain says: " ", "*", "=" done; "!" with the reason in brackets at the end.
struct Pushed {
  bool done = false;
  bool refused = false;  ///< by the server, in words
  std::string reason;
};
Pushed read_push(const sys::ProcessOutcome& outcome, const std::string& ref) {
  Pushed pushed;
  for (const std::string& row : split(outcome.out, '\n')) {
    const auto words = split(row, '\t');
    if (words.size() < 3 || !words[1].ends_with(concat(":", ref))) continue;
    pushed.done = words[0] != "!" && outcome.exit_code == 0;
    pushed.refused = words[0] == "!" && words[2].starts_with("[remote rejected]");
    if (words[0] == "!") pushed.reason = words[2];
  }
  return pushed;
}

/// Two pushes at one time: the one that finds the other's lock has not been judged.
bool met_a_lock(std::string_view reason) {
  return reason.find("lock") != std::string_view::npos || reason.find("failed to update ref") != std::string_view::npos;
}

}  // namespace

GitRefStore::GitRefStore(sys::ProcessRunner& processes, const sys::Environment& environment, sys::Path checkout,
                         std::string remote, Secret token)
    : processes_(processes),
      environment_(environment),
      checkout_(std::move(checkout)),
      remote_(std::move(remote)),
      token_(std::move(token)) {
  std::error_code error;
  const sys::Path real = std::filesystem::canonical(checkout_.empty() ? "." : checkout_, error);
  if (!error) checkout_ = real;
}

Result<void> GitRefStore::prepare() {
  if (!access_) {
    CG_TRY(access_, find_remote_access(processes_, environment_, checkout_, remote_, token_));
  }
  if (repository_) return {};
  CG_TRY(auto made, sys::PrivateDirectory::create({checkout_, environment_.get("RUNNER_TEMP").value_or("")}));
  sys::Command command{.program = "git",
                       .arguments = {"init", "--quiet", "--bare", "--template=", made.path().string()},
                       .environment = local_environment(environment_, checkout_)};
  CG_TRY(const auto outcome, processes_.run(command, {.timeout = kTimeLimit}));
  if (outcome.cancelled) CG_CHECK(sys::check_cancelled());
  if (outcome.exit_code != 0)
    return fail(ErrorCode::internal,
                concat("git init: expected exit 0, found ", outcome.exit_code, ": ", quoted(trim(outcome.err), 300)));
  repository_ = std::move(made);
  return {};
}

Result<sys::ProcessOutcome> GitRefStore::git(std::vector<std::string> arguments, std::string input) {
  CG_CHECK(prepare());
  const std::string what = arguments.front();
  sys::Command command{.program = "git",
                       .arguments = safe_options(checkout_),
                       .directory = repository_->path(),
                       .environment = access_->variables,
                       .input = std::move(input)};
  command.environment["GIT_DIR"] = repository_->path().string();
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  // While what a cancelled run has made is being put away, git works for that, as long as a runner lets us live.
  const bool putting_away = sys::cancellation().has_value() && sys::check_cancelled().has_value();
  sys::RunOptions options{.timeout = kTimeLimit, .capture_limit = 2 * kLargest, .ignore_cancellation = putting_away};
  if (putting_away) {
    options.timeout = left_to_put_away_;
    options.grace = kGraceOfPuttingAway;
  }
  const auto too_slow = [&] {
    return fail(ErrorCode::unavailable,
                concat("git ", what, ": ", place(), " took longer than ",
                       format_duration((putting_away ? kPuttingAway : kTimeLimit).count())),
                "Run the same command again.");
  };
  if (putting_away && left_to_put_away_ <= std::chrono::milliseconds(0)) return too_slow();
  auto outcome = processes_.run(command, options);
  if (!outcome) return fail(std::move(outcome).error().within("asking git"));
  if (putting_away) left_to_put_away_ -= outcome->elapsed;
  if (outcome->cancelled) CG_CHECK(sys::check_cancelled());
  if (outcome->timed_out) return too_slow();
  return outcome;
}

Result<std::string> GitRefStore::line(std::vector<std::string> arguments, std::string input) {
  const std::string what = arguments.front();
  CG_TRY(const auto outcome, git(std::move(arguments), std::move(input)));
  if (outcome.exit_code == 0) return outcome.out.substr(0, outcome.out.find('\n'));
  const bool full = outcome.err.find("No space left") != std::string::npos;
  return fail(
      full ? ErrorCode::no_space : ErrorCode::internal,
      concat("git ", what, ": expected exit 0, found ", outcome.exit_code, ": ", quoted(trim(outcome.err), 300)),
      full ? "Free space for temporary files." : "Report this, with git's version.");
}

Result<std::optional<std::string>> GitRefStore::look(const std::string& ref) {
  CG_TRY(const auto outcome, git({"ls-remote", "--quiet", "--refs", std::string(kRemoteName), ref}));
  if (outcome.exit_code != 0) return fail(remote_failure(concat("read ", ref), access_->address, outcome.err));
  for (const std::string& row : split(outcome.out, '\n')) {
    const auto tab = row.find('\t');  // a pattern matches the end of longer names, too
    if (tab != std::string::npos && row.substr(tab + 1) == ref && is_oid(row.substr(0, tab))) return row.substr(0, tab);
  }
  return std::nullopt;
}

Result<bool> GitRefStore::has(const std::string& oid) {
  CG_TRY(const auto outcome, git({"cat-file", "-e", concat(oid, "^{commit}")}));
  return outcome.exit_code == 0;
}

Result<std::optional<std::string>> GitRefStore::fetch(const std::string& ref) {
  CG_TRY(const auto outcome,
         git({"fetch", "--quiet", "--depth=1", "--no-tags", "--no-auto-gc", "--no-write-fetch-head", "--no-prune",
              "--no-recurse-submodules", std::string(kRemoteName), concat("+", ref, ":", kLocalRef)}));
  if (outcome.exit_code != 0) {
    // Between the look and the fetch somebody may have removed it.
    if (outcome.err.find("couldn't find remote ref") != std::string::npos) return std::nullopt;
    return fail(remote_failure(concat("read ", ref), access_->address, outcome.err));
  }
  CG_TRY(const std::string oid, line({"rev-parse", "--verify", "--end-of-options", concat(kLocalRef, "^{commit}")}));
  return oid;
}

Result<std::map<std::string, std::string>> GitRefStore::files_of(const std::string& oid) {
  CG_TRY(const auto listed, git({"ls-tree", "-z", "--full-tree", oid}));
  if (listed.exit_code != 0) return not_ours(oid, quoted(trim(listed.err), 300));
  CG_TRY(const auto entries, entries_of(oid, listed.out));
  std::map<std::string, std::string> files;
  if (entries.empty()) return files;
  std::string wanted;
  for (const auto& entry : entries) wanted += concat(entry.oid, "\n");
  CG_TRY(const auto read, git({"cat-file", "--batch"}, std::move(wanted)));
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
  CG_TRY(auto oid, look(ref));
  if (!oid) return std::nullopt;
  CG_TRY(const bool known, has(*oid));
  if (!known) {
    CG_TRY(oid, fetch(ref));
    if (!oid) return std::nullopt;
  }
  CG_TRY(auto files, files_of(*oid));
  return RefState{*std::move(oid), std::move(files)};
}

Result<std::string> GitRefStore::commit(const std::optional<std::string>& parent,
                                        const std::map<std::string, std::string>& files, const std::string& message) {
  std::string tree;
  for (const auto& [name, text] : files) {
    CG_TRY(const std::string blob, line({"hash-object", "-w", "--no-filters", "--stdin"}, text));
    tree += concat("100644 blob ", blob, "\t", name, std::string(1, '\0'));
  }
  CG_TRY(const std::string root, line({"mktree", "-z"}, std::move(tree)));
  std::vector<std::string> arguments = {"commit-tree", root};
  if (parent) arguments.insert(arguments.end(), {"-p", *parent});
  // Two writers of the same files would make the same commit, and each take the other's push for its own.
  return line(std::move(arguments), concat(message, "\n\nWrite: ", sys::random_hex(kNonce), "\n"));
}

Result<std::optional<std::string>> GitRefStore::compare_and_swap(const std::string& ref,
                                                                 const std::optional<std::string>& expected,
                                                                 const std::map<std::string, std::string>& files,
                                                                 const std::string& message) {
  CG_CHECK(check_revision(ref));
  if (expected) {
    CG_TRY(const bool known, has(*expected));
    if (!known) {
      CG_TRY(const auto fetched, fetch(ref));
      if (fetched != expected) return std::nullopt;
    }
  }
  CG_TRY(const std::string next, commit(expected, files, message));
  for (int tried = 1;; ++tried) {
    CG_TRY(const auto outcome,
           git({"push", "--porcelain", "--no-verify", "--no-signed", "--no-follow-tags", "--recurse-submodules=no",
                concat("--force-with-lease=", ref, ":", expected.value_or("")), std::string(kRemoteName),
                concat(next, ":", ref)}));
    const Pushed pushed = read_push(outcome, ref);
    if (pushed.done) return next;
    // Refused, lost on the way, or done with a lost answer: the ref itself decides.
    auto now = look(ref);
    if (!now) return fail(std::move(now).error());
    if (*now == next) return next;
    if (*now != expected) return std::nullopt;
    if (tried < kTries && met_a_lock(pushed.reason)) continue;
    if (pushed.refused && !met_a_lock(pushed.reason)) return fail(refused_push(ref, access_->address, pushed.reason));
    return fail(
        remote_failure(concat("write ", ref), access_->address, pushed.reason.empty() ? outcome.err : pushed.reason));
  }
}

}  // namespace crategate::git
