// ci-image build: what the stage is given, and what the job is told.
#include "actions/names.h"
#include "app/ci_image_local.h"
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

/// What is built is what the event is about; a label with another commit would prove something else.
Result<void> require_checkout(Application& app, const pipeline::Event& event) {
  CG_TRY(const auto head, app.repository().head());
  if (!head || event.sha.empty() || *head == event.sha || *head == event.head_sha) return {};
  return fail(ErrorCode::bad_input,
              concat("ci-image build: expected the event's commit ", event.sha, " to be checked out, found ", *head),
              "Check out without `ref:`, or the head of the pull request.");
}

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
  const stages::PlanInputs facts{.configuration = app.configuration(),
                                 .invocation = app.invocation(),
                                 .workspace = app.workspace(),
                                 .destination = {},
                                 .in_action = true};
  CG_TRY(in.decision, stages::decide_ci_image(facts, app.plan_services()));
  CG_TRY(const auto event, stages::read_event(facts, app.plan_services()));
  CG_CHECK(require_checkout(app, event));
  in.revision = event.head_sha;
  in.from_fork = event.from_fork;
  in.artifact =
      app.configuration().ci_image->fork_image == "artifact" && in.decision->event == pipeline::CiEvent::fork_changed;
  in.branch_tag =
      pipeline::branch_tag(event.base_branch.empty() ? event.branch : event.base_branch, *app.configuration().ci_image);
  const auto variable = [&app](std::string_view name) { return app.environment().get(name).value_or(""); };
  if (!variable(actions::kRepository).empty())
    in.source_url = concat(variable(actions::kServerUrl), "/", variable(actions::kRepository));
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

Result<void> build(Application& app, const stages::CiImageBuildInputs& in) {
  CG_TRY(docker::ImageBuilder* const builder, app.builder());
  if (app.invocation().dry_run) {
    CG_TRY(const auto request, stages::ci_image_request(in));
    CG_TRY(const auto commands, builder->commands(request));
    for (const auto& command : commands) app.console().lines(concat(command.text(), "\n"));
    if (!in.pushes()) return {};
    for (const auto& tag : in.decision->publish)
      app.console().lines(concat("PUT ", in.configuration.ci_image->image, ":", tag, "\n"));
    return {};
  }
  CG_TRY(registry::HttpRegistry* const client, app.registry());
  const auto progress = app.progress("ci-image");
  app.workflow().begin_group("build of the CI image");
  const auto built = stages::build_ci_image(
      in, {.files = app.files(), .builder = *builder, .reader = *client, .writer = *client, .progress = progress});
  app.workflow().end_group();
  if (!built) return fail(built.error());
  if (in.artifact) CG_CHECK(give_layout(app, *built));
  tell_fork(app, in);
  return tell(app, in, *built);
}

}  // namespace

std::string machine_architecture() { return std::string(kArchitecture); }

Result<void> build_ci_image_here(Application& app) { return build(app, inputs_here(app)); }

Result<void> ci_image_build(Application& app) {
  if (!app.in_runner()) return build_ci_image_here(app);
  CG_TRY(const auto in, inputs_of_job(app));
  log::info(in.decision->reason);
  if (in.decision->build == pipeline::CiBuild::no) {
    log::info("this event builds no CI image");
    return tell(app, in, {});
  }
  return build(app, in);
}

}  // namespace crategate::app
