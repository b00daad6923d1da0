// The plan of an invocation: the one in force, or a new one with what registries say of its bases.
#include <filesystem>

#include "app/commands.h"
#include "app/hand_over.h"
#include "pipeline/agreement.h"
#include "stages/base_watch.h"
#include "stages/plan.h"

namespace crategate::app {
namespace {

/// A layout that is not there yet has no images, and is not made. Where a base cannot be found out, the build says so.
Result<void> look_at_bases(Application& app, pipeline::Plan& plan) {
  CG_TRY(const auto bases, app.brief_registry());
  registry::RegistryReader* images = nullptr;
  std::error_code failed;
  if (!plan.layout || std::filesystem::exists(app.layout_directory(plan) / "oci-layout", failed)) {
    CG_TRY(const auto store, app.store(plan));
    images = store.reader;
  }
  return stages::look_at_bases(plan, app.configuration(), images, *bases);
}

}  // namespace

Result<pipeline::Plan> plan_in_force(Application& app) {
  CG_CHECK(config::require_project(app.loaded()));
  if (app.invocation().plan.empty()) CG_CHECK(take(app, {stages::plan_bundle(app.workspace())}));
  CG_TRY(auto plan, stages::load_plan(app.files(), app.workspace(), app.invocation().plan));
  CG_CHECK(pipeline::require_agreement(plan, app.loaded()));
  return plan;
}

Result<pipeline::Cell> chosen_cell(const Application& app, const pipeline::Plan& plan) {
  return stages::find_cell(plan, app.invocation().cell, app.invocation().only);
}

Result<pipeline::Plan> make_plan(Application& app, bool layout_by_default) {
  CG_CHECK(config::require_project(app.loaded()));
  CG_TRY(const auto destination, stages::parse_destination(app.invocation().to, layout_by_default));
  CG_TRY(auto plan, stages::make_plan({.configuration = app.configuration(),
                                       .invocation = app.invocation(),
                                       .workspace = app.workspace(),
                                       .destination = destination,
                                       .in_action = app.in_runner()},
                                      app.plan_services()));
  // In jobs each cell would ask for itself, minutes apart (A90); in one process the first build asks for all.
  if (plan.policy.watch_base || (app.in_runner() && plan.policy.push)) CG_CHECK(look_at_bases(app, plan));
  if (plan.policy.push) CG_CHECK(app.check_lease());
  return plan;
}

}  // namespace crategate::app
