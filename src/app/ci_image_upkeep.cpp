// ci-image load, prune.
#include <filesystem>

#include "actions/names.h"
#include "app/ci_image_local.h"
#include "base/log.h"
#include "base/strings.h"
#include "json/value.h"
#include "stages/load_ci_image.h"
#include "stages/prune_ci_image.h"

namespace crategate::app {
namespace {

Result<const config::CiImage*> require_section(const Application& app) {
  const auto& settings = app.configuration().ci_image;
  if (settings && !settings->image.empty()) return &*settings;
  return fail(ErrorCode::bad_input, "ci-image.image: expected a repository, found none",
              "docs/ci-image.md shows the three lines that crategate.yml needs.");
}

/// On a runner its variable says; elsewhere the remote.
Result<github::RepositoryName> repository_on_github(Application& app) {
  std::string text = app.environment().get(actions::kRepository).value_or("");
  if (text.empty()) {
    CG_TRY(const std::string url, app.repository().remote_url());
    const std::string_view path = url.ends_with(".git") ? std::string_view(url).substr(0, url.size() - 4) : url;
    const auto parts = split(replace_all(std::string(path), ":", "/"), '/');
    if (parts.size() >= 2) text = concat(parts[parts.size() - 2], "/", parts.back());
  }
  auto name = github::RepositoryName::parse(text);
  if (name) return name;
  return fail(ErrorCode::bad_input,
              concat("ci-image prune: expected the repository of the pull requests, found ", quote(text)),
              "Set GITHUB_REPOSITORY=OWNER/NAME, or run in a clone whose origin is on GitHub.");
}

}  // namespace

Result<void> ci_image_load(Application& app) {
  CG_TRY(const auto* const settings, require_section(app));
  const auto& words = app.line().positional.empty() ? app.invocation().artifact.paths : app.line().positional;
  if (words.size() != 1) {
    return fail(ErrorCode::bad_input, concat("ci-image load: expected one PATH, found ", words.size()),
                "Write `crategate ci-image load FOLDER`, the folder of the downloaded artifact ci-image; in a workflow "
                "`with: {stage: load-ci-image, artifact-path: FOLDER}`.");
  }
  // A word of the command line is a place of whoever typed it, an input one of the checkout.
  const sys::Path from =
      app.line().positional.empty() ? app.workspace().root / words.front() : std::filesystem::absolute(words.front());
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
  CG_TRY(const auto* const settings, require_section(app));
  auto repository = oci::parse_repository(settings->image);
  if (!repository) return fail(std::move(repository).error().within("ci-image.image"));
  CG_TRY(const auto name, repository_on_github(app));
  CG_TRY(github::GitHubClient* const github, app.github());
  CG_TRY(registry::HttpRegistry* const client, app.registry());
  const bool remove = app.line().yes && !app.invocation().dry_run;
  const auto is_closed = [&](std::int64_t number) -> Result<bool> {
    CG_TRY(const auto found, github->pull_request(name, number));
    return found.state == "closed";
  };
  CG_TRY(const auto pruned,
         stages::prune_ci_image(*repository, remove, {.reader = *client, .writer = *client, .is_closed = is_closed}));
  if (app.line().json) {
    app.console().document(json::Value::object({{"closed", json::Value::array_of(pruned.closed)},
                                                {"open", json::Value::array_of(pruned.open)},
                                                {"unknown", json::Value::array_of(pruned.unknown)},
                                                {"removed", static_cast<std::int64_t>(pruned.removed)}})
                               .pretty());
    return {};
  }
  std::string text;
  const auto add = [&](std::string_view what, const std::vector<std::string>& tags) {
    for (const auto& tag : tags) text += concat(what, repository->familiar(), ":", tag, "\n");
  };
  add(remove ? "removed       " : "would remove  ", pruned.closed);
  add("open          ", pruned.open);
  add("unknown       ", pruned.unknown);
  app.console().lines(text);
  if (!remove && !pruned.closed.empty()) log::info("nothing was removed: --yes removes them");
  return {};
}

}  // namespace crategate::app
