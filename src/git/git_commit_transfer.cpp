#include "git/git_commit_transfer.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/strings.h"
#include "git/revision.h"

namespace crategate::git {
namespace {

constexpr std::chrono::minutes kTimeToFetch{10};  ///< all files of a commit
constexpr std::string_view kBranches = "refs/heads/";

/// What servers say that hand out only what a ref names, each in its protocol.
bool wants_a_ref(std::string_view said) {
  constexpr std::array<std::string_view, 2> kAnswers = {"not our ref", "unadvertised object"};
  return std::ranges::any_of(kAnswers, [said](auto answer) { return said.find(answer) != std::string_view::npos; });
}

Result<void> check_oid(const std::string& commit) {
  if (is_oid(commit)) return {};
  return fail(ErrorCode::bad_input, concat("the commit: expected 40 hex digits, found ", quoted(commit)));
}

}  // namespace

Result<void> GitCommitTransfer::fetch(const std::string& commit, const std::string& hint_ref) {
  CG_CHECK(check_oid(commit));
  CG_CHECK(check_revision(hint_ref));
  CG_TRY(const auto outcome,
         repository_.git({"fetch", "--quiet", "--depth=1", "--no-tags", "--no-auto-gc", "--no-write-fetch-head",
                          "--no-prune", "--no-recurse-submodules", std::string(kRemoteName), commit},
                         {}, kTimeToFetch));
  if (outcome.exit_code != 0) {
    if (!wants_a_ref(outcome.err)) return fail(repository_.remote_error(concat("read ", commit), outcome.err));
    CG_CHECK(repository_.fetch(hint_ref));
  }
  CG_TRY(const bool here, repository_.has(commit));
  if (here) return {};
  return fail(ErrorCode::not_found,
              concat("the commit ", commit, ": expected at ", repository_.place(), ", found neither it nor ", hint_ref,
                     " naming it"),
              "The branch has moved on: comment again.");
}

Result<bool> GitCommitTransfer::push(const std::string& commit, const std::string& branch,
                                     const std::string& expected) {
  CG_CHECK(check_oid(commit));
  CG_CHECK(check_oid(expected));
  CG_CHECK(check_revision(branch));
  if (!branch.starts_with(kBranches))
    return fail(ErrorCode::bad_input, concat("the branch: expected refs/heads/…, found ", quoted(branch)));
  if (login_) {
    CG_TRY(Secret token, login_());
    repository_.ask_as(std::move(token));
  }
  return repository_.swap(branch, expected, commit);
}

}  // namespace crategate::git
