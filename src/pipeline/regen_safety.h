// Whether a job may run a pull request's code beside what it has: the unsafe form of /regen, one job that generates and
// pushes, refuses itself (R5).
// Belongs here: the decision.  Not here: finding the facts (stages/regen_self_check).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace crategate::pipeline {

struct RegenSurroundings {
  bool token_may_write = true;           ///< contents of the repository; what cannot be told may
  std::vector<std::string> kept_logins;  ///< where the checkout has one, never the login itself
};

/// Errors: bad_input, naming what was found and the workflow that has it right.
Result<void> require_harmless(const RegenSurroundings& found);

}  // namespace crategate::pipeline
