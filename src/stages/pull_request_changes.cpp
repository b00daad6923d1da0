#include "stages/pull_request_changes.h"

#include <array>
#include <utility>

#include "base/strings.h"

namespace crategate::stages {
namespace {

/// Most pull requests have few commits. The last is git's word for all there are.
constexpr std::array kDepths = {50, 500, 5000, 0x7fffffff};

/// The merge commit that a runner checks out has the base before it: what differs is what the pull request brings. Any
/// other commit's parent is no base.
Result<bool> is_merge_of(const std::string& head, git::Repository& repository) {
  CG_TRY(const auto merged, repository.resolve("HEAD^2"));
  return merged == head;
}

/// A pull request has commits that its base has not, until it is merged. `origin/BASE` is as of now, and not as of the event.
Result<bool> was_merged(const pipeline::Event& event, const Comparison& compared, git::Repository& repository) {
  if (!event.pull_request && event.name != "merge_group") return false;
  CG_TRY(const auto inside, repository.is_ancestor(compared.head, compared.base));
  return inside.value_or(false);
}

Result<void> compare_with_base(Comparison& out, const pipeline::Event& event, git::Repository& repository) {
  if (event.base_branch.empty()) {
    out.why_not = "no payload names its base branch (give --payload, or --base-ref)";
    return {};
  }
  CG_TRY(auto changes, repository.changes(out.base, out.head, true));
  out.paths = std::move(changes.paths);
  out.why_not = std::move(changes.why_not);
  if (!out.paths || !out.paths->empty()) return {};
  CG_TRY(const bool merged, was_merged(event, out, repository));
  if (merged) {
    out.is_merged = true;
    out.paths.reset();
    out.why_not = concat(out.base, " has ", out.head, " by now: it was merged, and nothing here tells what it changed");
  }
  return {};
}

}  // namespace

std::string base_ref(const std::string& base_branch) { return concat("refs/remotes/origin/", base_branch); }

Result<Comparison> compare_pull_request(const pipeline::Event& event, git::Repository& repository) {
  Comparison out{.paths = std::nullopt, .base = base_ref(event.base_branch), .head = event.head_sha, .why_not = {}};
  if (out.head.empty()) out.head = "HEAD";
  CG_CHECK(compare_with_base(out, event, repository));
  if (out.paths) return out;
  CG_TRY(const bool merge, is_merge_of(event.head_sha, repository));
  if (!merge) return out;
  CG_TRY(auto changes, repository.changes("HEAD^1", "HEAD", false));
  return Comparison{std::move(changes.paths), "HEAD^1", "HEAD", std::move(changes.why_not)};
}

Result<RemoteComparison> compare_with_remote(const pipeline::Event& event, git::RemoteHistory& history) {
  RemoteComparison out;
  out.compared = {.paths = std::nullopt, .base = base_ref(event.base_branch), .head = event.head_sha, .why_not = {}};
  const git::RemoteHistory::Ends ends{
      .branch = event.base_branch,
      .commit = event.head_sha,
      .hint_ref = event.pull_request ? concat("refs/pull/", *event.pull_request, "/head") : std::string()};
  for (const int depth : kDepths) {
    CG_TRY(out.repository, history.fetch(ends, depth));
    CG_CHECK(compare_with_base(out.compared, event, *out.repository));
    if (out.compared.paths || out.compared.is_merged) break;
  }
  return out;
}

}  // namespace crategate::stages
