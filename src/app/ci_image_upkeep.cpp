// ci-image load, prune.
#include <filesystem>
#include <memory>

#include "actions/names.h"
#include "app/ci_image_local.h"
#include "app/ci_image_section.h"
#include "base/log.h"
#include "base/strings.h"
#include "json/value.h"
#include "pipeline/ci_tags.h"
#include "stages/load_ci_image.h"
#include "stages/prune_ci_image.h"

namespace crategate::app {
namespace {

/// On a runner its variable says; elsewhere the remote.
Result<github::RepositoryName> repository_on_github(Application& app) {
  const std::string given = app.environment().get(actions::kRepository).value_or("");
  if (!given.empty()) return github::RepositoryName::parse(given);
  CG_TRY(const std::string origin, app.repository().remote_url());
  auto name = stages::repository_of_origin(origin, app.environment().get(actions::kServerUrl).value_or(""));
  if (name) return name;
  return fail(std::move(name).error().within("ci-image prune"));
}

/// GitHub's registry deletes nothing: there the package does.
Result<std::unique_ptr<stages::TagPlace>> place_of_tags(Application& app, const oci::Repository& repository) {
  CG_TRY(github::PackageClient* const packages, app.packages());
  CG_TRY(auto package, packages->container_package(repository));
  if (package) return std::make_unique<stages::PackageTags>(*std::move(package), *packages);
  CG_TRY(registry::HttpRegistry* const client, ci_image_registry(app, *app.configuration().ci_image));
  return std::make_unique<stages::RegistryTags>(repository, *client, *client);
}

json::Value document_of(const stages::Pruned& pruned, bool removed, const github::RepositoryName& asked) {
  auto kept = json::Value::array();
  for (const auto& [tag, reason] : pruned.kept) kept.push(json::Value::object({{"tag", tag}, {"reason", reason}}));
  return json::Value::object({{"repository", asked.text()},
                              {removed ? "removed" : "would_remove", json::Value::array_of(pruned.removed)},
                              {"kept", std::move(kept)},
                              {"open", json::Value::array_of(pruned.open)},
                              {"unknown", json::Value::array_of(pruned.unknown)}});
}

std::string text_of(const stages::Pruned& pruned, bool removed, const github::RepositoryName& asked,
                    const oci::Repository& repository) {
  std::string text = concat("asked         ", asked.text(), "\n");
  const auto add = [&](std::string_view what, const std::string& tag, const std::string& reason = {}) {
    text += concat(what, repository.familiar(), ":", tag, reason.empty() ? "" : concat("  (", reason, ")"), "\n");
  };
  for (const auto& tag : pruned.removed) add(removed ? "removed       " : "would remove  ", tag);
  for (const auto& [tag, reason] : pruned.kept) add("kept          ", tag, reason);
  for (const auto& tag : pruned.open) add("open          ", tag);
  for (const auto& tag : pruned.unknown) add("unknown       ", tag);
  return text;
}

}  // namespace

Result<void> ci_image_load(Application& app) {
  CG_TRY(const auto* const settings, require_ci_image(app));
  CG_TRY(const auto repository, ci_image_repository(*settings));
  const auto& words = app.line().positional.empty() ? app.invocation().artifact.paths : app.line().positional;
  if (words.size() != 1 || words.front().empty()) {
    return fail(ErrorCode::bad_input,
                concat("ci-image load: expected one PATH, found ",
                       words.size() != 1 ? std::to_string(words.size()) : "an empty word"),
                "Write `crategate ci-image load FOLDER`, the folder of the downloaded artifact ci-image; in a workflow "
                "`with: {stage: load-ci-image, artifact-path: FOLDER}`.");
  }
  // A word of the command line is a place of whoever typed it, an input one of the checkout.
  const sys::Path from =
      app.line().positional.empty() ? app.workspace().root / words.front() : std::filesystem::absolute(words.front());
  if (app.invocation().dry_run) {
    std::error_code ignored;
    if (!std::filesystem::exists(from, ignored))
      return fail(ErrorCode::not_found,
                  concat("ci-image load: expected an OCI layout, found nothing at ", quoted(from.string())));
    show_dry_run(app, {concat("load ", from.string(), " as ", repository.familiar(), ":", pipeline::kForkTag)});
    return {};
  }
  CG_TRY(docker::Engine* const engine, app.engine());
  CG_TRY(
      const auto loaded,
      stages::load_ci_image(
          {.settings = *settings, .workspace = app.workspace(), .from = from, .architecture = machine_architecture()},
          *engine, app.files()));
  CG_CHECK(app.workflow().set_output("image", loaded.name));
  CG_CHECK(app.workflow().set_output("digest", loaded.digest.text()));
  if (app.line().json) {
    app.console().document(json::Value::object({{"image", loaded.name}, {"digest", loaded.digest.text()}}).pretty());
  } else {
    app.console().lines(concat(loaded.name, "  ", loaded.digest.text(), "\n"));
  }
  return {};
}

Result<void> ci_image_prune(Application& app) {
  CG_TRY(const auto* const settings, require_ci_image(app));
  CG_TRY(const auto repository, ci_image_repository(*settings));
  CG_TRY(const auto name, repository_on_github(app));
  CG_TRY(github::GitHubClient* const github, app.github());
  CG_TRY(const auto place, place_of_tags(app, repository));
  const bool dry = app.invocation().dry_run, remove = app.line().yes && !dry;
  const auto is_closed = [&](std::int64_t number) -> Result<bool> {
    CG_TRY(const auto found, github->pull_request(name, number));
    return found.state == "closed";
  };
  CG_TRY(const auto pruned, stages::prune_ci_image(*place, remove, is_closed));
  if (!pruned.hint.empty())
    log::warning(concat(name.text(), ": GitHub knows none of these pull requests: ", pruned.hint));
  if (app.line().json) {
    app.console().document(document_of(pruned, remove, name).pretty());
  } else {
    app.console().lines(text_of(pruned, remove, name, repository));
  }
  if (remove || pruned.removed.empty()) return {};
  log::info(concat("nothing was removed: ", dry ? "this is a dry run" : "--yes removes them"));
  return {};
}

}  // namespace crategate::app
