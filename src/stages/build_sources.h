// What a build is made of, looked at before anything of it runs.
// Belongs here: facts and refusals.  Not here: what a frontend or an ignore file is (dockerfile).
#pragma once

#include "base/result.h"
#include "stages/build.h"

namespace crategate::stages {

/// Of any image.
struct Sources {
  std::string subject;     ///< "cell cpu-py3.11", for messages
  std::string dockerfile;  ///< below the workspace
  const config::Build& build;
  const Workspace& workspace;
  std::string key_variable;  ///< of the gate; no build may see it; empty = there is none
  bool guarded = false;      ///< by pull request rules: nothing but the workspace
  std::string remedy;        ///< where a missing Dockerfile comes from
};

/// The Dockerfile is there, is read by a frontend that is trusted (A20), and no git credential is in the build context
/// (A21).
/// Errors: bad_input.
Result<void> check_sources(const Sources& in, const sys::FileSystem& files);
Result<void> check_sources(const BuildInputs& in, const sys::FileSystem& files);

}  // namespace crategate::stages
