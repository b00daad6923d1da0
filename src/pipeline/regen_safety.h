// Whether a job may run a pull request's code beside what it has: the unsafe form of /regen, one job that generates and
// pushes, refuses itself (R5).
// Belongs here: the decision.  Not here: finding the facts (stages/regen_self_check).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace crategate::pipeline {

struct RegenSurroundings {
  /// What github-token may do to the contents of the repository; what cannot be told may write.
  enum class Rights : unsigned char { no_token, only_reads, may_write };
  Rights token = Rights::may_write;
  bool has_push_token = false;           ///< the input push-token is given
  std::vector<std::string> kept_logins;  ///< where the checkout has one, never the login itself
};

/// Errors: bad_input, naming what was found and the workflow that has it right.
Result<void> require_harmless(const RegenSurroundings& found);

}  // namespace crategate::pipeline
