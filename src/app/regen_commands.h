// /regen: the commands of its three jobs, and what they share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "app/application.h"
#include "base/result.h"
#include "github/values.h"
#include "stages/regen_answer.h"

namespace crategate::app {

Result<void> ci_image_regen_authorise(Application& app);
/// In a job: exactly what the inputs sha, regen-image and pull-request name, and only where nothing of the job can be
/// stolen. Elsewhere a commit of the person's own repository in their own image.
Result<void> ci_image_regen(Application& app);
Result<void> ci_image_regen_apply(Application& app);

/// What the first job has pinned for the others.
struct RegenPins {
  std::string sha;
  std::string image;  ///< by digest; empty = it was not given
  std::int64_t pull_request = 0;
};

/// The inputs sha, regen-image and pull-request. Nothing is guessed: the event of a comment is one of the default branch.
/// Errors: bad_input.
Result<RegenPins> regen_pins(const Application& app);

/// On GitHub; in a dry run on the console.
Result<std::unique_ptr<stages::RegenAnswer>> regen_answer(Application& app, const github::RepositoryName& repository);

}  // namespace crategate::app
