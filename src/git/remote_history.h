// A pull request's history from a remote, where the clone at hand is too shallow to compare it.
// Belongs here: fetching commits and folders, as deep as asked.  Not here: how deep, and what is compared (stages).
#pragma once

#include <string>

#include "base/result.h"
#include "git/private_repository.h"
#include "git/repository.h"

namespace crategate::git {

class RemoteHistory {
 public:
  struct Ends {
    std::string branch;    ///< the base, by its name: `main`
    std::string commit;    ///< the head, a whole id
    std::string hint_ref;  ///< that names the head where the server hands out no commit by its id; may be empty
  };
  virtual ~RemoteHistory() = default;
  /// Both ends with `depth` commits before them, the base as `refs/remotes/origin/BRANCH`, as a clone calls it; files have no
  /// content, and are named as the clone names them, which stays as it is. The answer lives as long as this, and has what earlier calls fetched, too.
  ///
  /// Effects: process(git), network(the remote), a folder for temporary files
  /// Errors:  not_found (the commit is not there), bad_input (no such remote), unauthenticated, forbidden, unavailable
  virtual Result<Repository*> fetch(const Ends& ends, int depth) = 0;
};

class GitRemoteHistory final : public RemoteHistory {
 public:
  GitRemoteHistory(sys::ProcessRunner& processes, const sys::Environment& environment, Repository& clone,
                   PrivateRepository remote)
      : processes_(processes), environment_(environment), clone_(clone), remote_(std::move(remote)) {}
  Result<Repository*> fetch(const Ends& ends, int depth) override;

 private:
  sys::ProcessRunner& processes_;
  const sys::Environment& environment_;
  Repository& clone_;
  PrivateRepository remote_;
  std::optional<GitProgram> fetched_;
};

}  // namespace crategate::git
