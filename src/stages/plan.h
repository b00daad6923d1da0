// plan: event, versions and axes → plan.json and the outputs a workflow needs.
#pragma once

#include <functional>
#include <string>

#include "actions/workflow.h"
#include "base/result.h"
#include "config/settings.h"
#include "git/remote_history.h"
#include "git/repository.h"
#include "pipeline/plan.h"
#include "stages/workspace.h"
#include "sys/clock.h"
#include "sys/environment.h"
#include "sys/process.h"

namespace crategate::stages {

struct PlanServices {
  sys::FileSystem& files;
  const sys::Environment& environment;
  sys::ProcessRunner& processes;
  git::Repository& repository;
  git::RemoteHistory* history = nullptr;  ///< asked for what a shallow clone lacks of a pull request; null = nobody is
};

struct PlanInputs {
  const config::Configuration& configuration;
  const config::Invocation& invocation;
  Workspace workspace;
  pipeline::Destination destination;
  bool in_action = false;  ///< in a job of GitHub Actions: nothing of the project runs beside the engine's socket
};

/// Reads the facts and decides; writes nothing.
/// Effects: reads files, process(git), process(`version.command`).
/// Errors: bad_input.
Result<pipeline::Plan> make_plan(const PlanInputs& in, const PlanServices& svc);

/// `--to`: `oci:DIR` is a layout, anything else a registry with an optional path; empty = `fallback`.
Result<pipeline::Destination> parse_destination(const std::string& to, bool layout_by_default);

/// The event facts in force: options first, then the runner's environment, then git (a manual run of HEAD).
/// Effects: reads the payload's file, process(git)
Result<pipeline::EventFacts> read_event_facts(const PlanInputs& in, const PlanServices& svc);
/// What they mean.
Result<pipeline::Event> read_event(const PlanInputs& in, const PlanServices& svc);

/// Effects: writes plan.json into the state directory, the outputs and the summary.
Result<void> publish_plan(const pipeline::Plan& plan, bool dry_run, const Workspace& workspace, sys::FileSystem& files,
                          actions::Workflow& workflow);

}  // namespace crategate::stages
