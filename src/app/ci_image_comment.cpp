#include "app/ci_image_comment.h"

#include "actions/names.h"
#include "base/log.h"
#include "base/strings.h"
#include "json/value.h"
#include "stages/comment.h"

namespace crategate::app {
namespace {

Result<github::RepositoryName> repository_of(const Application& app) {
  const std::string text = app.environment().get(actions::kRepository).value_or("");
  if (!text.empty()) return github::RepositoryName::parse(text);
  return fail(ErrorCode::bad_input,
              concat(actions::kRepository, ": expected the repository of the pull request, found none"),
              "A runner sets it; elsewhere write GITHUB_REPOSITORY=OWNER/NAME in front, or --dry-run.");
}

void print(Application& app, std::string_view outcome, const std::string& url, const std::string& text) {
  if (!app.line().json) return;
  app.console().document(json::Value::object({{"comment", outcome}, {"url", url}, {"text", text}}).pretty());
}

}  // namespace

Result<void> ci_image_comment(Application& app) {
  const stages::PlanInputs in{.configuration = app.configuration(),
                              .invocation = app.invocation(),
                              .workspace = app.workspace(),
                              .destination = {},
                              .in_action = app.in_runner()};
  CG_TRY(registry::HttpRegistry* const registry, app.registry());
  CG_TRY(const auto comment, stages::prepare_comment(in, app.plan_services(), *registry));
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
