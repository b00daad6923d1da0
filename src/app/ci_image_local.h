// ci-image build, load, prune, and the commands for a person who works with the CI image: pull, gen, shell, dev.
#pragma once

#include "app/application.h"
#include "base/result.h"

namespace crategate::app {

/// Pushes only in a job of a workflow, and only what the event's row says.
Result<void> ci_image_build(Application& app);
/// Into the engine, also in a job.
Result<void> build_ci_image_here(Application& app);
Result<void> ci_image_pull(Application& app);
Result<void> ci_image_gen(Application& app);
Result<void> ci_image_shell(Application& app);
Result<void> ci_image_dev(Application& app);
/// A fork's image, from its artifact into the engine.
Result<void> ci_image_load(Application& app);
/// Lists, and with --yes removes.
Result<void> ci_image_prune(Application& app);

/// As platforms name it: `amd64`.
std::string machine_architecture();

}  // namespace crategate::app
