// ci-image build: what the stage is given, and what the job is told.
#include "app/ci_image_local.h"
#include "app/ci_image_section.h"
#include "app/repository_page.h"
#include "base/log.h"
#include "base/strings.h"
#include "json/value.h"
#include "pipeline/ci_tags.h"
#include "stages/artifact.h"
#include "stages/build_ci_image.h"
#include "stages/resolve_image.h"

namespace crategate::app {
namespace {

constexpr std::string_view kArtifact = "ci-image";

#if defined(__aarch64__)
constexpr std::string_view kArchitecture = "arm64";
#else
constexpr std::string_view kArchitecture = "amd64";
#endif

stages::CiImageBuildInputs inputs_here(Application& app) {
  return {.configuration = app.configuration(),
          .workspace = app.workspace(),
          .decision = std::nullopt,
          .revision = {},
          .branch_tag = {},
          .source_url = {},
          .architecture = std::string(kArchitecture),
          .fresh = app.invocation().fresh == config::Fresh::yes,
          .publish = app.invocation().publish};
}

/// The event's facts.
Result<stages::CiImageBuildInputs> inputs_of_job(Application& app) {
  auto in = inputs_here(app);
  const auto facts = plan_inputs(app);
  CG_TRY(const auto api, pull_request_api(app));
  CG_TRY(in.decision, stages::decide_ci_image(facts, app.plan_services(), api ? &*api : nullptr));
  CG_TRY(const auto event, stages::complete_event(facts, app.plan_services()));
  if (in.decision->build != pipeline::CiBuild::no) CG_CHECK(stages::require_event_commit(event, app.repository()));
  in.revision = event.head_sha;
  in.from_fork = event.from_fork;
  in.artifact =
      app.configuration().ci_image->fork_image == "artifact" && in.decision->event == pipeline::CiEvent::fork_changed;
  in.branch_tag =
      pipeline::branch_tag(event.base_branch.empty() ? event.branch : event.base_branch, *app.configuration().ci_image);
  in.source_url = repository_page(app.environment());
  return in;
}

Result<void> tell(Application& app, const stages::CiImageBuildInputs& in, const stages::CiImageBuilt& built) {
  auto& workflow = app.workflow();
  const std::string digest = built.digest ? built.digest->text() : std::string();
  const std::string tag = built.tags.empty() ? std::string() : built.tags.front();
  const std::string reason = in.decision ? in.decision->reason : std::string();
  CG_CHECK(workflow.set_output("image", built.image));
  CG_CHECK(workflow.set_output("tag", tag));
  CG_CHECK(workflow.set_output("digest", digest));
  CG_CHECK(workflow.set_output("reason", reason));
  if (app.line().json) {
    app.console().document(json::Value::object({{"image", built.image},
                                                {"tag", tag},
                                                {"digest", digest},
                                                {"local", built.local},
                                                {"published", json::Value::array_of(built.tags)},
                                                {"reason", reason}})
                               .pretty());
    return {};
  }
  const std::string& name = built.image.empty() ? built.local : built.image;
  if (!name.empty()) app.console().lines(concat(name, "\n"));
  return {};
}

/// For later jobs of the run, which `ci-image load` it; layers are compressed already.
Result<void> give_layout(Application& app, const stages::CiImageBuilt& built) {
  config::ArtifactRequest request;
  request.name = kArtifact;
  request.paths = {built.layout.lexically_relative(app.workspace().root).string()};
  request.overwrite = request.include_hidden_files = true;
  auto settings = app.configuration().artifact;
  settings.compression_level = 0;
  CG_TRY(actions::ArtifactStore* const store, app.artifacts());
  CG_TRY(const auto uploaded, stages::run_artifact_upload({.request = request,
                                                           .settings = settings,
                                                           .directory = app.workspace().root,
                                                           .leave_out = {},
                                                           .list_only = false},
                                                          *store, app.maker()));
  log::info(concat("artifact ", uploaded.artifact.name, ": the image as an OCI layout, for `ci-image load`"));
  return app.files().remove_tree(built.layout);
}

/// A fork's image is built, and used by nobody: green, but not silently.
void tell_fork(Application& app, const stages::CiImageBuildInputs& in) {
  if (!in.decision || in.decision->event != pipeline::CiEvent::fork_changed) return;
  app.workflow().annotate({.severity = actions::Severity::notice,
                           .title = "crategate ci-image",
                           .message = concat("built and not pushed: ", in.decision->reason),
                           .location = {}});
}

/// A failure of the Dockerfile itself is mended there.
Error with_correction(Error error, const Application& app) {
  if (!error.hint.empty() || !error.location) return error;
  const auto& [file, line, column] = *error.location;
  error.hint =
      concat("Correct ", file, line == 0 ? std::string() : concat(":", line), ", then: ", app.repeat("ci-image build"));
  return error;
}

/// Commands, then what is written.
Result<std::vector<std::string>> describe_build(Application& app, const stages::CiImageBuildInputs& in) {
  CG_TRY(docker::ImageBuilder* const builder, app.builder());
  CG_TRY(const auto request, stages::ci_image_request(in));
  CG_TRY(const auto commands, builder->commands(request));
  std::vector<std::string> lines;
  for (const auto& command : commands) lines.push_back(command.text());
  if (!in.pushes()) return lines;
  for (const auto& tag : stages::tags_in_order(*in.decision))
    lines.push_back(concat("PUT ", in.configuration.ci_image->image, ":", tag));
  return lines;
}

Result<stages::CiImageBuilt> build(Application& app, const stages::CiImageBuildInputs& in) {
  CG_TRY(docker::ImageBuilder* const builder, app.builder());
  CG_TRY(registry::HttpRegistry* const client, ci_image_registry(app, *in.configuration.ci_image));
  const std::function<Result<registry::Access>(const oci::Repository&)> access =
      [client](const oci::Repository& repository) { return client->check_access(repository); };
  const auto progress = app.progress("ci-image");
  app.workflow().begin_group("build of the CI image");
  auto built = stages::build_ci_image(in, {.files = app.files(),
                                           .builder = *builder,
                                           .reader = *client,
                                           .writer = *client,
                                           .access = access,
                                           .repository = app.repository(),
                                           .progress = progress});
  app.workflow().end_group();
  if (!built) return fail(with_correction(built.error(), app));
  if (in.artifact) CG_CHECK(give_layout(app, *built));
  return built;
}

Result<void> build_and_tell(Application& app, const stages::CiImageBuildInputs& in) {
  if (app.invocation().dry_run) {
    CG_TRY(const auto lines, describe_build(app, in));
    show_dry_run(app, lines);
    return {};
  }
  CG_TRY(const auto built, build(app, in));
  tell_fork(app, in);
  return tell(app, in, built);
}

}  // namespace

std::string machine_architecture() { return std::string(kArchitecture); }

Result<std::vector<std::string>> describe_local_build(Application& app) {
  return describe_build(app, inputs_here(app));
}

Result<std::string> build_local_image(Application& app) {
  return build(app, inputs_here(app)).map([](const stages::CiImageBuilt& built) { return built.local; });
}

Result<void> ci_image_build(Application& app) {
  CG_CHECK(require_ci_image(app));
  if (!app.in_runner()) return build_and_tell(app, inputs_here(app));
  CG_TRY(const auto in, inputs_of_job(app));
  log::info(in.decision->reason);
  if (in.decision->build == pipeline::CiBuild::no) {
    log::info("this event builds no CI image");
    return tell(app, in, {});
  }
  return build_and_tell(app, in);
}

}  // namespace crategate::app
