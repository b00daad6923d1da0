#include "app/ci_image_commands.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "actions/names.h"
#include "base/log.h"
#include "base/strings.h"
#include "json/value.h"
#include "stages/resolve_image.h"
#include "stages/wait_image.h"

namespace crategate::app {
namespace {

constexpr std::uint64_t kLargestNumber = (std::uint64_t{1} << 53) - 1;

stages::PlanInputs inputs_of(const Application& app) {
  return {.configuration = app.configuration(),
          .invocation = app.invocation(),
          .workspace = app.workspace(),
          .destination = {},
          .in_action = app.in_runner()};
}

json::Value document_of(const pipeline::CiImageDecision& decision) {
  return json::Value::object({{"tag", decision.tag},
                              {"modified", decision.modified},
                              {"validated", decision.validated},
                              {"reason", decision.reason}});
}

std::optional<std::int64_t> number_of(const Application& app, std::string_view variable) {
  const auto number = parse_unsigned(app.environment().get(variable).value_or(""));
  if (!number || *number > kLargestNumber) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

stages::WaitPlace place_of(const Application& app) {
  const auto variable = [&app](std::string_view name) { return app.environment().get(name).value_or(""); };
  stages::WaitPlace place{
      .repository = variable(actions::kRepository), .id = number_of(app, actions::kRepositoryId), .address = {}};
  const std::string server = variable(actions::kServerUrl);
  if (!server.empty()) place.address = concat(server, "/", place.repository);
  return place;
}

/// Nobody is asked without a token: what git tells is enough for most events.
Result<std::optional<stages::PullRequestApi>> pull_request_api(Application& app) {
  const auto repository = app.environment().get(actions::kRepository);
  if (!repository || repository->empty() || !app.has_github_token()) return std::nullopt;
  CG_TRY(auto name, github::RepositoryName::parse(*repository));
  CG_TRY(github::GitHubClient* const client, app.github());
  return stages::PullRequestApi{*client, std::move(name)};
}

Result<void> show(const stages::ResolvedImage& resolved, Application& app) {
  CG_CHECK(stages::publish_image(resolved, app.workflow()));
  log::info(resolved.decision.reason);
  if (resolved.image.empty()) {
    log::info(concat(resolved.reference, " of ",
                     resolved.decision.revision.empty() ? "this event" : concat("commit ", resolved.decision.revision),
                     " is not there yet"));
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
  CG_TRY(registry::HttpRegistry* const client, app.registry());
  CG_TRY(const auto api, pull_request_api(app));
  CG_TRY(const auto resolved,
         stages::resolve_image(inputs_of(app), app.plan_services(), *client, api ? &*api : nullptr));
  return show(resolved, app);
}

Result<void> ci_image_wait(Application& app) {
  CG_TRY(registry::HttpRegistry* const client, app.registry());
  std::unique_ptr<github::GitHubClient> asked;
  const auto services = app.plan_services();
  const std::function<Result<github::GitHubClient*>()> github = [&]() -> Result<github::GitHubClient*> {
    CG_TRY(asked, app.brief_github());
    return asked.get();
  };
  const std::function<void(std::string_view)> status = [](std::string_view line) { log::info(line); };
  CG_TRY(const auto resolved,
         stages::wait_for_image(
             inputs_of(app), place_of(app),
             {.plan = services, .reader = *client, .github = github, .clock = app.clock(), .status = status}));
  return show(resolved, app);
}

Result<void> ci_image_tags(Application& app) {
  CG_TRY(const auto decision, stages::decide_ci_image(inputs_of(app), app.plan_services()));
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
