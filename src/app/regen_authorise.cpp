// ci-image regen-authorise.
#include "app/regen_commands.h"

#include <functional>
#include <memory>

#include "app/ci_image_section.h"
#include "app/github_place.h"
#include "base/log.h"
#include "base/strings.h"
#include "json/value.h"
#include "stages/authorise_regen.h"

namespace crategate::app {
namespace {

void show(const stages::AuthorisedRegen& authorised, Application& app) {
  log::info(concat(authorised.reason_id, ": ", authorised.reason));
  const std::string image = authorised.image ? authorised.image->image : std::string();
  const auto& target = authorised.verdict.target;
  if (app.line().json) {
    app.console().document(json::Value::object({{"authorised", authorised.accepted()},
                                                {"reason", authorised.reason_id},
                                                {"text", authorised.reason},
                                                {"pull_request", target.pull_request},
                                                {"sha", target.sha},
                                                {"head_ref", target.head_branch},
                                                {"fork", target.is_fork},
                                                {"image", image}})
                               .pretty());
  } else if (authorised.accepted()) {
    app.console().lines(concat(target.sha, "  ", image, "\n"));
  }
}

}  // namespace

Result<std::unique_ptr<stages::RegenAnswer>> regen_answer(Application& app, const github::RepositoryName& repository) {
  if (app.invocation().dry_run) {
    return std::make_unique<stages::PlannedRegenAnswer>([&app](std::string_view text) {
      if (!app.line().json) app.console().lines(text);
    });
  }
  CG_TRY(github::CommentClient* const comments, app.comments());
  CG_TRY(github::ReactionClient* const reactions, app.reactions());
  return std::make_unique<stages::GitHubRegenAnswer>(repository, *comments, *reactions, app.workflow());
}

Result<void> ci_image_regen_authorise(Application& app) {
  CG_TRY(const auto repository, repository_of(app));
  CG_TRY(const auto answer, regen_answer(app, repository));
  CG_TRY(registry::HttpRegistry* const registry, app.registry());
  CG_TRY(github::GitHubClient* const client, app.github());
  std::unique_ptr<github::GitHubClient> brief;
  const auto services = app.plan_services();
  const std::function<Result<github::GitHubClient*>()> github = [&]() -> Result<github::GitHubClient*> {
    CG_TRY(brief, app.brief_github());
    return brief.get();
  };
  const std::function<void(std::string_view)> status = [](std::string_view line) { log::info(line); };
  const stages::PullRequestApi api{*client, repository};
  const stages::WaitServices wait{
      .plan = services, .reader = *registry, .api = &api, .github = github, .clock = app.clock(), .status = status};
  CG_TRY(const auto authorised,
         stages::authorise_regen({.plan = plan_inputs(app), .place = place_of(app), .repository = repository},
                                 {.plan = services, .github = *client, .answer = *answer}, wait));
  show(authorised, app);
  if (!app.invocation().dry_run) CG_CHECK(stages::publish_authorised(authorised, app.workflow()));
  if (authorised.failure) return fail(*authorised.failure);
  return {};
}

}  // namespace crategate::app
