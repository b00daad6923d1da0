#include "app/cell_pipeline.h"

#include <atomic>
#include <thread>

#include "actions/names.h"
#include "app/commands.h"
#include "app/hand_over.h"
#include "app/proof.h"
#include "app/repository_page.h"
#include "base/log.h"
#include "base/strings.h"
#include "dockerfile/from.h"
#include "stages/build.h"
#include "stages/digest.h"
#include "stages/evidence.h"
#include "stages/rebuild.h"
#include "stages/scan.h"
#include "stages/test.h"
#include "sys/cancel.h"
#include "sys/parallel.h"

namespace crategate::app {
namespace {

std::string tests_phrase(const pipeline::TestResult& result) {
  if (result.verdict == pipeline::TestVerdict::not_configured) return "no tests configured";
  return concat(result.total, " tests");
}

Result<void> build_cell(Application& app, const RunFacts& facts, const pipeline::Cell& cell) {
  const auto progress = app.progress(cell.key);
  CG_TRY(const auto services, build_services(app, progress));
  app.console().begin(cell.key, "build");
  auto built = stages::run_build(build_inputs(app, facts, cell), services);
  app.console().end(cell.key, built.has_value(), built ? "" : "see below");
  if (!built) return fail(with_repeat(std::move(built).error(), app, cell, "build"));
  return {};
}

/// One at a time: scanners of one user share a database that only one of them can open.
Result<void> scan_cell(Application& app, const RunFacts& facts, const pipeline::Cell& cell, docker::Engine& engine,
                       std::mutex& scanning) {
  const std::lock_guard alone(scanning);
  app.console().begin(cell.key, "scan");
  const auto progress = app.progress(cell.key);
  const auto scanned = stages::run_scan(
      {.configuration = app.configuration(), .plan = facts.plan, .cell = cell, .workspace = app.workspace()},
      {.files = app.files(),
       .host = {.processes = app.processes(), .environment = app.environment()},
       .engine = engine,
       .progress = progress});
  if (!scanned || !*scanned) {
    app.console().end(cell.key, scanned.has_value(), scanned ? std::string(pipeline::kNotScanned) : "see below");
    if (!scanned) return fail(with_repeat(scanned.error(), app, cell, "scan"));
    return {};
  }
  auto tolerable = stages::require_tolerable(**scanned, cell, repeat_cell(app, cell, "scan"));
  app.console().end(cell.key, tolerable.has_value(), counts_text((*scanned)->result.counts));
  return tolerable;
}

Result<void> test_cell(Application& app, const RunFacts& facts, const pipeline::Cell& cell, docker::Engine& engine) {
  app.console().begin(cell.key, "test");
  const auto progress = app.progress(cell.key);
  const auto result = stages::run_test(
      {.configuration = app.configuration(), .plan = facts.plan, .cell = cell, .workspace = app.workspace()},
      {.files = app.files(), .engine = engine, .progress = progress});
  if (!result) {
    app.console().end(cell.key, false, "see below");
    return fail(result.error());
  }
  auto passed = stages::require_passed(*result, cell, repeat_cell(app, cell, "test"));
  app.console().end(cell.key, passed.has_value(),
                    passed ? tests_phrase(*result) : std::string(to_string(result->verdict)));
  return passed;
}

Result<pipeline::Record> digest_cell(Application& app, const RunFacts& facts, const pipeline::Cell& cell,
                                     const stages::DigestServices& services) {
  app.console().begin(cell.key, "digest");
  auto record = stages::run_digest({.configuration = app.configuration(),
                                    .plan = facts.plan,
                                    .cell = cell,
                                    .workspace = app.workspace(),
                                    .run = facts.run,
                                    .attempt = facts.attempt,
                                    .key = facts.key},
                                   services);
  app.console().end(cell.key, record.has_value(), record ? record->manifest_digest.text() : "see below");
  return record;
}

struct CellServices {
  Application::Store store;
  stages::StoredLayers& layers;
  std::mutex& scanning;
};

Result<CellOutcome> prove_cell(Application& app, const RunFacts& facts, const pipeline::Cell& cell,
                               const CellServices& svc, std::string& stage) {
  CG_TRY(auto proof,
         find_proof(facts.plan, cell, facts.inputs, facts.key, app.workspace(), app.files(), *svc.store.reader));
  if (proof)
    return CellOutcome{
        .cell = cell.key, .proven_before = true, .record = std::move(proof), .error = {}, .failed_stage = {}};
  CG_CHECK(sys::check_cancelled());
  CG_TRY(docker::Engine* const engine, app.engine());
  stage = "build";
  CG_CHECK(withdraw(app, stages::digest_bundle(app.workspace(), cell)));
  CG_CHECK(build_cell(app, facts, cell));
  stage = "scan";
  if (facts.plan.scan) CG_CHECK(scan_cell(app, facts, cell, *engine, svc.scanning));
  stage = "test";
  CG_CHECK(test_cell(app, facts, cell, *engine));
  stage = "digest";
  CG_TRY(auto record, digest_cell(app, facts, cell,
                                  {.files = app.files(),
                                   .clock = app.clock(),
                                   .engine = *engine,
                                   .writer = facts.plan.policy.candidate ? svc.store.writer : nullptr,
                                   .stored_layers = &svc.layers}));
  CG_CHECK(save_proof(cell, facts.inputs, app.workspace(), app.files()));
  return CellOutcome{
      .cell = cell.key, .proven_before = false, .record = std::move(record), .error = {}, .failed_stage = {}};
}

CellOutcome run_cell(Application& app, const RunFacts& facts, const pipeline::Cell& cell, const CellServices& svc) {
  std::string stage;
  auto outcome = prove_cell(app, facts, cell, svc, stage);
  if (outcome) return *std::move(outcome);
  return {.cell = cell.key,
          .proven_before = false,
          .record = {},
          .error = std::move(outcome).error(),
          .failed_stage = stage};
}

}  // namespace

Result<void> require_planned_commit(Application& app, const pipeline::Plan& plan) {
  if (!plan.policy.push || plan.commit.empty()) return {};
  CG_TRY(const auto head, app.repository().head());
  if (head && *head != plan.commit) {
    return fail(ErrorCode::bad_input,
                concat("commit: expected ", plan.commit, " as in the plan, found ", *head, " checked out"),
                "Run `crategate plan` again, or check the planned commit out.");
  }
  CG_TRY(const bool modified, app.repository().is_modified());
  if (modified)
    log::warning(
        concat("tracked files differ from commit ", plan.commit.substr(0, 12), ": what is built is what is there now"));
  return {};
}

Result<Secret> signing_key(Application& app, const pipeline::Plan& plan) {
  if (!plan.policy.candidate && !plan.policy.push) return Secret();
  return app.record_key();
}

Result<RunFacts> read_run_facts(Application& app, const pipeline::Plan& plan) {
  const auto variable = [&](std::string_view name) { return app.environment().get(name).value_or(""); };
  RunFacts facts{.plan = plan,
                 .inputs = {},
                 .source_url = repository_page(app.environment()),
                 .commit_time = {},
                 .run = app.run_id(),
                 .attempt = variable(actions::kRunAttempt),
                 .key = {}};
  if (facts.source_url.empty() && !plan.commit.empty()) {
    CG_TRY(facts.source_url, app.repository().remote_url());
  }
  if (!plan.commit.empty()) {
    // An unknown commit (a hand-written --sha) leaves the label out.
    facts.commit_time = app.repository().commit_time(plan.commit).value_or("");
  }
  return facts;
}

stages::BuildInputs build_inputs(Application& app, const RunFacts& facts, const pipeline::Cell& cell) {
  // A dry run has none yet; a build without one says so itself.
  const auto dockerfile = app.files().read_below(app.workspace().root, cell.dockerfile);
  const bool names_base = !dockerfile || !*dockerfile || dockerfile::may_begin_with(**dockerfile, cell.base);
  return {.configuration = app.configuration(),
          .plan = facts.plan,
          .cell = cell,
          .workspace = app.workspace(),
          .source_url = facts.source_url,
          .commit_time = facts.commit_time,
          .in_action = app.in_runner(),
          .run = facts.run,
          .names_base = names_base};
}

Result<stages::BuildServices> build_services(Application& app, const stages::Progress& progress) {
  CG_TRY(docker::Engine* const engine, app.engine());
  CG_TRY(docker::ImageBuilder* const builder, app.builder());
  return stages::BuildServices{
      .files = app.files(), .builder = *builder, .engine = *engine, .workflow = app.workflow(), .progress = progress};
}

std::string describe_build(const docker::BuildRequest& request, docker::ImageBuilder* builder) {
  std::string text;
  if (builder != nullptr) {
    if (const auto commands = builder->commands(request)) {
      for (const auto& command : *commands) text += concat(command.text(), "\n");
      return text;
    }
  }
  config::Argv argv = {"docker"};
  for (auto& word : docker::build_arguments(request)) argv.push_back(std::move(word));
  return concat(stages::describe_command(argv), "\n");
}

Result<std::string> describe_rebuilds(Application& app, const pipeline::Plan& plan,
                                      const std::vector<pipeline::Cell>& cells) {
  CG_TRY(const auto facts, read_run_facts(app, plan));
  CG_TRY(const auto records, stages::load_records(app.files(), app.workspace(), cells));
  const auto builder = app.builder();
  std::string text;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto* const record = records[i].readable();
    const auto request =
        stages::rebuild_request(build_inputs(app, facts, cells[i]), record == nullptr ? pipeline::Record{} : *record);
    text += describe_build(request, builder ? *builder : nullptr);
  }
  return text;
}

