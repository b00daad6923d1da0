#include "git/remote_history.h"

#include <utility>

#include "base/strings.h"
#include "git/revision.h"

namespace crategate::git {

Result<Repository*> GitRemoteHistory::fetch(const Ends& ends, int depth) {
  const std::string branch = concat("refs/heads/", ends.branch);
  CG_CHECK(check_revision(branch));
  const auto here = remote_.fetch_commit({.commit = ends.commit,
                                          .hint_ref = ends.hint_ref,
                                          .options = {concat("--depth=", depth), "--filter=blob:none"},
                                          .also = {concat("+", branch, ":refs/remotes/origin/", ends.branch)}});
  if (!here) {
    Error error = here.error();
    // Another try, or another setting, would not mend these; a deeper checkout does.
    if (error.code == ErrorCode::unavailable || error.code == ErrorCode::bad_input) error.hint.clear();
    return fail(std::move(error));
  }
  if (!*here) {
    return fail(ErrorCode::not_found,
                concat("the commit ", ends.commit, ": expected at ", remote_.place(), ", found none of that name"));
  }
  if (!fetched_) {
    CG_TRY(std::string inside, clone_.prefix());
    fetched_.emplace(processes_, environment_, remote_.path(), std::move(inside));
  }
  return &*fetched_;
}

}  // namespace crategate::git
