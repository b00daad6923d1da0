// build: plan and cell → build request → buildx.
// Belongs here: which flags the policy asks for.  Not here: how they are spelt (docker/build).
#include "stages/build.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "base/log.h"
#include "base/strings.h"
#include "docker/cache_import.h"
#include "layout/blob_file.h"
#include "pipeline/base_watch.h"
#include "pipeline/rebuilt.h"
#include "pipeline/tags.h"
#include "stages/build_sources.h"
#include "stages/logged_build.h"
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
  if (!in.plan.head_commit.empty()) labels[std::string(pipeline::kRevisionLabel)] = in.plan.head_commit;
  if (!in.source_url.empty()) {
    labels["org.opencontainers.image.source"] = in.source_url;
    labels["org.opencontainers.image.url"] = in.source_url;
  }
  if (!in.cell.base.empty() && in.names_base) labels["org.opencontainers.image.base.name"] = in.cell.base;
  if (const auto seconds = parse_unsigned(in.commit_time)) {
    // The commit's time, not the build's: the same commit gives the same configuration.
    labels["org.opencontainers.image.created"] =
        sys::rfc3339(std::chrono::system_clock::time_point(std::chrono::seconds(*seconds)));
  }
  for (const auto& item : in.configuration.build.labels) {
    const auto equals = item.find('=');
    labels[item.substr(0, equals)] = equals == std::string::npos ? "" : item.substr(equals + 1);
  }
  // Later plans trust these: neither a project nor a base image says otherwise.
  if (in.plan.policy.watch_base) {
    // For re-runs of a release alone: elsewhere it would make another image of the same one.
    const bool is_release = in.plan.policy.trigger == "release";
    labels[std::string(pipeline::kMovedFromLabel)] = is_release ? in.cell.base_moved_from : std::string();
  }
  labels[std::string(pipeline::kTriggerLabel)] = in.plan.policy.trigger;
  labels[std::string(pipeline::kReleasedLabel)] = in.plan.version_released ? "true" : "false";
  return labels;
}

/// The build goes on, only slower: a warning that says which cache of which cell.
void warn_of_cache(const BuildInputs& in, const docker::BuildRequest& request, const std::string& reason,
                   actions::Workflow& workflow) {
  const std::string& cache = request.cache_from.empty() ? in.cell.cache : request.cache_from.front().reference;
  const std::string text = concat("cell ", in.cell.key, ": the build cache ", cache, " could not be read (", reason,
                                  "); the build goes on without it and takes longer");
  log::warning(text);
  workflow.annotate(
      {.severity = actions::Severity::warning, .title = "crategate build", .message = text, .location = {}});
}

/// What the configuration says of the base is not true of this image, so the image does not say it either.
void warn_of_base(const BuildInputs& in, actions::Workflow& workflow) {
  if (in.cell.base.empty() || in.names_base) return;
  const std::string text =
      concat("cell ", in.cell.key, ": no FROM of ", in.cell.dockerfile, " is its base ", in.cell.base,
             ": it is not pinned, and the image has no labels of a base; write FROM {{base}}");
  log::warning(text);
  workflow.annotate(
      {.severity = actions::Severity::warning, .title = "crategate build", .message = text, .location = {}});
}

