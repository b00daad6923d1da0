// cleanup: directories that the builds do not need are emptied; the engine's and BuildKit's state never is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/configuration.h"
#include "docker/engine.h"
#include "pipeline/cleanup.h"
#include "stages/project_command.h"
#include "stages/workspace.h"

namespace crategate::stages {

struct CleanupInputs {
  const config::Cleanup& cleanup;
  Workspace workspace;
  std::vector<pipeline::Protected> keep;  ///< beside the workspace and the state directory
  /// Of crategate, for the containers that reach the disk of the engine's machine; empty = this machine is meant.
  std::string image;
};

struct CleanupServices {
  sys::FileSystem& files;
  EngineSource engine;
};

/// What happened to one directory.
struct Cleaned {
  std::string path;
  bool present = false;  ///< false: there is no such directory
  std::uint64_t free_before = 0, free_after = 0;
  std::uint64_t removed = 0, bytes = 0, kept = 0, failures = 0;
  std::string first_failure;
};

struct CleanupResult {
  std::vector<Cleaned> directories;
  std::uint64_t free_before = 0, free_after = 0;  ///< bytes, of the first directory's disk
  std::uint64_t freed = 0;                        ///< bytes, of all disks
};

/// The directories, checked.
/// Errors: bad_input for one that is never emptied; engine, where its own directory has to be asked for.
Result<std::vector<std::string>> plan_cleanup(const CleanupInputs& in, const CleanupServices& svc);
/// The container that empties one of them.
docker::ContainerSpec cleanup_container(const std::string& image, const std::string& path);

/// Effects: removes what the directories hold, here or through containers; writes cleanup.json in the state directory.
/// Errors: bad_input, engine, interrupted. A file that cannot be removed is counted.
Result<CleanupResult> run_cleanup(const CleanupInputs& in, const CleanupServices& svc);

/// Whether `path` is mounted from the place of its name: the engine follows links on the way to what it mounts, so that
/// /host/opt/x may be /etc. A path that is no mount is none of ours.
/// Errors: bad_input.
Result<void> check_mounted(const std::string& path, const std::vector<docker::SeenMount>& mounts);

/// One directory of this machine: what the container does. Its report is the line that `run_cleanup` reads.
Result<Cleaned> clean_here(const std::string& path, const sys::FileSystem& files);
std::string to_json(const Cleaned& cleaned);

/// "freed 17.8 GiB: 12.3 GiB were free, now 30.1 GiB".
std::string cleanup_line(const CleanupResult& result);
/// A line for each directory.
std::vector<std::string> cleanup_lines(const CleanupResult& result);
std::string cleanup_markdown(const CleanupResult& result);

}  // namespace crategate::stages
