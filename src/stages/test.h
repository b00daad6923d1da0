// test: the project's tests inside the image that would be published.
#pragma once

#include "base/result.h"
#include "config/configuration.h"
#include "docker/engine.h"
#include "pipeline/plan.h"
#include "pipeline/record.h"
#include "stages/project_command.h"
#include "stages/workspace.h"

namespace crategate::stages {

struct TestInputs {
  const config::Configuration& configuration;
  const pipeline::Plan& plan;
  const pipeline::Cell& cell;
  Workspace workspace;
};

struct TestServices {
  sys::FileSystem& files;
  docker::Engine& engine;
  const Progress& progress;
};

/// The container that runs the tests of `image`.
/// Errors: bad_input (mounts).
Result<docker::ContainerSpec> test_container(const TestInputs& in, const std::string& image);

/// Runs the tests and leaves their result, whatever it is, with the id of the image that the container really ran.
/// Effects: container; writes the cell's log in the workspace while it runs, tests/<cell>.json in the state directory.
/// Errors: bad_input, engine, no_space. Failed tests are a result; `require_passed` makes them an error.
Result<pipeline::TestResult> run_test(const TestInputs& in, const TestServices& svc);

/// Success, or tests_failed with the log and `repeat`, the local command that repeats the failure.
Result<void> require_passed(const pipeline::TestResult& result, const pipeline::Cell& cell, const std::string& repeat);

/// Config digest of an engine image, where its id says it: it is the id in the classic store. nullopt: the id is a
/// manifest's digest (containerd store); `digest` reads the configuration of exactly that image.
Result<std::optional<oci::Digest>> known_config_digest(docker::Engine& engine, const std::string& image_id);

}  // namespace crategate::stages
