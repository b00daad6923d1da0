// One cell from Dockerfile to evidence, and all cells side by side.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "app/application.h"
#include "base/result.h"
#include "pipeline/plan.h"
#include "pipeline/record.h"
#include "stages/build.h"

namespace crategate::app {

/// How a cell ended.
struct CellOutcome {
  std::string cell;
  bool proven_before = false;  ///< nothing had to be done
  std::optional<pipeline::Record> record;
  std::optional<Error> error;
  std::string failed_stage;  ///< `build`, `scan`, `test` or `digest`; empty = none of them
};

/// What every cell of a run shares.
struct RunFacts {
  const pipeline::Plan& plan;
  std::string inputs;  ///< app/proof
  std::string source_url, commit_time;
  std::string run, attempt;
  Secret key;  ///< that records are signed with; empty = they are not
};

/// A plan that publishes is for one commit, and what is built must be that one; differing files are a warning.
/// Effects: process(git).
/// Errors: bad_input naming both commits.
Result<void> require_planned_commit(Application& app, const pipeline::Plan& plan);

/// For records of this plan. Where no candidate is stored nothing is published either: such a record is not signed, and
/// jobs of pull requests need no secret.
/// Errors: bad_input.
Result<Secret> signing_key(Application& app, const pipeline::Plan& plan);

/// The facts that builds and records of this plan carry.
/// Effects: process(git).
Result<RunFacts> read_run_facts(Application& app, const pipeline::Plan& plan);

stages::BuildInputs build_inputs(Application& app, const RunFacts& facts, const pipeline::Cell& cell);
/// Errors: engine.
Result<stages::BuildServices> build_services(Application& app, const stages::Progress& progress);

/// The build's commands, as a person would type them; one a line. `builder`: null shows the plain one.
std::string describe_build(const docker::BuildRequest& request, docker::ImageBuilder* builder);
/// Those of rebuild_cells().
/// Errors: bad_input for a record that cannot be read as one; engine.
Result<std::string> describe_rebuilds(Application& app, const pipeline::Plan& plan,
                                      const std::vector<pipeline::Cell>& cells);

/// Of a plan that publishes rebuilt images, builds each of `cells` once more whose record stands and whose rebuild is not
/// here; of others nothing. `key`: as pipeline::Demands.
/// Errors: those of run_rebuild, with the command that repeats it.
Result<void> rebuild_cells(Application& app, const pipeline::Plan& plan, const std::vector<pipeline::Cell>& cells,
                           const Secret& key);

/// All cells, `jobs` at a time, in plan order; one failure does not stop the others, a cancellation does.
std::vector<CellOutcome> run_cells(Application& app, const RunFacts& facts, Application::Store store, int jobs);

}  // namespace crategate::app
