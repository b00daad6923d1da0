#include "git/git_commit_transfer.h"

#include <string_view>
#include <utility>

#include "base/strings.h"
#include "git/revision.h"

namespace crategate::git {
namespace {

constexpr std::string_view kBranches = "refs/heads/";

Result<void> check_oid(const std::string& commit) {
  if (is_oid(commit)) return {};
  return fail(ErrorCode::bad_input, concat("the commit: expected 40 hex digits, found ", quoted(commit)));
}

}  // namespace

Result<void> GitCommitTransfer::fetch(const std::string& commit, const std::string& hint_ref) {
  CG_TRY(const bool here, repository_.fetch_commit({.commit = commit, .hint_ref = hint_ref}));
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
