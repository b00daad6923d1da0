// regen: the generated files of one commit, made anew in the CI image, as a patch (C-8).
// Belongs here: the order of fetch, folder, container, reading back.  Not here: who may ask (authorise-regen), what may be
// committed (apply-regen), entries of the folder (regen_tree).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "config/configuration.h"
#include "docker/engine.h"
#include "git/commit_transfer.h"
#include "git/tree_store.h"
#include "pipeline/regen_result.h"
#include "stages/project_command.h"
#include "stages/workspace.h"
#include "sys/file_system.h"

namespace crategate::stages {

struct RegenInputs {
  std::string commit;             ///< 40 hex digits
  std::int64_t pull_request = 0;  ///< 0 = none
  std::string image;              ///< that the engine has
  const config::Argv& generate;
  const config::Regen& settings;
  Workspace workspace;
  std::string user;  ///< `uid:gid` of whom new files in the workspace belong to
};

struct RegenServices {
  git::CommitTransfer& transfer;
  std::function<Result<std::unique_ptr<git::TreeStore>>(const sys::Path& repository)> open;
  docker::Engine& engine;
  sys::FileSystem& files;
  /// Of the disk that a folder is on.
  std::function<Result<std::uint64_t>(const sys::Path& folder)> free_space;
  const Progress& progress;
};

struct Regenerated {
  pipeline::RegenResult result;
  std::chrono::milliseconds elapsed{0};  ///< of the command
};

/// The container of the command: the folder at /workspace, and nothing else of the machine. No network unless
/// `regen.network`, no capability, a root that cannot be written, limits of everything.
docker::ContainerSpec regen_container(const RegenInputs& in, const sys::Path& folder);

/// The command line of a dry run.
/// Errors: bad_input where there is no command.
Result<std::string> describe_regen(const RegenInputs& in);

/// Fetches exactly the commit, writes its files into a fresh folder without a `.git`, runs `ci-image.generate` on it and
/// compares. What an earlier run left is withdrawn first, and the folder is gone afterwards.
///
/// Effects: network(git remote), container; writes regen/ and logs/regen.log in the state directory
/// Errors: bad_input (no command; more than the limits; what no commit of ours may hold), not_found (commit),
///         tests_failed (non-zero exit, time limit), engine, no_space; those of CommitTransfer::fetch
Result<Regenerated> run_regen(const RegenInputs& in, const RegenServices& svc);

}  // namespace crategate::stages
