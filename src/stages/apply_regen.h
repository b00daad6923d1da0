// apply-regen: the patch of a pull request's generated files → a commit on its branch (C-8, A32 to A36).
// Belongs here: what is read as a stranger's, in which order it is held against what was pinned.  Not here: who may ask
// (authorise_regen), which files may be committed (pipeline/regen_policy), the answer's words (render/applied_regen).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/configuration.h"
#include "git/commit_transfer.h"
#include "git/tree_store.h"
#include "pipeline/regen_policy.h"
#include "pipeline/regen_request.h"
#include "pipeline/regen_result.h"
#include "stages/workspace.h"
#include "sys/file_system.h"

namespace crategate::stages {

/// What `generate` has left, as far as it agrees with itself.
struct RegenPatch {
  pipeline::RegenResult result;
  std::string bytes;
};

/// nullopt: nothing was left, so `generate` has failed.
/// Errors: bad_input for what no `generate` writes; integrity for a patch that is not the one of regen.json.
Result<std::optional<RegenPatch>> read_regen_patch(const Workspace& workspace, const config::Regen& settings,
                                                   const sys::FileSystem& files);

struct ApplyRegenInputs {
  const config::Regen& settings;
  pipeline::DecidingFiles deciding;     ///< are never committed
  const pipeline::RegenTarget& target;  ///< asked anew, and still at the pinned commit
  std::string image;                    ///< by digest, as it was pinned
  std::int64_t seconds = 0;             ///< now, since the epoch
  bool dry_run = false;                 ///< everything but the commit
};

struct ApplyRegenServices {
  git::CommitTransfer& transfer;
  std::function<Result<std::unique_ptr<git::TreeStore>>(const sys::Path& repository)> open;
};

struct AppliedRegen {
  std::vector<pipeline::RegenFile> files;  ///< that have become others, by the trees and not by what regen.json says
  std::vector<pipeline::RegenFinding> findings;  ///< not empty = nothing was committed
  std::string commit;                            ///< empty = none was made
};

/// The patch is applied to the pinned commit's tree, without a work tree; every file that becomes another is judged; the commit
/// has the pinned one as its only parent, and the branch moves only if it still names that. A fork's is judged, too,
/// and not pushed.
///
/// Effects: network(git remote: one fetch, one push)
/// Errors: integrity for a patch of another commit, image or pull request, or one that does not make the tree that it says;
///         bad_input for one that does not apply; conflict when the branch has moved; those of CommitTransfer
Result<AppliedRegen> apply_regen(const RegenPatch& patch, const ApplyRegenInputs& in, const ApplyRegenServices& svc);

}  // namespace crategate::stages
