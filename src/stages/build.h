// build: one cell's image by the plan's policy, loaded into the engine. There is no way to publish from here.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "actions/workflow.h"
#include "base/result.h"
#include "config/configuration.h"
#include "docker/build.h"
#include "pipeline/plan.h"
#include "stages/project_command.h"
#include "stages/workspace.h"

namespace crategate::stages {

struct BuildInputs {
  const config::Configuration& configuration;
  const pipeline::Plan& plan;
  const pipeline::Cell& cell;
  Workspace workspace;
  std::string source_url;   ///< label org.opencontainers.image.source; empty = none
  std::string commit_time;  ///< seconds since the epoch; label created; empty = none
  bool in_action = false;   ///< in a job of GitHub Actions: no cache of this machine
  std::string run;          ///< of the workflow; empty outside one
  bool names_base = true;   ///< false: no FROM of the cell's Dockerfile is its base
};

struct BuildServices {
  sys::FileSystem& files;
  docker::ImageBuilder& builder;
  docker::Engine& engine;       ///< that loads what is built with times of its own
  actions::Workflow& workflow;  ///< told of a cache that cannot be read
  const Progress& progress;
};

/// Policy and configuration as a build request (the table of docs/policy.md).
docker::BuildRequest build_request(const BuildInputs& in);
/// What the cell's base stands for, as the plan says, else now; nullopt: it has none, `build.build-contexts` replaces it, or nobody knows.
/// Effects: network(engine), process(docker buildx).
std::optional<pipeline::Base> find_base(const BuildInputs& in, docker::ImageBuilder& builder);
/// The label `base.digest`, and a base from a registry pinned to that digest, so that the label is true and every cell
/// starts from the same bytes.
void use_base(docker::BuildRequest& request, const std::optional<pipeline::Base>& base);
/// Both.
docker::BuildRequest build_request(const BuildInputs& in, docker::ImageBuilder& builder);

struct LoggedBuild {
  docker::BuildOutcome outcome;
  std::string unread_cache;  ///< why the cache could not be read; empty = it was, or there is none
};

/// Builds; the output is `log`. A warning when the cache cannot be read.
/// Effects: process(docker buildx), writes `log` in the state directory.
/// Errors: as run_build.
Result<LoggedBuild> build_logged(const docker::BuildRequest& request, const BuildInputs& in, const sys::Path& log,
                                 const BuildServices& svc);

/// The cell's earlier evidence is withdrawn before: it speaks of another image.
/// Effects: process(docker buildx), writes builds/<cell>.json and logs/build-<cell>.log in the state directory; a
/// warning when the cache cannot be read.
/// Errors: engine, no_space, bad_input (sources that are refused), interrupted.
Result<Built> run_build(const BuildInputs& in, const BuildServices& svc);

}  // namespace crategate::stages
