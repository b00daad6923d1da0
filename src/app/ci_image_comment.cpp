#include "app/ci_image_comment.h"

#include "app/ci_image_section.h"
#include "app/github_place.h"
#include "base/log.h"
#include "base/strings.h"
#include "json/value.h"
#include "stages/comment.h"

namespace crategate::app {
namespace {

void print(Application& app, std::string_view outcome, const std::string& url, const std::string& text) {
  if (!app.line().json) return;
  app.console().document(json::Value::object({{"comment", outcome}, {"url", url}, {"text", text}}).pretty());
}

}  // namespace

Result<void> ci_image_comment(Application& app) {
  CG_TRY(const auto* const settings, require_ci_image(app));
  CG_TRY(registry::HttpRegistry* const registry, ci_image_registry(app, *settings));
  CG_TRY(const auto api, pull_request_api(app));
  CG_TRY(const auto comment,
         stages::prepare_comment(plan_inputs(app), app.plan_services(), *registry, api ? &*api : nullptr));
  log::info(comment.reason);
  if (comment.text.empty()) {
    log::info("no comment: only a pull request of this repository with an image of its own has one");
    print(app, "none", "", "");
    return {};
  }
  if (app.invocation().dry_run) {
    if (!app.line().json) app.console().lines(comment.text);
    print(app, "planned", "", comment.text);
    return {};
  }
  CG_TRY(const auto repository, repository_of(app));
  CG_TRY(github::CommentClient* const client, app.comments());
  CG_TRY(const auto posted, stages::post_comment(comment, repository, *client, app.workflow()));
  const std::string_view outcome = stages::to_string(posted.outcome);
  log::info(concat("comment on pull request ", comment.pull_request, ": ", outcome, posted.url.empty() ? "" : ", ",
                   posted.url));
  print(app, outcome, posted.url, comment.text);
  return {};
}

}  // namespace crategate::app
