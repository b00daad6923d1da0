#include "app/ci_image_commands.h"

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "app/ci_image_local.h"
#include "app/ci_image_section.h"
#include "app/github_place.h"
#include "base/log.h"
#include "base/strings.h"
#include "json/value.h"
#include "stages/resolve_image.h"
#include "stages/wait_image.h"

namespace crategate::app {
namespace {

json::Value document_of(const pipeline::CiImageDecision& decision) {
  return json::Value::object({{"tag", decision.tag},
                              {"modified", decision.modified},
                              {"validated", decision.validated},
                              {"reason", decision.reason}});
}

Result<void> show(const stages::ResolvedImage& resolved, Application& app) {
  CG_CHECK(stages::publish_image(resolved, app.workflow()));
  log::info(resolved.decision.reason);
  if (resolved.image.empty()) {
    const std::string text =
        concat(resolved.reference, " of ",
               resolved.decision.revision.empty() ? "this event" : concat("commit ", resolved.decision.revision),
               " is not there yet", resolved.login_hint.empty() ? "" : ". ", resolved.login_hint);
    resolved.login_hint.empty() ? log::info(text) : log::warning(text);
  }
  if (app.line().json) {
    app.console().document(document_of(resolved.decision).set("image", resolved.image).pretty());
  } else if (!resolved.image.empty()) {
    app.console().lines(concat(resolved.image, "\n"));
  }
  return {};
}

}  // namespace

Result<void> ci_image_resolve(Application& app) {
  CG_TRY(const auto* const settings, require_ci_image(app));
  CG_TRY(registry::HttpRegistry* const client, ci_image_registry(app, *settings));
  CG_TRY(const auto api, pull_request_api(app));
  CG_TRY(const auto resolved,
         stages::resolve_image(plan_inputs(app), app.plan_services(), *client, api ? &*api : nullptr));
  CG_CHECK(warn_of_local_change(app, resolved.reference));
  return show(resolved, app);
}

Result<void> ci_image_wait(Application& app) {
  CG_TRY(const auto* const settings, require_ci_image(app));
  CG_TRY(registry::HttpRegistry* const client, ci_image_registry(app, *settings));
  CG_TRY(const auto api, pull_request_api(app));
  std::unique_ptr<github::GitHubClient> asked;
  const auto services = app.plan_services();
  const std::function<Result<github::GitHubClient*>()> github = [&]() -> Result<github::GitHubClient*> {
    CG_TRY(asked, app.brief_github());
    return asked.get();
  };
  const std::function<void(std::string_view)> status = [](std::string_view line) { log::info(line); };
  CG_TRY(const auto resolved, stages::wait_for_image(plan_inputs(app), place_of(app),
                                                     {.plan = services,
                                                      .reader = *client,
                                                      .api = api ? &*api : nullptr,
                                                      .github = github,
                                                      .clock = app.clock(),
                                                      .status = status}));
  return show(resolved, app);
}

Result<void> ci_image_tags(Application& app) {
  CG_CHECK(require_ci_image(app));
  CG_TRY(const auto api, pull_request_api(app));
  CG_TRY(const auto decision, stages::decide_ci_image(plan_inputs(app), app.plan_services(), api ? &*api : nullptr));
  log::info(decision.reason);
  if (app.line().json) {
    app.console().document(document_of(decision).set("publishes", json::Value::array_of(decision.publish)).pretty());
    return {};
  }
  std::string text = concat("runs in    ", decision.tag, "\n");
  for (const auto& tag : decision.publish) text += concat("publishes  ", tag, "\n");
  app.console().lines(text);
  return {};
}

}  // namespace crategate::app
