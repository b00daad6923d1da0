#include "app/publish_commands.h"

#include "app/commands.h"
#include "app/hand_over.h"
#include "base/log.h"
#include "base/strings.h"
#include "json/value.h"
#include "render/decisions.h"
#include "render/report.h"
#include "stages/push.h"
#include "stages/recover.h"
#include "stages/release.h"
#include "stages/report.h"
#include "stages/status.h"
#include "stages/verify.h"

namespace crategate::app {
namespace {

/// All cells are published, or none: a part of them cannot be asked for.
Result<void> refuse_selection(const Application& app) {
  const auto& only = app.invocation().only;
  if (only.empty()) return {};
  return fail(
      ErrorCode::bad_input,
      concat("--only: expected nothing, for every cell of the plan is published, found ", quote(join(only, ", "))),
      "Leave it out; `crategate verify --cell KEY` looks at one cell.");
}

/// What the jobs of the cells have left.
Result<void> take_evidence(Application& app, const std::vector<pipeline::Cell>& cells, bool with_moves = false) {
  std::vector<stages::Bundle> bundles;
  for (const auto& cell : cells) bundles.push_back(stages::digest_bundle(app.workspace(), cell));
  if (with_moves) bundles.push_back(stages::moves_bundle(app.workspace()));
  return take(app, bundles);
}

using Publish = Result<stages::Published> (*)(const stages::PublishInputs&, const stages::PublishServices&);
using PlanPublication = Result<stages::Publication> (*)(const stages::PublishInputs&, const sys::FileSystem&,
                                                        registry::RegistryReader&,
                                                        const std::map<std::string, std::string>& newest);

void show_changes(Application& app, const pipeline::ChangeSet& changes) {
  if (app.line().json) return app.console().document(render::change_set_json(changes));
  app.console().result(render::change_set_text(changes));
}

/// What every tag names now, and which ones were moved.
Result<void> set_publish_outputs(Application& app, const pipeline::ChangeSet& changes) {
  auto moved = json::Value::object();
  auto published = json::Value::object();
  for (const auto& move : changes.moves) {
    const std::string name = concat(move.repository, ":", move.tag);
    if (move.needed || move.from) published.set(name, (move.needed ? move.to : *move.from).text());
    if (!move.needed) continue;
    moved.set(name, json::Value::object({{"from", move.from ? json::Value(move.from->text()) : json::Value()},
                                         {"to", move.to.text()}}));
  }
  CG_CHECK(app.workflow().set_output("published", published.canonical()));
  return app.workflow().set_output("moved", moved.canonical());
}

/// Says when it is open, and would be settled first.
Result<std::optional<pipeline::Journal>> last_journal(Application& app, const pipeline::Plan& plan) {
  CG_TRY(stages::JournalStore* const keeper, app.journal(plan));
  CG_TRY(auto journal, keeper->read());
  if (!journal || journal->state != pipeline::JournalState::open) return journal;
  log::warning(concat("the release of ", journal->version, " was left open and would be settled first; ",
                      app.repeat("recover --dry-run"), " shows how"));
  return journal;
}

Result<void> publish(Application& app, PlanPublication decide, Publish apply) {
  CG_CHECK(refuse_selection(app));
  CG_TRY(const auto plan, plan_in_force(app));
  CG_CHECK(take_evidence(app, plan.cells, true));
  CG_TRY(const auto store, app.store(plan));
  const auto in = publish_inputs(app, plan);
  if (app.invocation().dry_run) {
    CG_TRY(const auto journal, last_journal(app, plan));
    CG_TRY(const auto publication,
           decide(in, app.files(), *store.reader, journal ? journal->newest : std::map<std::string, std::string>{}));
    show_changes(app, publication.changes);
    return {};
  }
  CG_TRY(const auto services, publish_services(app, plan, [&app](const pipeline::ChangeSet& changes) {
           warn_of_moves(app, changes);
           show_changes(app, changes);
         }));
  const auto published = apply(in, services);
  give_always(app, stages::moves_bundle(app.workspace()));
  if (!published) return fail(published.error());
  if (const auto text = render::windows_text(published->windows); !text.empty()) log::info(text);
  return set_publish_outputs(app, published->changes);
}

}  // namespace

stages::PublishInputs publish_inputs(Application& app, const pipeline::Plan& plan) {
  return {.configuration = app.configuration(),
          .plan = plan,
          .workspace = app.workspace(),
          .today = sys::compact_date(app.clock().now()),
          .run = app.run_id(),
          .attempt = app.run_attempt()};
}

Result<stages::PublishServices> publish_services(Application& app, const pipeline::Plan& plan,
                                                 std::function<void(const pipeline::ChangeSet&)> announce) {
  CG_TRY(const auto store, app.store(plan));
  CG_TRY(stages::JournalStore* const journal, app.journal(plan));
  return stages::PublishServices{.files = app.files(),
                                 .clock = app.clock(),
                                 .reader = *store.reader,
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
  CG_CHECK(take_evidence(app, cells));
  CG_TRY(const auto store, app.store(plan));
  CG_TRY(const auto evidence, stages::run_verify({.configuration = app.configuration(),
                                                  .plan = plan,
                                                  .cells = std::move(cells),
                                                  .workspace = app.workspace(),
                                                  .run = app.run_id()},
                                                 {.files = app.files(), .reader = *store.reader}));
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

Result<void> push(Application& app) { return publish(app, stages::plan_push, stages::run_push); }
Result<void> release(Application& app) { return publish(app, stages::plan_release, stages::run_release); }

Result<void> status(Application& app) {
  CG_TRY(const auto plan, plan_in_force(app));
  CG_CHECK(take(app, {stages::moves_bundle(app.workspace())}));
  CG_TRY(const auto store, app.store(plan));
  CG_TRY(stages::JournalStore* const journal, app.journal(plan));
  CG_TRY(const auto status, stages::read_status(*journal, *store.reader));
  if (app.line().json) {
    app.console().document(render::status_json(status));
  } else {
    app.console().result(render::status_text(status));
  }
  return {};
}

Result<void> recover(Application& app) {
  if (app.line().forward && app.line().back) {
    return fail(ErrorCode::bad_input, "recover: expected one of --forward and --back, found both", "Leave one out.");
  }
  CG_TRY(const auto plan, plan_in_force(app));
  CG_TRY(const auto services, publish_services(app, plan, {}));
  if (app.invocation().dry_run) {
    CG_TRY(const auto status, stages::read_status(services.journal, services.reader));
    app.console().result(render::recovery_text(status, app.line().back));
    return {};
  }
  CG_TRY(const auto version, stages::recover(publish_inputs(app, plan), services, app.line().back));
  give_always(app, stages::moves_bundle(app.workspace()));
  const std::string outcome = version.empty()   ? std::string("nothing to recover: no release was left open")
                              : app.line().back ? concat("the release of ", version, " is undone")
                                                : concat("the release of ", version, " is finished");
  app.console().result(concat(outcome, "\n"));
  return {};
}

Result<void> report(Application& app) {
  CG_TRY(const auto plan, plan_in_force(app));
  CG_CHECK(take_evidence(app, plan.cells, true));
  CG_TRY(const auto store, app.store(plan));
  CG_TRY(const auto report, stages::collect_report({.configuration = app.configuration(),
                                                    .plan = plan,
                                                    .workspace = app.workspace(),
                                                    .today = sys::compact_date(app.clock().now())},
                                                   app.files(), store.reader));
  CG_CHECK(stages::publish_report(report, app.workspace(), app.files(), app.workflow()));
  CG_CHECK(give(app, stages::report_bundle(app.workspace())));
  show_report(app, report);
  return {};
}

}  // namespace crategate::app
