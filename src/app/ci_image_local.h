// ci-image build, load, prune, and the commands for a person who works with the CI image: pull, gen, shell, dev.
#pragma once

#include <string>
#include <vector>

#include "app/application.h"
#include "base/result.h"

namespace crategate::app {

/// Pushes only in a job of a workflow, and only what the event's row says.
Result<void> ci_image_build(Application& app);
/// Into the engine, also in a job. Returns: its name there.
Result<std::string> build_local_image(Application& app);
/// The commands of that.
Result<std::vector<std::string>> describe_local_build(Application& app);
Result<void> ci_image_pull(Application& app);
Result<void> ci_image_gen(Application& app);
Result<void> ci_image_shell(Application& app);
Result<void> ci_image_dev(Application& app);
/// A fork's image, from its artifact into the engine.
Result<void> ci_image_load(Application& app);
/// Lists, and with --yes removes.
Result<void> ci_image_prune(Application& app);

/// The image that gen, shell and regen run in: a person's choice, else what CI would take.
Result<std::string> ci_image_name(Application& app, const config::CiImage& settings);
/// The engine has the image then, pulled with the login in force. What a digest names does not change, and neither does
/// what a person has chosen: only what is missing is pulled.
Result<void> provide_ci_image(Application& app, const std::string& image);
/// `uid:gid` for containers that write into the workspace.
Result<std::string> container_user(Application& app);
/// For a person, who gives no event: `image` is the branch's, and the watched files here may ask for another one.
///
/// Effects: process(git), a warning
Result<void> warn_of_local_change(Application& app, const std::string& image);

/// As platforms name it: `amd64`.
std::string machine_architecture();

}  // namespace crategate::app
