// A small project's configuration and facts, for the tests of this folder.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/configuration.h"
#include "pipeline/plan.h"

namespace crategate::pipeline::sample {

inline const std::string kCommit(40, 'c');

/// The real project's axes and names: 2 runtimes × the given Python versions.
inline config::Configuration configuration() {
  config::Configuration project;
  project.axes = {
      {.name = "python", .file = "PYTHON_VERSIONS"},
      {.name = "runtime",
       .values = {"cpu", "cuda"},
       .variables = {{"cpu", {{"base", "ubuntu:22.04"}}},
                     {"cuda", {{"base", "nvcr.io/nvidia/cuda:12.4.1-base-ubuntu22.04"}, {"pip-index", "x"}}}}}};
  project.image = "braindotai/opencrate-{cell}";
  project.cache = "braindotai/opencrate-build-cache:{cell}";
  project.watch = {"src/**", "pyproject.toml", "VERSION"};
  project.dependencies = {"pyproject.toml", "setup.cfg"};
  project.generate.template_file = "docker/Dockerfile.mustache";
  project.test = config::Test{};
  return project;
}

inline Event tag_push(std::string tag = "v1.2.3") {
  return {.kind = EventKind::tag_push,
          .name = "push",
          .ref = "refs/tags/" + tag,
          .tag = std::move(tag),
          .sha = kCommit,
          .head_sha = kCommit};
}

inline Event pull_request(std::string base = "main") {
  return {.kind = EventKind::pull_request,
          .name = "pull_request",
          .ref = "refs/pull/7/merge",
          .branch = "fix",
          .base_branch = std::move(base),
          .default_branch = "main",
          .sha = kCommit,
          .head_sha = std::string(40, 'd'),
          .pull_request = 7};
}

inline Event event(EventKind kind, std::string name) {
  return {.kind = kind,
          .name = std::move(name),
          .ref = "refs/heads/main",
          .branch = "main",
          .sha = kCommit,
          .head_sha = kCommit};
}

inline Policy release_policy() {
  return {.should_run = true,
          .cache_read = true,
          .push = true,
          .candidate = true,
          .latest = true,
          .trigger = "release",
          .reasons = {"release: every cell; published after the gate"}};
}

inline PlanFacts facts(std::vector<std::string> pythons = {"3.11", "3.13"}) {
  return {.event = tag_push(),
          .policy = release_policy(),
          .version = *parse_version("v1.2.3"),
          .axis_values = {{"python", std::move(pythons)}, {"runtime", {"cpu", "cuda"}}},
          .commit = kCommit,
          .version_released = true};
}

}  // namespace crategate::pipeline::sample
