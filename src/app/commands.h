// What each command does: load the plan, run the stage, print its result.
#pragma once

#include "app/application.h"
#include "base/result.h"
#include "pipeline/change_set.h"
#include "pipeline/plan.h"
#include "render/report.h"
#include "stages/project_command.h"

namespace crategate::app {

/// Runs `app.line().command`.
Result<void> run_command(Application& app);

/// The plan of this invocation: configuration, event, `--to`; writes nothing.
/// Errors: bad_input.
Result<pipeline::Plan> make_plan(Application& app, bool layout_by_default);

/// The plan that was made before, from `--plan`, the artifact of this run or the state directory; it agrees with the
/// settings.
/// Errors: bad_input, artifact_service.
Result<pipeline::Plan> plan_in_force(Application& app);
/// The cell that `--cell` or `--only` chooses.
/// Errors: bad_input.
Result<pipeline::Cell> chosen_cell(const Application& app, const pipeline::Plan& plan);

/// A tool's lines as they come; what goes on without end is in the log file only.
stages::Progress tool_lines();

/// The plan for people (its policy table), or with --json its warnings as log lines.
void show_plan(Application& app, const pipeline::Plan& plan);

/// The local command that repeats a cell's stage. On a runner: `run`, for another machine has neither plan nor image.
std::string repeat_cell(const Application& app, const pipeline::Cell& cell, std::string_view stage);
/// The error with that command as hint, unless it has advice of its own.
Error with_repeat(Error error, const Application& app, const pipeline::Cell& cell, std::string_view stage);

/// Tags that are kept, or moved in a way worth knowing: a line each, in Actions an annotation.
void warn_of_moves(Application& app, const pipeline::ChangeSet& changes);

/// The report for people, or with --json release.json.
void show_report(Application& app, const render::Report& report);

/// `crategate run` (run.cpp).
Result<void> run_pipeline(Application& app);

/// `crategate explain [SETTING | policy]` (explain.cpp).
Result<void> explain(Application& app);

/// `crategate digest` (digest_command.cpp).
Result<void> digest(Application& app);

/// `crategate resolve-set [REF]` (resolve_set.cpp).
Result<void> resolve_set(Application& app);

}  // namespace crategate::app
