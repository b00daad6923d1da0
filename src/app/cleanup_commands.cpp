#include "app/cleanup_commands.h"

#include "app/commands.h"
#include "base/log.h"
#include "base/strings.h"
#include "stages/cleanup.h"

namespace crategate::app {
namespace {

/// Places of the runner's own, in the view of its machine: what this container has of it, and the folder of all jobs.
Result<std::vector<pipeline::Protected>> runner_directories(Application& app) {
  std::vector<pipeline::Protected> keep;
  if (!app.in_runner()) return keep;
  for (const std::string_view name : {"RUNNER_WORKSPACE", "RUNNER_TEMP"}) {
    auto path = app.environment().get(name).value_or("");
    if (name == "RUNNER_WORKSPACE") path = sys::Path(path).parent_path().string();
    if (!path.empty()) keep.push_back({std::move(path), "the runner's own directory"});
  }
  CG_TRY(docker::Engine* const engine, app.engine());
  CG_TRY(const auto own, engine->own_container());
  for (const auto& mount : own ? own->mounts : std::vector<docker::OwnMount>{})
    keep.push_back({mount.source, concat("what this job has as ", mount.destination)});
  return keep;
}

/// By pull request rules the project's file names neither directories of the runner nor an image that reaches them.
Result<config::Cleanup> trusted_settings(Application& app) {
  auto settings = app.configuration().cleanup;
  if (!app.in_runner()) return settings;
  CG_TRY(const auto plan, plan_in_force(app));
  if (plan.policy.trigger != pipeline::kPullRequestTrigger) return settings;
  if (!settings.paths.empty() || !settings.image.empty())
    log::warning("cleanup.paths and cleanup.image do not count by pull request rules");
  settings.paths.clear();
  settings.image.clear();
  return settings;
}

Result<void> require_yes(Application& app, const std::vector<std::string>& directories) {
  if (app.line().yes || app.in_runner()) return {};
  for (const auto& path : directories) log::info(concat("would be emptied: ", path));
  return fail(ErrorCode::bad_input,
              concat("cleanup: expected --yes before ", directories.size(),
                     " directories of this machine are emptied, ", "found none"),
              concat("Look at the list above, then run `", app.repeat("cleanup"), " --yes`."));
}

}  // namespace

Result<void> cleanup(Application& app) {
  CG_TRY(const auto settings, trusted_settings(app));
  CG_TRY(const std::string image, app.cleanup_image(settings));
  CG_TRY(auto keep, runner_directories(app));
  const stages::CleanupInputs in{.cleanup = settings,
                                 .workspace = app.workspace(),
                                 .keep = std::move(keep),
                                 .image = app.in_runner() ? image : std::string()};
  const stages::CleanupServices services{.files = app.files(), .engine = [&app] { return app.engine(); }};
  CG_TRY(const auto directories, stages::plan_cleanup(in, services));
  if (app.invocation().dry_run) {
    for (const auto& path : directories) {
      app.console().lines(in.image.empty()
                              ? concat("empty ", path, "\n")
                              : concat(stages::describe_container(stages::cleanup_container(in.image, path)), "\n"));
    }
    return {};
  }
  CG_CHECK(require_yes(app, directories));
  CG_TRY(const auto result, stages::run_cleanup(in, services));
  for (const auto& line : stages::cleanup_lines(result)) log::info(line);
  app.console().result(concat("cleanup: ", stages::cleanup_line(result), "\n"));
  return app.workflow().add_summary(stages::cleanup_markdown(result));
}

Result<void> cleanup_here(Application& app) {
  for (const auto& path : app.line().positional) {
    CG_CHECK(stages::check_mounted(path, docker::read_surroundings(app.environment()).mounts));
    CG_TRY(const auto cleaned, stages::clean_here(path, app.files()));
    app.console().document(stages::to_json(cleaned) + "\n");
  }
  return {};
}

}  // namespace crategate::app
