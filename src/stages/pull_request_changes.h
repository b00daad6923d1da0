// What a pull request, or a merge group, changes, as far as the clone can tell.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "git/remote_history.h"
#include "git/repository.h"
#include "pipeline/event.h"

namespace crategate::stages {

/// The base branch as a clone knows it.
std::string base_ref(const std::string& base_branch);

/// Changed paths, and the two commits that were compared.
struct Comparison {
  std::optional<std::vector<std::string>> paths;
  std::string base, head;
  std::string why_not;     ///< without paths: what mends it, too
  bool is_merged = false;  ///< BASE has the head by now, so that the two tell nothing
};

/// The head with its merge base with `origin/BASE`. Where the history does not reach, or BASE has the head already, as in a clone
/// that a job makes after the merge, it is the merge commit that a runner checks out with its first parent, and no other commit
/// with its: a head's own parent is no base.
///
/// Effects: process(git)
Result<Comparison> compare_pull_request(const pipeline::Event& event, git::Repository& repository);

/// Of commits that are not in the clone: with BASE as the remote has it, step by step deeper until their merge base is there.
struct RemoteComparison {
  Comparison compared;
  git::Repository* repository = nullptr;  ///< that has them; as long as `history`
};
/// Effects: process(git), network(the remote)
/// Errors:  those of RemoteHistory::fetch
Result<RemoteComparison> compare_with_remote(const pipeline::Event& event, git::RemoteHistory& history);

}  // namespace crategate::stages
