// What a build is made of, looked at before anything of it runs.
// Belongs here: facts and refusals.  Not here: what a frontend or an ignore file is (dockerfile).
#pragma once

#include "base/result.h"
#include "stages/build.h"

namespace crategate::stages {

/// The Dockerfile is there, is read by a frontend that is trusted (A20), and no git credential is in the build context
/// (A21).
/// Errors: bad_input.
Result<void> check_sources(const BuildInputs& in, const sys::FileSystem& files);

}  // namespace crategate::stages
