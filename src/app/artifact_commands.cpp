#include "app/artifact_commands.h"

#include <algorithm>

#include "actions/names.h"
#include "app/repository_page.h"
#include "base/log.h"
#include "base/strings.h"
#include "json/value.h"
#include "stages/artifact.h"

namespace crategate::app {
namespace {

/// The words of the command line say what the options --name and --path say.
Result<config::ArtifactRequest> request_of(const Application& app) {
  config::ArtifactRequest request = app.invocation().artifact;
  const auto& words = app.line().positional;
  if (words.empty()) return request;
  if (std::ranges::find(words, "") != words.end())
    return fail(ErrorCode::bad_input, concat(app.line().command, ": expected words, found an empty one"),
                "Is a variable empty? Leave the word out to mean everything.");
  if (!request.name.empty() || (words.size() > 1 && !request.paths.empty())) {
    return fail(ErrorCode::bad_input,
                concat(app.line().command, ": expected the ", request.name.empty() ? "paths" : "name",
                       " once, found as option and as ", quote(request.name.empty() ? words[1] : words.front())),
                "Give it one way.");
  }
  request.name = words.front();
  request.paths.insert(request.paths.end(), words.begin() + 1, words.end());
  return request;
}

Result<std::int64_t> run_number(const std::string& text) {
  const auto number = parse_unsigned(text);
  if (number && *number > 0 && *number < (std::uint64_t{1} << 53)) return static_cast<std::int64_t>(*number);
  return fail(ErrorCode::bad_input, concat("--run-id: expected the number of a workflow run, found ", quote(text)),
              "It is the number in the run's address, …/actions/runs/NUMBER.");
}

actions::Artifact artifact_of(const github::RunArtifact& known) {
  return {.name = known.name,
          .id = known.id,
          .size = known.size,
          .digest = known.digest ? known.digest->text() : std::string(),
          .created_at = known.created_at,
          .run_backend_id = {},
          .job_backend_id = {}};
}

/// Through GitHub's API: the runner's service knows this run only.
Result<stages::ArtifactSource> other_run(Application& app, const config::ArtifactRequest& request) {
  const std::string text =
      request.repository.empty() ? app.environment().get(actions::kRepository).value_or("") : request.repository;
  if (text.empty() || request.run_id.empty()) {
    return fail(ErrorCode::bad_input,
                concat("artifacts of another run: expected --repository and --run-id, found no ",
                       text.empty() ? "--repository" : "--run-id"),
                "Write --repository OWNER/NAME --run-id NUMBER.");
  }
  CG_TRY(const auto repository, github::RepositoryName::parse(text));
  CG_TRY(const auto run, run_number(request.run_id));
  CG_TRY(github::GitHubClient* const github, app.github());
  const auto known = std::make_shared<std::vector<github::RunArtifact>>();
  return stages::ArtifactSource{
      .list = [=](const std::string& name) -> Result<std::vector<actions::Artifact>> {
        CG_TRY(*known, github->run_artifacts(repository, run, name));
        std::vector<actions::Artifact> artifacts;
        for (const auto& artifact : *known) artifacts.push_back(artifact_of(artifact));
        return artifacts;
      },
      .download = [=](const actions::Artifact& wanted, const net::BodySink& sink) -> Result<stages::Fetched> {
        const auto found = std::ranges::find(*known, wanted.id, &github::RunArtifact::id);
        if (found == known->end()) return fail(ErrorCode::internal, "an artifact that was not listed");
        CG_TRY(auto downloaded, github->artifact_archive(repository, *found, sink));
        return stages::Fetched{std::move(downloaded.content_type), found->digest.has_value()};
      }};
}

Result<stages::ArtifactSource> source_of(Application& app, const config::ArtifactRequest& request) {
  if (!request.repository.empty() || !request.run_id.empty()) return other_run(app, request);
  CG_TRY(actions::ArtifactStore* const store, app.artifacts());
  return stages::ArtifactSource{
      .list =
          [store](const std::string& name) { return store->list(name.empty() ? std::nullopt : std::optional(name)); },
      .download = [store](const actions::Artifact& wanted, const net::BodySink& sink) -> Result<stages::Fetched> {
        CG_TRY(auto downloaded, store->download(wanted, sink));
        return stages::Fetched{std::move(downloaded.content_type), downloaded.digest_checked};
      }};
}

stages::ArtifactInputs inputs_of(const Application& app, const config::ArtifactRequest& request) {
  return {.request = request,
          .settings = app.configuration().artifact,
          .directory = app.workspace().root,
          .leave_out = (app.workspace().state_name / stages::kArtifactsDirectory).string(),
          .list_only = app.invocation().dry_run};
}

std::string plural(std::size_t count) { return concat(count, count == 1 ? " file" : " files"); }

json::Value json_of(const actions::Artifact& artifact) {
  return json::Value::object({{"name", artifact.name},
                              {"id", artifact.id},
                              {"size", artifact.size ? json::Value(*artifact.size) : json::Value()},
                              {"digest", artifact.digest},
                              {"created_at", artifact.created_at}});
}

std::string web_address(const Application& app, const actions::Artifact& artifact) {
  const std::string page = repository_page(app.environment());
  if (app.run_id().empty() || page.empty()) return {};
  return concat(page, "/actions/runs/", app.run_id(), "/artifacts/", artifact.id);
}

}  // namespace

Result<void> artifact_upload(Application& app) {
  CG_TRY(const auto request, request_of(app));
  CG_TRY(actions::ArtifactStore* const store, app.artifacts());
  CG_TRY(const auto outcome, stages::run_artifact_upload(inputs_of(app, request), *store, app.maker()));
  if (app.invocation().dry_run) {
    app.console().result(concat("would upload ", plural(outcome.files), " as ", request.name, "\n"));
    return {};
  }
  if (!outcome.uploaded) {
    const std::string text = concat("artifact ", quote(request.name), ": no files found; nothing was uploaded");
    if (request.if_no_files_found == "warn") {
      log::warning(text);
      app.workflow().annotate(
          {.severity = actions::Severity::warning, .title = "crategate artifact", .message = text, .location = {}});
    }
    return {};
  }
  CG_CHECK(app.workflow().set_output("artifact-id", std::to_string(outcome.artifact.id)));
  CG_CHECK(app.workflow().set_output("artifact-url", web_address(app, outcome.artifact)));
  CG_CHECK(app.workflow().set_output("artifact-digest", outcome.artifact.digest));
  if (app.line().json) {
    app.console().document(json_of(outcome.artifact).pretty());
  } else {
    app.console().result(concat("uploaded ", outcome.artifact.name, ": ", plural(outcome.files), ", ",
                                format_bytes(outcome.content), " in ", format_bytes(outcome.artifact.size.value_or(0)),
                                ", ", outcome.artifact.digest, "\n"));
  }
  return {};
}

Result<void> artifact_download(Application& app) {
  CG_TRY(const auto request, request_of(app));
  CG_TRY(const auto source, source_of(app, request));
  CG_TRY(const auto downloaded, stages::run_artifact_download(inputs_of(app, request), source, app.files()));
  auto rows = json::Value::array();
  for (const auto& one : downloaded) {
    rows.push(json_of(one.artifact).set("path", one.folder.string()).set("digest_checked", one.digest_checked));
    if (app.line().json) continue;
    app.console().result(concat("downloaded ", neutralise(one.artifact.name), ": ", plural(one.files), ", ",
                                format_bytes(one.content), ", to ", one.folder.string(),
                                one.digest_checked ? "" : " (the store has no digest to compare with)", "\n"));
  }
  if (app.line().json) app.console().document(rows.pretty());
  if (downloaded.empty())
    log::info(app.invocation().dry_run ? "a dry run downloads nothing" : "this run has no artifacts yet");
  const sys::Path folder = request.paths.empty() ? app.workspace().root : app.workspace().root / request.paths.front();
  return app.workflow().set_output("download-path", folder.string());
}

Result<void> artifact_list(Application& app) {
  CG_TRY(const auto request, request_of(app));
  CG_TRY(const auto source, source_of(app, request));
  CG_TRY(const auto artifacts, stages::find_artifacts(request, source));
  if (app.line().json) {
    auto rows = json::Value::array();
    for (const auto& artifact : artifacts) rows.push(json_of(artifact));
    app.console().document(rows.pretty());
    return {};
  }
  const auto size_of = [](const actions::Artifact& artifact) {
    return artifact.size ? format_bytes(*artifact.size) : std::string("?");
  };
  const auto pad = [](std::size_t width, std::size_t used) { return std::string(width - used + 2, ' '); };
  std::size_t names = 0, sizes = 0;
  for (const auto& artifact : artifacts) {
    names = std::max(names, neutralise(artifact.name).size());
    sizes = std::max(sizes, size_of(artifact).size());
  }
  std::string text;
  for (const auto& artifact : artifacts) {
    const std::string name = neutralise(artifact.name), size = size_of(artifact);
    text += concat(name, pad(names, name.size()), size, pad(sizes, size.size()), neutralise(artifact.created_at), "  ",
                   artifact.digest, "\n");
  }
  const bool asked = !request.name.empty() || !request.pattern.empty();
  if (text.empty() && asked)
    text = concat("no artifact ", quote(request.name.empty() ? request.pattern : request.name), "\n");
  app.console().result(text.empty() ? "no artifacts\n" : text);
  return {};
}

}  // namespace crategate::app
