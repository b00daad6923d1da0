#include "app/hand_over.h"

#include "base/log.h"
#include "base/strings.h"
#include "sys/cancel.h"

namespace crategate::app {
namespace {

Result<stages::HandOverServices> services(Application& app) {
  CG_TRY(auto expected, stages::parse_expected(app.invocation().artifact_digests));
  CG_TRY(actions::ArtifactStore* const store, app.artifacts());
  return stages::HandOverServices{.store = *store,
                                  .files = app.files(),
                                  .maker = app.maker(),
                                  .settings = app.configuration().artifact,
                                  .expected = std::move(expected)};
}

}  // namespace

Result<void> take(Application& app, const std::vector<stages::Bundle>& bundles) {
  if (!app.hands_over()) return {};
  CG_TRY(const auto svc, services(app));
  return stages::take(bundles, svc);
}

Result<void> give(Application& app, const stages::Bundle& bundle) {
  if (!app.hands_over() || app.invocation().dry_run) return {};
  CG_TRY(const auto svc, services(app));
  CG_CHECK(stages::give(bundle, svc));
  return {};
}

Result<void> give_bound(Application& app, const stages::Bundle& bundle) {
  CG_CHECK(give(app, bundle));
  if (!app.hands_over() || app.invocation().dry_run) return {};
  CG_TRY(const auto digest, stages::digest_of(bundle, app.files()));
  if (!digest) return {};
  return app.workflow().set_output("artifact_digest", concat(bundle.name, "=", digest->text()));
}

void give_always(Application& app, const stages::Bundle& bundle) {
  const sys::CancellationPause pause;
  if (sys::cancellation()) app.hurry_artifacts();
  if (app.artifacts_given_up()) return;
  const auto given = give(app, bundle);
  if (given) return;
  log::warning(concat("artifact ", bundle.name, " could not be uploaded: ", describe(given.error())));
  if (given.error().http || is_transient(given.error().code)) app.give_up_artifacts();
}

Result<void> give_all(Application& app, const pipeline::Plan& plan, bool succeeded) {
  const auto& workspace = app.workspace();
  std::vector<stages::Bundle> bundles = {stages::plan_bundle(workspace), stages::dockerfiles_bundle(workspace, plan)};
  for (const auto& cell : plan.cells) {
    bundles.push_back(stages::test_log_bundle(workspace, cell));
    bundles.push_back(stages::sarif_bundle(workspace, cell));
    bundles.push_back(stages::digest_bundle(workspace, cell));
  }
  if (plan.rebuild) bundles.push_back(stages::rebuilds_bundle(workspace, plan));
  bundles.push_back(stages::moves_bundle(workspace));
  bundles.push_back(stages::report_bundle(workspace));
  for (const auto& bundle : bundles) {
    if (succeeded) {
      CG_CHECK(give(app, bundle));
    } else {
      give_always(app, bundle);
    }
  }
  return {};
}

Result<void> withdraw(Application& app, const stages::Bundle& bundle) {
  if (!app.hands_over() || app.invocation().dry_run) return {};
  CG_TRY(const auto svc, services(app));
  return stages::withdraw(bundle, svc);
}

}  // namespace crategate::app
