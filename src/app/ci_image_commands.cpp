#include "app/ci_image_commands.h"

#include "base/log.h"
#include "base/strings.h"
#include "json/value.h"
#include "stages/resolve_image.h"

namespace crategate::app {
namespace {

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

}  // namespace

Result<void> ci_image_resolve(Application& app) {
  CG_TRY(registry::HttpRegistry* const client, app.registry());
  CG_TRY(const auto resolved, stages::resolve_image(inputs_of(app), app.plan_services(), *client));
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
