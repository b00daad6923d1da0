// One build whose output is kept.
// Belongs here: the log.  Not here: what is asked for (build, build_ci_image), what a failure means (docker/build_failure).
#pragma once

#include "base/result.h"
#include "docker/build.h"
#include "stages/workspace.h"
#include "sys/file_system.h"

namespace crategate::stages {

struct LoggedBuildInputs {
  const docker::BuildRequest& request;
  std::chrono::milliseconds timeout;
  const Workspace& workspace;
  sys::Path log;  ///< below the state directory
};

/// Every line goes to the log as it is, and to `on_line`; an error of a build that has begun names the log.
///
/// Effects: process(docker buildx), writes the log
/// Errors:  those of docker::ImageBuilder
Result<docker::BuildOutcome> run_logged_build(const LoggedBuildInputs& in, docker::ImageBuilder& builder,
                                              sys::FileSystem& files, const docker::ProgressLine& on_line);

}  // namespace crategate::stages
