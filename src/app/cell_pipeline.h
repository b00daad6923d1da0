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
};

/// A plan that publishes is for one commit, and what is built must be that one; differing files are a warning.
/// Effects: process(git).
/// Errors: bad_input naming both commits.
Result<void> require_planned_commit(Application& app, const pipeline::Plan& plan);

/// The facts that builds and records of this plan carry.
/// Effects: process(git).
Result<RunFacts> read_run_facts(Application& app, const pipeline::Plan& plan);

/// All cells, `jobs` at a time, in plan order; one failure does not stop the others, a cancellation does.
std::vector<CellOutcome> run_cells(Application& app, const RunFacts& facts, Application::Store store, int jobs);

}  // namespace crategate::app
