// What the ci-image commands share: the section, what their stages are given, and how a dry run is shown.
// Belongs here: nothing that only one of them needs.  Not here: what the section's values must be (config, stages).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/application.h"
#include "base/result.h"
#include "oci/reference.h"
#include "stages/resolve_image.h"

namespace crategate::app {

/// Errors: bad_input for a project without crategate.yml, naming the nearest one above it, and for one without the section.
Result<const config::CiImage*> require_ci_image(const Application& app);

/// Errors: bad_input for none, and for what is none.
Result<oci::Repository> ci_image_repository(const config::CiImage& settings);

stages::PlanInputs plan_inputs(const Application& app);

/// Where GitHub is asked what the clone cannot tell: the same for all of them, so that they decide alike. nullopt: without a
/// token, or a repository, nobody is.
Result<std::optional<stages::PullRequestApi>> pull_request_api(Application& app);

/// The registry of the image. A login that is for another one is told of.
Result<registry::HttpRegistry*> ci_image_registry(Application& app, const config::CiImage& settings);

/// What a dry run would start and write, a line each.
void show_dry_run(Application& app, const std::vector<std::string>& lines);

}  // namespace crategate::app
