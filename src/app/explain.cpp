// explain: the settings in force and their origin, or the policy of an event.
#include "app/commands.h"
#include "base/strings.h"
#include "json/value.h"
#include "render/decisions.h"

namespace crategate::app {
namespace {

Result<void> explain_policy(Application& app) {
  CG_TRY(const auto plan, make_plan(app, false));
  if (app.line().json) {
    app.console().document(render::policy_json(plan.policy));
  } else {
    app.console().result(render::policy_table(plan.policy));
  }
  return {};
}

std::string shown(const config::InForce& row) { return row.value.empty() ? "(none)" : row.value; }

}  // namespace

Result<void> explain(Application& app) {
  const auto& words = app.line().positional;
  if (!words.empty() && words.front() == "policy") return explain_policy(app);
  std::string text;
  auto document = json::Value::object();
  std::vector<std::string> names;
  for (const auto& row : app.loaded().in_force) {
    const std::string name(row.setting->name);
    names.push_back(name);
    const std::string option = config::option_name(*row.setting);
    if (!words.empty() && words.front() != name && words.front() != option) continue;
    text += concat(name, " = ", shown(row), "   [", row.origin.text(), "]\n");
    if (!words.empty()) text += concat("  ", row.setting->description, " Option --", option, ".\n");
    document.set(name, json::Value::object({{"value", row.value}, {"origin", row.origin.text()}}));
  }
  if (text.empty()) {
    const auto near = nearest(words.front(), names);
    return fail(ErrorCode::bad_input, concat("explain: expected a setting or `policy`, found ", quote(words.front())),
                near ? concat("Did you mean ", *near, "?") : "`crategate explain` lists every setting.");
  }
  app.line().json ? app.console().document(document.pretty()) : app.console().lines(text);
  return {};
}

}  // namespace crategate::app
