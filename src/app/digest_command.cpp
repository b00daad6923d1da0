// digest: the evidence of a cell, or the values of any image.
#include "app/cell_pipeline.h"
#include "app/commands.h"
#include "app/hand_over.h"
#include "base/strings.h"
#include "json/value.h"
#include "stages/digest.h"
#include "stages/inspect.h"

namespace crategate::app {
namespace {

/// `digest --image`: no plan, no record; just the values.
Result<void> digest_of_image(Application& app) {
  CG_TRY(registry::HttpRegistry* const client, app.registry());
  CG_TRY(const auto evidence, stages::inspect_image({.image = app.invocation().image,
                                                     .platform = app.configuration().build.platforms.front(),
                                                     .ignore_labels = app.configuration().gate.ignore_labels,
                                                     .quick = app.line().quick},
                                                    {.engine = [&app] { return app.engine(); }, .registry = *client}));
  const auto text = [](const std::optional<oci::Digest>& digest) { return digest ? digest->text() : std::string(); };
  const std::string config = text(evidence.config_digest), manifest = text(evidence.manifest_digest);
  if (app.line().json) {
    app.console().document(json::Value::object({{"layer_text", evidence.layer_text},
                                                {"fingerprint", evidence.fingerprint},
                                                {"config_digest", config},
                                                {"manifest_digest", manifest}})
                               .pretty());
    return {};
  }
  app.console().result(concat(
      evidence.layer_text, "  layer text (docker inspect .RootFS.Layers)\n", evidence.fingerprint, "  fingerprint\n",
      config.empty() ? "" : concat(config, "  config\n"), manifest.empty() ? "" : concat(manifest, "  manifest\n")));
  return {};
}

}  // namespace

Result<void> digest(Application& app) {
  if (!app.invocation().image.empty()) return digest_of_image(app);
  if (app.line().quick) {
    return fail(ErrorCode::bad_input, "--quick: expected --image docker:NAME, found no image",
                "Evidence of a cell is never taken from a description; leave --quick out.");
  }
  CG_TRY(const auto plan, plan_in_force(app));
  CG_TRY(const auto cell, chosen_cell(app, plan));
  CG_TRY(const auto facts, read_run_facts(app, plan));
  if (app.invocation().dry_run) {
    app.console().lines(plan.policy.candidate ? concat("PUT ", cell.candidate, "@sha256:<tested>\n")
                                              : "no candidate is stored by this policy\n");
    return {};
  }
  CG_TRY(Secret key, signing_key(app, plan));
  CG_TRY(docker::Engine* const engine, app.engine());
  CG_TRY(const auto store, app.store(plan));
  CG_TRY(const auto record, stages::run_digest({.configuration = app.configuration(),
                                                .plan = plan,
                                                .cell = cell,
                                                .workspace = app.workspace(),
                                                .run = facts.run,
                                                .attempt = facts.attempt,
                                                .key = std::move(key)},
                                               {.files = app.files(),
                                                .clock = app.clock(),
                                                .engine = *engine,
                                                .writer = plan.policy.candidate ? store.writer : nullptr}));
  CG_CHECK(give(app, stages::digest_bundle(app.workspace(), cell)));
  CG_CHECK(app.workflow().set_output("digest", record.manifest_digest.text()));
  CG_CHECK(app.workflow().set_output("fingerprint", record.fingerprint));
  if (app.line().json) {
    app.console().document(pipeline::to_json(record));
  } else {
    app.console().result(concat(record.layer_text, "  digest-", cell.key, ".txt\n", record.fingerprint,
                                "  fingerprint\n", record.config_digest.text(), "  config\n",
                                record.manifest_digest.text(), "  manifest\n"));
  }
  return {};
}

}  // namespace crategate::app
