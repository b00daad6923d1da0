// Changed paths between two commits. Every path that git cannot tell is "cannot be computed", never "unchanged".
#include "base/strings.h"
#include "git/repository.h"

namespace crategate::git {
namespace {

constexpr std::string_view kDeeper = "check out with `fetch-depth: 0` (or run `git fetch --unshallow`)";

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

}  // namespace

Result<Changes> GitProgram::changes(const std::string& from, const std::string& to, bool merge_base) {
  CG_TRY(const bool shallow, is_shallow());
  CG_TRY(auto older, resolve(from));
  CG_TRY(const auto newer, resolve(to));
  if (!older || !newer) {
    const std::string missing = concat(quoted(older ? to : from), " is not in this clone");
    if (shallow) return unknown(concat(missing, ", which is shallow: ", kDeeper));
    return unknown(concat(missing, ": a first commit has none before it; otherwise fetch it"));
  }
  if (merge_base) {
    CG_TRY(const auto base, git({"merge-base", "--end-of-options", *older, *newer}));
    if (base.exit_code != 0)
      return unknown(concat(quoted(from), " and ", quoted(to), " have no common commit",
                            shallow ? " in this shallow clone: " : ": ",
                            shallow ? kDeeper : "compare related branches"));
    older = base.out.substr(0, base.out.find('\n'));
  }
  CG_TRY(const auto prefix, git({"rev-parse", "--show-prefix"}));
  CG_TRY(const auto listed,
         git({"diff-tree", "-r", "-z", "--name-only", "--no-renames", "--no-relative", "--no-ext-diff", "--no-textconv",
              "--ignore-submodules=none", "--end-of-options", *older, *newer}));
  if (prefix.exit_code != 0 || listed.exit_code != 0)
    return unknown(concat("git could not compare the commits: ", quoted(trim(listed.err), 300)));
  if (listed.dropped > 0) return unknown("too many changed paths");
  return Changes{.paths = paths_of(listed.out, std::string_view(prefix.out).substr(0, prefix.out.find('\n')))};
}

}  // namespace crategate::git
