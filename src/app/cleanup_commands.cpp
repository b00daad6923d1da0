#include "app/cleanup_commands.h"

#include "base/log.h"
#include "base/strings.h"
#include "stages/cleanup.h"

namespace crategate::app {
namespace {

/// Places of the runner's own, in the view of its machine.
std::vector<pipeline::Protected> runner_directories(const Application& app) {
  std::vector<pipeline::Protected> keep;
  for (const std::string_view name : {"RUNNER_WORKSPACE", "RUNNER_TEMP"}) {
    if (auto path = app.environment().get(name)) keep.push_back({*std::move(path), "the runner's own directory"});
  }
  return keep;
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
  const auto& settings = app.configuration().cleanup;
  CG_TRY(const std::string image, app.cleanup_image());
  const stages::CleanupInputs in{.cleanup = settings,
                                 .workspace = app.workspace(),
                                 .keep = runner_directories(app),
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
    CG_TRY(const auto cleaned, stages::clean_here(path, app.files()));
    app.console().document(stages::to_json(cleaned) + "\n");
  }
  return {};
}

}  // namespace crategate::app
