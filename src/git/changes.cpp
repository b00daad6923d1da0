// Changed paths between two commits, or since one, and the files of one. Every path that git cannot tell is "cannot be computed", never
// "unchanged".
#include <algorithm>
#include <filesystem>

#include "base/strings.h"
#include "git/repository.h"
#include "git/revision.h"

namespace crategate::git {
namespace {

constexpr std::string_view kDeeper = "check out with `fetch-depth: 0` (or run `git fetch --unshallow`)";
constexpr std::string_view kFromTop = ":(top,literal)";
constexpr std::string_view kAllBranches = "fetch it (actions/checkout does with `fetch-depth: 0`)";
constexpr std::string_view kOneMore = "check out with `fetch-depth: 2` (or run `git fetch --deepen=1`)";

Changes unknown(std::string why) { return {.paths = std::nullopt, .why_not = std::move(why)}; }

/// `prefix`: of the project's directory in the repository; its paths are named from there, others from the top.
std::vector<std::string> paths_of(std::string_view output, std::string_view prefix) {
  std::vector<std::string> paths;
  for (std::string& path : split(output, '\0')) {
    if (path.empty()) continue;
    const bool inside = !prefix.empty() && path.starts_with(prefix);
    paths.push_back(inside ? path.substr(prefix.size()) : std::move(path));
  }
  return paths;
}

std::vector<std::string> diff_arguments(const std::string& older, const std::string& newer, bool merge_base) {
  std::vector<std::string> arguments = {"diff-tree",
                                        "-r",
                                        "-z",
                                        "--name-only",
                                        "--no-renames",
                                        "--no-relative",
                                        "--no-ext-diff",
                                        "--no-textconv",
                                        "--ignore-submodules=none"};
  if (merge_base) arguments.emplace_back("--merge-base");
  for (const std::string& end :
       {std::string("--end-of-options"), concat(older, "^{commit}"), concat(newer, "^{commit}")})
    arguments.push_back(end);
  return arguments;
}

}  // namespace

Result<sys::ProcessOutcome> GitProgram::diff_tree(const std::string& older, const std::string& newer) {
  return git(diff_arguments(older, newer, false));
}

Result<std::string> GitProgram::prefix() {
  if (prefix_) return *prefix_;
  std::error_code ignored;
  if (std::filesystem::exists(directory_ / ".git", ignored)) return std::string();
  CG_TRY(const auto shown, git({"rev-parse", "--show-prefix"}));
  return shown.out.substr(0, shown.out.find('\n'));
}

Result<Changes> GitProgram::changes(const std::string& from, const std::string& to, bool merge_base) {
  CG_CHECK(check_revision(from));
  CG_CHECK(check_revision(to));
  // The usual case costs one process; why it cannot be told is asked only when it cannot. Of several merge bases git
  // takes none by itself.
  CG_TRY(const auto usual, git(diff_arguments(from, to, merge_base)));
  const bool done = usual.exit_code == 0 && usual.dropped == 0;
  bool shallow = false;
  if (merge_base || !done) {
    CG_TRY(shallow, is_shallow());
  }
  if (done && !(merge_base && shallow)) {
    CG_TRY(const std::string inside, prefix());
    return Changes{.paths = paths_of(usual.out, inside), .why_not = {}};
  }
  CG_TRY(auto older, resolve(from));
  CG_TRY(const auto newer, resolve(to));
  if (!older || !newer) {
    const std::string missing = concat(quoted(older ? to : from), " is not in this clone");
    if (shallow) return unknown(concat(missing, ", which is shallow: ", merge_base ? kDeeper : kOneMore));
    if (merge_base) return unknown(concat(missing, ": ", kAllBranches));
    return unknown(concat(missing, ": a first commit has none before it; otherwise fetch it"));
  }
  if (merge_base) {
    CG_TRY(const auto base, git({"merge-base", "--end-of-options", *older, *newer}));
    if (base.exit_code != 0)
      return unknown(concat(quoted(from), " and ", quoted(to), " have no common commit",
                            shallow ? " in this shallow clone: " : ": ",
                            shallow ? kDeeper : "compare related branches"));
    const std::string common = base.out.substr(0, base.out.find('\n'));
    // Where a clone ends, a commit seems to have no parents; behind it could be a nearer common commit.
    CG_TRY(const auto ends, git({"rev-list", "--max-parents=0", "--max-count=1", "--end-of-options", *older, *newer,
                                 concat("^", common)}));
    if (shallow && (ends.exit_code != 0 || !ends.out.empty()))
      return unknown(concat("the history of ", quoted(from), " and ", quoted(to),
                            " is not whole in this shallow clone: ", kDeeper));
    older = common;
  }
  CG_TRY(const auto listed, diff_tree(*older, *newer));
  if (listed.exit_code != 0)
    return unknown(concat("git could not compare the commits: ", quoted(trim(listed.err), 300)));
  if (listed.dropped > 0) return unknown("too many changed paths");
  CG_TRY(const std::string inside, prefix());
  return Changes{.paths = paths_of(listed.out, inside), .why_not = {}};
}

Result<std::optional<std::vector<std::string>>> GitProgram::files_at(const std::string& commit,
                                                                     const std::vector<std::string>& paths) {
  CG_CHECK(check_revision(commit));
  CG_TRY(const std::string inside, prefix());
  std::vector<std::string> arguments = {
      "ls-tree", "-r", "-z", "--name-only", "--full-tree", "--end-of-options", concat(commit, "^{commit}")};
  for (const std::string& path : paths) {
    arguments.push_back(path);
    if (!inside.empty()) arguments.push_back(inside + path);
  }
  CG_TRY(const auto listed, git(arguments, {{"GIT_LITERAL_PATHSPECS", "1"}}));
  if (listed.exit_code != 0 || listed.dropped > 0) {
    CG_TRY(const auto known, resolve(commit));
    if (!known) return std::nullopt;
    return fail(ErrorCode::bad_input,
                concat("cannot list the files of ", quoted(commit), ": git ended with ", listed.exit_code, ", ",
                       quoted(trim(listed.err), 300)),
                "run `git fsck`, or check the project out anew");
  }
  auto files = paths_of(listed.out, inside);
  if (!paths.empty()) {  // what is below a folder of that name is not that path
    std::erase_if(files, [&paths](const auto& file) { return std::ranges::find(paths, file) == paths.end(); });
  }
  return files;
}

Result<std::optional<std::vector<std::string>>> GitProgram::changed_since(const std::string& with,
                                                                          const std::vector<std::string>& paths) {
  CG_CHECK(check_revision(with));
  CG_TRY(const std::string inside, prefix());
  const auto asked = [&](std::vector<std::string> arguments) {
    arguments.emplace_back("--");
    for (const std::string& path : paths) {
      arguments.push_back(concat(kFromTop, path));
      if (!inside.empty()) arguments.push_back(concat(kFromTop, inside, path));
    }
    return arguments;
  };
  CG_TRY(const auto variables, without_filters());
  CG_TRY(const auto differing,
         git(asked({"diff", "-z", "--name-only", "--no-renames", "--no-relative", "--no-ext-diff", "--no-textconv",
                    "--ignore-submodules=none", "--merge-base", "--end-of-options", concat(with, "^{commit}")}),
             variables));
  if (differing.exit_code != 0 || differing.dropped > 0) return std::nullopt;
  CG_TRY(const auto added, git(asked({"ls-files", "-z", "--others", "--exclude-standard", "--full-name"})));
  if (added.exit_code != 0 || added.dropped > 0) return std::nullopt;
  return paths_of(differing.out + added.out, inside);
}

}  // namespace crategate::git