Result<void> rebuild_cells(Application& app, const pipeline::Plan& plan, const std::vector<pipeline::Cell>& cells,
                           const Secret& key) {
  if (!plan.rebuild || !plan.policy.push) return {};
  CG_CHECK(require_planned_commit(app, plan));
  CG_TRY(const auto facts, read_run_facts(app, plan));
  CG_TRY(const auto said, stages::load_rebuilds(app.files(), app.workspace(), plan));
  CG_TRY(const auto rebuilds, stages::prove_rebuilds(app.workspace(), said));
  CG_TRY(const auto records, stages::load_records(app.files(), app.workspace(), cells));
  const pipeline::Demands demands{app.configuration().gate.ignore_labels, facts.run, facts.attempt, key};
  const auto jobs = static_cast<std::size_t>(app.jobs());
  return sys::for_each_parallel(cells.size(), jobs, [&](std::size_t i) -> Result<void> {
    const auto& cell = cells[i];
    const auto* const record = records[i].readable();
    // Of a record that is refused nothing is built; the verdict says why.
    if (record == nullptr || !pipeline::judge_record(plan, cell, *record, demands).admitted) return {};
    if (rebuilds.contains(cell.key)) return {};
    const auto progress = app.progress(cell.key);
    CG_TRY(const auto builder, app.new_builder());
    CG_TRY(docker::Engine* const engine, app.engine());
    const stages::BuildServices services{app.files(), *builder, *engine, app.workflow(), progress};
    app.console().begin(cell.key, "rebuild");
    auto rebuilt = stages::run_rebuild(build_inputs(app, facts, cell), *record, services);
    app.console().end(cell.key, rebuilt.has_value(), rebuilt ? rebuilt->manifest_digest.text() : "see below");
    if (!rebuilt) return fail(with_repeat(std::move(rebuilt).error(), app, cell, "verify"));
    return {};
  });
}

std::vector<CellOutcome> run_cells(Application& app, const RunFacts& facts, Application::Store store, int jobs) {
  const auto& cells = facts.plan.cells;
  std::vector<CellOutcome> outcomes(cells.size());
  std::atomic<std::size_t> next = 0;
  stages::StoredLayers layers;
  std::mutex scanning;
  const CellServices services{store, layers, scanning};
  app.console().total(cells.size());
  const auto work = [&] {
    for (std::size_t i = next++; i < cells.size(); i = next++) {
      outcomes[i] = run_cell(app, facts, cells[i], services);
      app.console().cell_finished();
    }
  };
  std::vector<std::thread> workers;
  const std::size_t count = std::min(cells.size(), static_cast<std::size_t>(jobs));
  for (std::size_t i = 1; i < count; ++i) workers.emplace_back(work);
  work();
  for (auto& worker : workers) worker.join();
  return outcomes;
}

}  // namespace crategate::app
