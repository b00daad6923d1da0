// run: the whole pipeline on this machine.
// Belongs here: the order of the stages and where a run stops.  Not here: the stages themselves.
#include <algorithm>
#include <map>

#include "app/cell_pipeline.h"
#include "app/commands.h"
#include "app/hand_over.h"
#include "app/proof.h"
#include "app/publish_commands.h"
#include "base/log.h"
#include "base/strings.h"
#include "pipeline/planned_tags.h"
#include "render/decisions.h"
#include "render/report.h"
#include "stages/build.h"
#include "stages/check.h"
#include "stages/generate.h"
#include "stages/publication.h"
#include "stages/report.h"
#include "stages/scan.h"
#include "stages/test.h"
#include "stages/verify.h"
#include "sys/cancel.h"

namespace crategate::app {
namespace {

using pipeline::TagRank;
using render::StageState;

struct Run {
  Application& app;
  pipeline::Plan plan;
  Application::Store store;
  std::string today;
  std::string started_at;
  sys::Instant started;
  render::StageReport check{StageState::skipped, 0}, generate{StageState::skipped, 0};
  std::map<std::string, CellOutcome> outcomes;
  bool published_before = true;  ///< no tag had to be moved
  /// Whether the destination holds something of this run that it did not hold before.
  bool wrote() const {
    const bool stored = plan.policy.candidate && std::ranges::any_of(outcomes, [](const auto& entry) {
                          return entry.second.record && !entry.second.proven_before;
                        });
    return stored || !published_before;
  }
};

std::string settings_text(const Application& app) {
  std::string text;
  for (const auto& row : app.loaded().in_force) {
    if (row.setting->file) text += concat(row.setting->name, "=", row.value, "\n");
  }
  return text;
}

Result<void> check(Run& run, const std::string& inputs) {
  Application& app = run.app;
  if (!app.configuration().check) return {};
  CG_TRY(const bool proven, checks_proven(inputs, app.workspace(), app.files()));
  if (proven) {
    run.check.state = StageState::cached;
    return {};
  }
  app.console().begin("check", stages::describe_command(app.configuration().check->run));
  const auto progress = app.progress("check");
  const auto result = stages::run_check(
      {.check = *app.configuration().check, .workspace = app.workspace(), .in_action = app.in_runner()},
      app.check_services(progress));
  app.console().end("check", result.has_value(), "");
  if (!result) {
    run.check.state = StageState::failed;
    return fail(result.error());
  }
  run.check = {StageState::passed, result->elapsed.count()};
  return save_checks(inputs, app.workspace(), app.files());
}

Result<void> generate(Run& run) {
  Application& app = run.app;
  const auto progress = app.progress("generate");
  const auto began = app.clock().monotonic();
  run.generate.state = StageState::failed;
  CG_TRY(const auto generated, stages::run_generate({.generate = app.configuration().generate,
                                                     .plan = run.plan,
                                                     .workspace = app.workspace(),
                                                     .in_action = app.in_runner()},
                                                    app.check_services(progress)));
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(app.clock().monotonic() - began);
  run.generate = {StageState::passed, took.count()};
  log::info(concat("generate: ", generated.files.size(), " Dockerfiles, ", generated.written.size(), " changed"));
  return {};
}

void announce(Application& app, const pipeline::ChangeSet& changes, const stages::JournalStore& journal) {
  warn_of_moves(app, changes);
  const std::string text = render::change_set_text(changes, journal.place());
  for (const auto& line : split(text, '\n')) {
    if (!line.empty()) log::info(line);
  }
}

Result<void> publish(Run& run) {
  Application& app = run.app;
  CG_TRY(const Secret key, app.record_key());
  CG_CHECK(rebuild_cells(app, run.plan, run.plan.cells, key));
  CG_TRY(const auto evidence, judge_cells(app, run.plan, run.plan.cells, key));
  for (const auto& line : split(render::gate_table(evidence.verdict), '\n')) {
    if (!line.empty()) log::info(line);
  }
  CG_CHECK(stages::require_admitted(evidence.verdict));
  auto in = publish_inputs(app, run.plan);
  in.key = key;
  CG_TRY(stages::JournalStore* const keeper, app.journal(run.plan));
  CG_TRY(const auto services, publish_services(app, run.plan, [&](const auto& changes) {
           run.published_before = changes.empty();
           announce(app, changes, *keeper);
         }));
  const auto published = [&] {
    const DroppedLines no_waiting(app.console());
    return stages::publish(in, services, stages::kAllTags);
  }();
  if (!published) return fail(published.error());
  return {};
}

void show_failure(render::CellReport& cell, const CellOutcome& outcome) {
  cell.failure = describe(*outcome.error);
  if (outcome.failed_stage == "build") cell.build.state = StageState::failed;
  if (outcome.failed_stage == "scan") cell.scan.state = StageState::failed;
  if (outcome.failed_stage == "test") cell.test.state = StageState::failed;
  if (outcome.failed_stage == "digest") cell.digest.state = StageState::failed;
}

/// The report of whatever happened, also of a failed run; only a failure to write it is an error.
Result<void> report(Run& run, const std::optional<Error>& failure) {
  Application& app = run.app;
  // A run that failed before its first cell has asked the destination nothing, and its report does not either.
  registry::RegistryReader* const reader = failure && run.outcomes.empty() ? nullptr : run.store.reader;
  CG_TRY(stages::JournalStore* const journal, app.journal(run.plan));
  CG_TRY(auto report, stages::collect_report({.configuration = app.configuration(),
                                              .plan = run.plan,
                                              .workspace = app.workspace(),
                                              .today = run.today,
                                              .journal = journal},
                                             app.files(), reader));
  report.check = run.check;
  report.generate = run.generate;
  report.started_at = run.started_at;
  report.finished_at = sys::rfc3339(app.clock().now());
  report.duration_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(app.clock().monotonic() - run.started).count();
  for (auto& cell : report.cells) {
    const auto outcome = run.outcomes.find(cell.key);
    if (outcome == run.outcomes.end()) continue;
    if (outcome->second.proven_before) {
      cell.build.state = cell.test.state = cell.digest.state = StageState::cached;
      if (run.plan.scan) cell.scan.state = StageState::cached;
    }
    if (outcome->second.error) show_failure(cell, outcome->second);
  }
  if (failure) {
    report.verdict = "failed; nothing more was published";
    report.failure = describe(*failure);
  }
  report.written = {concat((app.workspace().state_name / stages::kReleaseFile).string())};
  if (run.wrote()) report.written.push_back(app.store_name(run.plan));
  CG_CHECK(stages::publish_report(report, app.workspace(), app.files(), app.workflow()));
  show_report(app, report);
  return {};
}

/// The first failure in plan order; a cancellation counts before everything else.
std::optional<Error> first_failure(const Run& run) {
  if (const auto cancelled = sys::check_cancelled(); !cancelled) return cancelled.error();
  for (const auto& cell : run.plan.cells) {
    const auto found = run.outcomes.find(cell.key);
    if (found == run.outcomes.end() || !found->second.error) continue;
    Error error = *found->second.error;
    const auto failed =
        std::ranges::count_if(run.outcomes, [](const auto& entry) { return entry.second.error.has_value(); });
    if (failed > 1) error.message += concat(" (", failed, " cells failed)");
    return error;
  }
  return std::nullopt;
}

/// A destination that is down, or refuses the login, is found before minutes of building.
Result<void> require_destination(const Run& run) {
  if (run.plan.cells.empty() || (!run.plan.policy.candidate && !run.plan.policy.push)) return {};
  const auto& cell = run.plan.cells.front();
  CG_TRY(const auto tag, stages::tag_reference(cell.image, run.plan.version));
  CG_CHECK(run.store.reader->digest(tag));
  return {};
}

Result<void> build_and_test(Run& run) {
  Application& app = run.app;
  CG_CHECK(require_planned_commit(app, run.plan));
  CG_TRY(RunFacts facts, read_run_facts(app, run.plan));
  CG_TRY(facts.key, signing_key(app, run.plan));
  CG_TRY(facts.inputs, hash_inputs(run.plan, app.configuration().generate, settings_text(app), app.workspace(),
                                   app.layout_directory(run.plan), app.files(), app.repository()));
  CG_CHECK(check(run, facts.inputs));
  CG_CHECK(generate(run));
  CG_CHECK(require_destination(run));
  for (auto& outcome : run_cells(app, facts, run.store, app.jobs())) {
    const std::string cell = outcome.cell;
    run.outcomes.emplace(cell, std::move(outcome));
  }
  if (auto failure = first_failure(run)) return fail(*std::move(failure));
  return {};
}

void say_whether_work_was_done(const Run& run) {
  const bool proven = std::ranges::all_of(run.outcomes, [](const auto& entry) { return entry.second.proven_before; });
  if (proven && run.published_before)
    log::info("nothing to do: every image of this plan is already proven and in place");
}

std::string dry_cell(Application& app, const pipeline::Plan& plan, const RunFacts& facts, const pipeline::Cell& cell,
                     docker::ImageBuilder* builder) {
  std::string text = concat("# ", cell.key, "\n");
  const auto build = build_inputs(app, facts, cell);
  const auto request = builder == nullptr ? stages::build_request(build) : stages::build_request(build, *builder);
  text += describe_build(request, builder);
  if (plan.scan) {
    text +=
        concat(stages::describe_scan(
                   {.configuration = app.configuration(), .plan = plan, .cell = cell, .workspace = app.workspace()}),
               "\n");
  }
  if (app.configuration().test) {
    const auto spec = stages::test_container(
        {.configuration = app.configuration(), .plan = plan, .cell = cell, .workspace = app.workspace()},
        stages::local_image_name(plan, cell));
    if (spec) text += concat(stages::describe_container(*spec), "\n");
  }
  return text;
}

/// `text` and the tags of these ranks.
Result<std::string> with_tags(std::string text, Application& app, const pipeline::Plan& plan, TagRank first,
                              TagRank last) {
  const std::string today = sys::compact_date(app.clock().now());
  CG_TRY(const auto tags, pipeline::planned_tags(plan, app.configuration().release, today, first, last));
  for (const auto& tag : tags) {
    const std::string_view what = tag.cell.empty() ? "set" : plan.rebuild ? "rebuilt" : "tested";
    text += concat("PUT ", tag.repository, ":", tag.tag, " sha256:<", what, ">\n");
  }
  return text;
}

/// Every command and every write, in order; makes nothing.
Result<void> dry_run(Application& app, const pipeline::Plan& plan) {
  std::string text;
  if (app.configuration().check) {
    CG_TRY(const auto commands,
           stages::describe_check(
               {.check = *app.configuration().check, .workspace = app.workspace(), .in_action = app.in_runner()}));
    text += concat("# static checks\n", join(commands, "\n"), "\n");
  }
  text += "# Dockerfiles\n";
  for (const auto& cell : plan.cells) text += concat("write ", cell.dockerfile, "\n");
  CG_TRY(const RunFacts facts, read_run_facts(app, plan));
  const auto builder = app.builder();  // without an engine the plain command is shown
  for (const auto& cell : plan.cells) text += dry_cell(app, plan, facts, cell, builder ? *builder : nullptr);
  if (plan.policy.candidate) {
    text += concat("# candidates, by digest, after their tests passed\n");
    for (const auto& cell : plan.cells) text += concat("PUT ", cell.candidate, "@sha256:<tested>\n");
  }
  if (plan.policy.push) {
    if (plan.rebuild) {
      CG_TRY(const auto rebuilds, describe_rebuilds(app, plan, plan.cells));
      text += concat("# rebuilds, which the gate compares with what was tested\n", rebuilds);
    }
    const std::string_view what = plan.rebuild ? "@sha256:<rebuilt>" : "@sha256:<tested>";
    for (const auto& cell : plan.cells) {
      if (cell.candidate != cell.image) text += concat("COPY ", cell.image, what, " (from ", cell.candidate, ")\n");
    }
    CG_TRY(const stages::JournalStore* const keeper, app.journal(plan));
    text += concat("JOURNAL ", keeper->place(), "\n");
    text += concat("# version tags, after every cell has passed the gate (to ", app.store_name(plan), ")\n");
    CG_TRY(text, with_tags(std::move(text), app, plan, TagRank::version, TagRank::extra));
  }
  if (plan.policy.latest) {
    text += "# moving tags, after every version tag is in place\n";
    CG_TRY(text, with_tags(std::move(text), app, plan, TagRank::moving, TagRank::set));
  }
  app.console().lines(text);
  if (!plan.policy.push) return {};
  // What would be built does not depend on who publishes now.
  if (const auto journal = last_journal(app, plan); !journal) log::warning(describe(journal.error()));
  return {};
}

}  // namespace

Result<void> run_pipeline(Application& app) {
  const auto started = app.clock().monotonic();
  const std::string started_at = sys::rfc3339(app.clock().now());
  CG_TRY(auto plan, make_plan(app, !app.in_runner()));
  CG_CHECK(stages::publish_plan(plan, app.invocation().dry_run, app.workspace(), app.files(), app.workflow()));
  show_plan(app, plan);
  if (!plan.policy.should_run) {
    log::info(concat("nothing to do: ", join(plan.policy.reasons, "; ")));
    return {};
  }
  if (app.invocation().dry_run) return dry_run(app, plan);
  CG_TRY(const auto store, app.store(plan));
  Run run{.app = app,
          .plan = std::move(plan),
          .store = store,
          .today = sys::compact_date(app.clock().now()),
          .started_at = started_at,
          .started = started};
  auto done = build_and_test(run);
  if (done && run.plan.policy.push) done = publish(run);
  std::optional<Error> failure;
  if (!done) failure = done.error();
  auto reported = report(run, failure);
  auto given = give_all(app, run.plan, done && reported);
  CG_CHECK(std::move(done));
  CG_CHECK(std::move(reported));
  say_whether_work_was_done(run);
  return given;
}

}  // namespace crategate::app
