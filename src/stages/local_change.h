// What a person should know before an image of CI is taken for the one of what is checked out.
#pragma once

#include <string>

#include "base/result.h"
#include "config/configuration.h"
#include "git/repository.h"

namespace crategate::stages {

/// Without an event the image is that of a branch, but a pull request of what is checked out may have one of its own: here is
/// the watched file that makes the difference, committed or not, compared with the merge base of that branch at origin (of the
/// branch that is checked out where `branches` has it, else of one whose tag is `default-tag`, else of the default branch).
struct LocalChange {
  std::string file;    ///< empty = none, or none of these branches is known here
  std::string branch;  ///< `origin/main`
};

/// Effects: process(git)
Result<LocalChange> find_local_change(const config::CiImage& settings, git::Repository& repository);

}  // namespace crategate::stages
