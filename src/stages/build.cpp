// build: plan and cell → build request → buildx.
// Belongs here: which flags the policy asks for.  Not here: how they are spelt (docker/build).
#include "stages/build.h"

#include <algorithm>
#include <chrono>

#include "base/log.h"
#include "base/strings.h"
#include "docker/cache_import.h"
#include "pipeline/tags.h"
#include "stages/build_sources.h"
#include "sys/clock.h"

namespace crategate::stages {
namespace {

std::string last_component(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

std::map<std::string, std::string> image_labels(const BuildInputs& in) {
  std::map<std::string, std::string> labels = in.plan.labels;
  labels["org.opencontainers.image.title"] = last_component(in.cell.image);
  labels[std::string(pipeline::kVersionLabel)] = in.plan.version;
  if (!in.plan.head_commit.empty()) labels["org.opencontainers.image.revision"] = in.plan.head_commit;
  if (!in.source_url.empty()) {
    labels["org.opencontainers.image.source"] = in.source_url;
    labels["org.opencontainers.image.url"] = in.source_url;
  }
  if (!in.cell.base.empty()) labels["org.opencontainers.image.base.name"] = in.cell.base;
  if (const auto seconds = parse_unsigned(in.commit_time)) {
    // The commit's time, not the build's: the same commit gives the same configuration.
    labels["org.opencontainers.image.created"] =
        sys::rfc3339(std::chrono::system_clock::time_point(std::chrono::seconds(*seconds)));
  }
  for (const auto& item : in.configuration.build.labels) {
    const auto equals = item.find('=');
    labels[item.substr(0, equals)] = equals == std::string::npos ? "" : item.substr(equals + 1);
  }
  // The tag rules trust these two: a project cannot say otherwise.
  labels[std::string(pipeline::kTriggerLabel)] = in.plan.policy.trigger;
  labels[std::string(pipeline::kReleasedLabel)] = in.plan.version_released ? "true" : "false";
  return labels;
}

/// The build goes on, only slower: a warning that says which cache of which cell.
void warn_of_cache(const BuildInputs& in, const std::string& reason, actions::Workflow& workflow) {
  const std::string text = concat("cell ", in.cell.key, ": the build cache ", in.cell.cache, " could not be read (",
                                  reason, "); the build goes on without it and takes longer");
  log::warning(text);
  workflow.annotate(
      {.severity = actions::Severity::warning, .title = "crategate build", .message = text, .location = {}});
}

}  // namespace

docker::BuildRequest build_request(const BuildInputs& in) {
  const auto& build = in.configuration.build;
  const auto& policy = in.plan.policy;
  docker::BuildRequest request;
  request.dockerfile = in.cell.dockerfile;
  request.context = build.context;
  request.tags = {local_image_name(in.plan, in.cell)};
  request.platform = in.cell.platform;
  request.fresh = policy.fresh;
  request.log_in = policy.trigger != pipeline::kPullRequestTrigger;
  if (!in.cell.cache.empty() && policy.cache_read && !policy.fresh) {
    request.cache_from.push_back({.reference = in.cell.cache, .directory = {}});
  }
  if (!in.cell.cache.empty() && policy.cache_write) {
    request.cache_to.push_back({.reference = in.cell.cache, .directory = {}, .ignore_error = build.cache_ignore_error});
  }
  if (!build.cache_dir.empty() && !in.in_action && policy.trigger != pipeline::kPullRequestTrigger) {
    const docker::Cache local{.reference = {}, .directory = concat(build.cache_dir, "/", in.cell.key)};
    request.cache_from.push_back(local);
    request.cache_to.push_back(local);
  }
  request.build_args = build.build_args;
  request.build_contexts = build.build_contexts;
  request.secrets = build.secrets;
  request.labels = image_labels(in);
  request.annotations = build.annotations;
  request.target = build.target;
  request.network = build.network;
  request.builder = build.builder;
  request.provenance = false;  // the candidate is one manifest; attestations are attached to what was published
  return request;
}

docker::BuildRequest build_request(const BuildInputs& in, docker::ImageBuilder& builder) {
  docker::BuildRequest request = build_request(in);
  const std::string& name = in.cell.base;
  const std::string replacement = concat(name, "=");
  const bool replaced = std::ranges::any_of(
      request.build_contexts, [&](const std::string& context) { return context.starts_with(replacement); });
  if (name.empty() || replaced) return request;
  const auto base = builder.find_base(name, request);
  if (!base) return request;
  request.labels.emplace("org.opencontainers.image.base.digest", base->digest.text());
  const bool names_digest = name.find('@') != std::string::npos;
  if (!names_digest && !base->in_engine)
    request.build_contexts.push_back(concat(replacement, "docker-image://", name, "@", base->digest.text()));
  return request;
}

Result<Built> run_build(const BuildInputs& in, const BuildServices& svc) {
  CG_CHECK(check_sources(in, svc.files));
  CG_CHECK(withdraw_evidence(svc.files, in.workspace, in.cell.key));
  CG_CHECK(withdraw_scan(svc.files, in.workspace, in.cell.key));
  CG_CHECK(svc.files.make_directories(in.workspace.state() / "logs"));
  CG_TRY(auto log, sys::LogFile::create(in.workspace.state(), build_log_file(in.cell.key), kLogLimit));
  docker::CacheImport cache;
  const auto progress = [&](std::string_view line) {
    if (const auto reason = cache.add(line)) warn_of_cache(in, *reason, svc.workflow);
    static_cast<void>(log.write(concat(line, "\n")));  // a full disk shows in the build itself
    if (svc.progress) svc.progress(neutralise(line));
  };
  auto outcome = svc.builder.build(build_request(in, svc.builder), in.configuration.build.timeout, progress);
  if (!outcome) return fail(std::move(outcome).error().within(concat("build of cell ", in.cell.key)));
  Built built{.plan_id = in.plan.plan_id,
              .cell = in.cell.key,
              .image_id = outcome->image_id,
              .duration_ms = outcome->elapsed.count()};
  CG_CHECK(log.close());
  CG_CHECK(save_built(svc.files, in.workspace, built));
  return built;
}

}  // namespace crategate::stages