/// The archive that was built, into the engine; its id there.
Result<std::string> load(const BuildInputs& in, const sys::Path& archive, docker::Engine& engine) {
  std::error_code failed;
  const auto size = std::filesystem::file_size(archive, failed);
  if (failed) return fail(ErrorCode::engine, concat("the build of cell ", in.cell.key, " left no archive"));
  CG_TRY(const auto source, layout::file_source(archive));
  auto loaded = engine.load_image(source, size);
  std::filesystem::remove(archive, failed);
  if (!loaded) return fail(std::move(loaded).error().within(concat("build of cell ", in.cell.key)));
  const std::string name = local_image_name(in.plan, in.cell);
  CG_TRY(const auto image, engine.find_image(name));
  if (image) return image->id;
  return fail(ErrorCode::engine,
              concat("build of cell ", in.cell.key, ": the engine loaded its archive, but has no image ", name),
              "look at the log of the Docker engine");
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
  request.fresh = in.plan.is_fresh(in.cell);
  request.log_in = policy.trigger != pipeline::kPullRequestTrigger;
  if (in.plan.reads_cache(in.cell)) {
    request.cache_from.push_back({.reference = in.cell.cache, .directory = {}});
  }
  if (in.plan.writes_cache(in.cell)) {
    request.cache_to.push_back({.reference = in.cell.cache, .directory = {}, .ignore_error = build.cache_ignore_error});
  }
  if (!build.cache_dir.empty() && !in.in_action && policy.trigger != pipeline::kPullRequestTrigger) {
    const docker::Cache local{.reference = {}, .directory = concat(build.cache_dir, "/", in.cell.key)};
    request.cache_from.push_back(local);
    request.cache_to.push_back(local);
  }
  if (in.plan.rebuild) {
    request.source_date_epoch = in.commit_time.empty() ? "0" : in.commit_time;
    request.archive = (in.workspace.state_name / "builds" / (in.cell.key + ".tar")).string();
    const auto cache = pipeline::rebuild_cache(in.plan, in.cell, in.run);
    if (!cache.empty()) request.cache_to.push_back({.reference = cache, .directory = {}});
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

std::optional<pipeline::Base> find_base(const BuildInputs& in, docker::ImageBuilder& builder) {
  const std::string& name = in.cell.base;
  if (name.empty() || !in.names_base || pipeline::is_replaced(name, in.configuration.build)) return std::nullopt;
  if (in.cell.base_digest) return pipeline::Base{.name = name, .digest = *in.cell.base_digest, .in_engine = false};
  const auto base = builder.find_base(name, build_request(in));
  if (!base) return std::nullopt;
  return pipeline::Base{.name = name, .digest = base->digest, .in_engine = base->in_engine};
}

void use_base(docker::BuildRequest& request, const std::optional<pipeline::Base>& base) {
  if (!base) return;
  request.labels.emplace(std::string(pipeline::kBaseDigestLabel), base->digest.text());
  const bool names_digest = base->name.find('@') != std::string::npos;
  if (!names_digest && !base->in_engine) {
    request.build_contexts.push_back(concat(base->name, "=docker-image://", base->name, "@", base->digest.text()));
  }
}

docker::BuildRequest build_request(const BuildInputs& in, docker::ImageBuilder& builder) {
  docker::BuildRequest request = build_request(in);
  use_base(request, find_base(in, builder));
  return request;
}

Result<LoggedBuild> build_logged(const docker::BuildRequest& request, const BuildInputs& in, const sys::Path& log,
                                 const BuildServices& svc) {
  CG_CHECK(svc.files.make_directories(in.workspace.state() / "builds"));
  LoggedBuild built;
  docker::CacheImport cache;
  const auto progress = [&](std::string_view line) {
    if (const auto reason = cache.add(line)) {
      built.unread_cache = *reason;
      warn_of_cache(in, request, *reason, svc.workflow);
    }
    if (svc.progress) svc.progress(neutralise(line));
  };
  auto outcome = run_logged_build(
      {.request = request, .timeout = in.configuration.build.timeout, .workspace = in.workspace, .log = log},
      svc.builder, svc.files, progress);
  if (!outcome) return fail(std::move(outcome).error().within(concat("build of cell ", in.cell.key)));
  built.outcome = *std::move(outcome);
  return built;
}

Result<Built> run_build(const BuildInputs& in, const BuildServices& svc) {
  CG_CHECK(check_sources(in, svc.files));
  CG_CHECK(withdraw_built(svc.files, in.workspace, in.cell.key));
  CG_CHECK(withdraw_evidence(svc.files, in.workspace, in.cell.key));
  CG_CHECK(withdraw_scan(svc.files, in.workspace, in.cell.key));
  warn_of_base(in, svc.workflow);
  auto base = find_base(in, svc.builder);
  docker::BuildRequest request = build_request(in);
  use_base(request, base);
  const sys::Path archive = request.archive.empty() ? sys::Path() : in.workspace.root / request.archive;
  auto logged = build_logged(request, in, build_log_file(in.cell.key), svc);
  if (!logged) {
    std::error_code ignored;
    if (!archive.empty()) std::filesystem::remove(archive, ignored);
    return fail(std::move(logged).error());
  }
  if (!archive.empty()) {
    CG_TRY(logged->outcome.image_id, load(in, archive, svc.engine));
  }
  Built built{.plan_id = in.plan.plan_id,
              .cell = in.cell.key,
              .image_id = logged->outcome.image_id,
              .duration_ms = logged->outcome.elapsed.count(),
              .base = std::move(base)};
  CG_CHECK(save_built(svc.files, in.workspace, built));
  return built;
}

}  // namespace crategate::stages
