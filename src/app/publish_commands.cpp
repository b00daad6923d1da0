#include "app/publish_commands.h"

#include "app/cell_pipeline.h"
#include "app/commands.h"
#include "app/hand_over.h"
#include "base/log.h"
#include "base/strings.h"
#include "json/value.h"
#include "render/decisions.h"
#include "render/report.h"
#include "stages/push.h"
#include "stages/rebuild.h"
#include "stages/recover.h"
#include "stages/release.h"
#include "stages/report.h"
#include "stages/status.h"
#include "stages/verify.h"

namespace crategate::app {
namespace {

/// All cells are published, or none: a part of them cannot be asked for.
Result<void> refuse_selection(const Application& app) {
  const auto& asked = app.invocation();
  if (asked.only.empty() && asked.cell.empty()) return {};
  return fail(ErrorCode::bad_input,
              concat(asked.cell.empty() ? "--only" : "--cell",
                     ": expected nothing, for every cell of the plan is published or none, found ",
                     quoted(asked.cell.empty() ? join(asked.only, ", ") : asked.cell)),
              "Leave it out; `crategate verify --cell KEY` looks at one cell.");
}

/// What the jobs of the cells have left. `with_rebuilds`: what the job that pushed says it has built; who writes content
/// believes its own images only.
Result<void> take_evidence(Application& app, const pipeline::Plan& plan, const std::vector<pipeline::Cell>& cells,
                           bool with_moves = false, bool with_rebuilds = false) {
  std::vector<stages::Bundle> bundles;
  for (const auto& cell : cells) bundles.push_back(stages::digest_bundle(app.workspace(), cell));
  if (with_moves) bundles.push_back(stages::moves_bundle(app.workspace()));
  if (plan.rebuild && with_rebuilds) bundles.push_back(stages::rebuilds_bundle(app.workspace(), plan));
  return take(app, bundles);
}

using Publish = Result<stages::Published> (*)(const stages::PublishInputs&, const stages::PublishServices&);
using PlanPublication = Result<stages::Publication> (*)(const stages::PublishInputs&, const sys::FileSystem&,
                                                        registry::RegistryReader&, const pipeline::Journal& before);

void show_changes(Application& app, const pipeline::ChangeSet& changes, const stages::JournalStore& journal) {
  if (app.line().json) return app.console().document(render::change_set_json(changes));
  app.console().result(render::change_set_text(changes, journal.place()));
}

/// A document with --json, else lines that are harmless already.
void show(Application& app, const std::string& text) {
  if (app.line().json) return app.console().document(text);
  app.console().result(text);
}

/// What every tag names now, and which ones were moved, for an earlier release as well.
Result<void> set_publish_outputs(Application& app, const stages::Published& done) {
  auto moved = json::Value::object();
  auto published = json::Value::object();
  auto moves = done.settled;
  moves.insert(moves.end(), done.changes.moves.begin(), done.changes.moves.end());
  for (const auto& move : moves) {
    const std::string name = concat(move.repository, ":", move.tag);
    if (move.needed || move.from) published.set(name, (move.needed ? move.to : *move.from).text());
    if (!move.needed) continue;
    moved.set(name, json::Value::object({{"from", move.from ? json::Value(move.from->text()) : json::Value()},
                                         {"to", move.to.text()}}));
  }
  CG_CHECK(app.workflow().set_output("published", published.canonical()));
  return app.workflow().set_output("moved", moved.canonical());
}

/// Somebody else's: this release would not begin.
void warn_of_lease(const std::optional<pipeline::SeenLease>& lease) {
  if (!lease || lease->claim != pipeline::Claim::held) return;
  log::warning(concat("another release has the lease: ", quoted(lease->holder, 200), ", until ", lease->until,
                      "; meanwhile nothing would be written (exit code 50)"));
}

Result<void> publish(Application& app, PlanPublication decide, Publish apply, bool with_rebuilds) {
  CG_CHECK(refuse_selection(app));
  CG_TRY(const auto plan, plan_in_force(app));
  CG_TRY(Secret key, app.record_key());
  CG_CHECK(take_evidence(app, plan, plan.cells, true, with_rebuilds));
  CG_TRY(const auto store, app.store(plan));
  CG_TRY(stages::JournalStore* const keeper, app.journal(plan));
  auto in = publish_inputs(app, plan);
  in.key = std::move(key);
  if (app.invocation().dry_run) {
    CG_TRY(const auto journal, last_journal(app, plan));
    CG_TRY(const auto publication, decide(in, app.files(), *store.candidates, journal.value_or(pipeline::Journal{})));
    show_changes(app, publication.changes, *keeper);
    return {};
  }
  CG_TRY(const auto services, publish_services(app, plan, [&app, keeper](const pipeline::ChangeSet& changes) {
           warn_of_moves(app, changes);
           show_changes(app, changes, *keeper);
         }));
  const auto published = [&] {
    const DroppedLines no_waiting(app.console());
    return apply(in, services);
  }();
  give_always(app, stages::moves_bundle(app.workspace()));
  if (!published) return fail(published.error());
  return set_publish_outputs(app, *published);
}

}  // namespace

Result<std::optional<pipeline::Journal>> last_journal(Application& app, const pipeline::Plan& plan) {
  CG_TRY(stages::JournalStore* const keeper, app.journal(plan));
  CG_TRY(auto journal, keeper->read());
  warn_of_lease(keeper->lease());
  if (!journal || journal->state != pipeline::JournalState::open) return journal;
  CG_CHECK(stages::require_own_tags(*journal, plan, keeper->place()));
  // Whose lease that is is at work on it.
  if (const auto lease = keeper->lease(); lease && lease->claim == pipeline::Claim::held) return journal;
  log::warning(concat("the release of ", journal->version, " was left open and would be settled first; ",
                      app.repeat("recover --dry-run"), " shows how"));
  return journal;
}

stages::PublishInputs publish_inputs(Application& app, const pipeline::Plan& plan) {
  return {.configuration = app.configuration(),
          .plan = plan,
          .workspace = app.workspace(),
          .today = sys::compact_date(app.clock().now()),
          .run = app.run_id(),
          .attempt = app.run_attempt()};
}

Result<stages::Evidence> judge_cells(Application& app, const pipeline::Plan& plan, std::vector<pipeline::Cell> cells,
                                     const Secret& key) {
  CG_TRY(const auto store, app.store(plan));
  CG_TRY(auto evidence, stages::run_verify({.configuration = app.configuration(),
                                            .plan = plan,
                                            .cells = std::move(cells),
                                            .workspace = app.workspace(),
                                            .run = app.run_id(),
                                            .attempt = app.run_attempt(),
                                            .key = key},
                                           {.files = app.files(), .reader = *store.candidates}));
  for (const auto& cell : evidence.verdict.cells) {
    if (plan.rebuild && !app.invocation().dry_run && !cell.admitted)
      CG_CHECK(stages::withdraw_rebuild(app.files(), app.workspace(), cell.cell));
  }
  return evidence;
}

Result<stages::PublishServices> publish_services(Application& app, const pipeline::Plan& plan,
                                                 std::function<void(const pipeline::ChangeSet&)> announce) {
  CG_TRY(const auto store, app.store(plan));
  CG_TRY(stages::JournalStore* const journal, app.journal(plan));
  return stages::PublishServices{.files = app.files(),
                                 .clock = app.clock(),
                                 .reader = *store.reader,
                                 .candidates = *store.candidates,
                                 .writer = *store.writer,
                                 .journal = *journal,
                                 .announce = std::move(announce)};
}

Result<void> verify(Application& app) {
  CG_TRY(const auto plan, plan_in_force(app));
  std::vector<pipeline::Cell> cells = plan.cells;
  if (!app.invocation().cell.empty() || !app.invocation().only.empty()) {
    CG_TRY(auto cell, chosen_cell(app, plan));
    cells = {std::move(cell)};
  }
  CG_TRY(const Secret key, app.record_key());
  CG_CHECK(take_evidence(app, plan, cells));
  if (plan.rebuild && plan.policy.push && app.invocation().dry_run) {
    CG_TRY(const auto text, describe_rebuilds(app, plan, cells));
    app.console().lines(text);
    return {};
  }
  if (plan.rebuild) {
    CG_CHECK(take(app, {stages::dockerfiles_bundle(app.workspace(), plan)}));
    CG_CHECK(rebuild_cells(app, plan, cells, key));
  }
  CG_TRY(const auto evidence, judge_cells(app, plan, std::move(cells), key));
  if (plan.rebuild) CG_CHECK(give(app, stages::rebuilds_bundle(app.workspace(), plan)));
  CG_CHECK(app.workflow().set_output("verdict", evidence.verdict.admitted() ? "admitted" : "refused"));
  CG_CHECK(app.workflow().set_output("explanation", render::gate_table(evidence.verdict)));
  CG_CHECK(app.workflow().add_summary(render::gate_markdown(evidence.verdict)));
  if (app.line().json) {
    app.console().document(render::gate_json(evidence.verdict));
  } else {
    app.console().result(render::gate_table(evidence.verdict));
  }
  return stages::require_admitted(evidence.verdict);
}

Result<void> push(Application& app) { return publish(app, stages::plan_push, stages::run_push, false); }
Result<void> release(Application& app) { return publish(app, stages::plan_release, stages::run_release, true); }

Result<void> status(Application& app) {
  CG_CHECK(refuse_selection(app));
  CG_TRY(const auto plan, plan_in_force(app));
  CG_CHECK(take(app, {stages::moves_bundle(app.workspace())}));
  CG_TRY(const auto store, app.store(plan));
  CG_TRY(stages::JournalStore* const journal, app.journal(plan));
  CG_TRY(const auto status, stages::read_status(plan, *journal, *store.reader));
  show(app, app.line().json ? render::status_json(status) : render::status_text(status));
  return {};
}

Result<void> recover(Application& app) {
  if (app.line().forward && app.line().back) {
    return fail(ErrorCode::bad_input, "recover: expected one of --forward and --back, found both", "Leave one out.");
  }
  CG_CHECK(refuse_selection(app));
  CG_TRY(const auto plan, plan_in_force(app));
  CG_CHECK(take(app, {stages::moves_bundle(app.workspace())}));
  CG_TRY(const auto services, publish_services(app, plan, {}));
  const bool back = app.line().back;
  if (app.invocation().dry_run) {
    CG_TRY(const auto status, stages::read_status(plan, services.journal, services.reader));
    warn_of_lease(status.lease);
    show(app, app.line().json ? render::recovery_json(status, back) : render::recovery_text(status, back));
    return {};
  }
  const auto recovered = [&] {
    const DroppedLines no_waiting(app.console());
    return stages::recover(publish_inputs(app, plan), services, back);
  }();
  give_always(app, stages::moves_bundle(app.workspace()));
  if (!recovered) return fail(recovered.error());
  show(app, app.line().json ? render::recovered_json(*recovered, services.journal.place(), back)
                            : render::recovered_text(*recovered, back));
  return {};
}

Result<void> report(Application& app) {
  CG_TRY(const auto plan, plan_in_force(app));
  CG_CHECK(take_evidence(app, plan, plan.cells, true, true));
  CG_TRY(const auto store, app.store(plan));
  CG_TRY(stages::JournalStore* const journal, app.journal(plan));
  CG_TRY(const auto report, stages::collect_report({.configuration = app.configuration(),
                                                    .plan = plan,
                                                    .workspace = app.workspace(),
                                                    .today = sys::compact_date(app.clock().now()),
                                                    .journal = journal},
                                                   app.files(), store.reader));
  CG_CHECK(stages::publish_report(report, app.workspace(), app.files(), app.workflow()));
  CG_CHECK(give(app, stages::report_bundle(app.workspace())));
  show_report(app, report);
  return {};
}

}  // namespace crategate::app
