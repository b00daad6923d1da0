// `crategate resolve-set`: reference → release set → one line for each image.
#include <optional>
#include <utility>

#include "app/commands.h"
#include "app/hand_over.h"
#include "base/strings.h"
#include "config/settings.h"
#include "json/value.h"
#include "pipeline/names.h"
#include "pipeline/release_set.h"
#include "stages/image_place.h"
#include "stages/plan.h"
#include "stages/workspace.h"

namespace crategate::app {
namespace {

/// What `release.set` names, wherever images go.
Result<std::string> configured_set(Application& app) {
  const std::string& pattern = app.configuration().release.set;
  if (pattern.empty()) {
    return fail(ErrorCode::bad_input, "resolve-set: expected REF, or release.set in the settings, found neither",
                "Write crategate resolve-set REGISTRY/REPOSITORY:TAG.");
  }
  if (pattern.find('{') != std::string::npos) {
    return fail(ErrorCode::bad_input,
                concat("resolve-set: expected REF, for release.set depends on the version, found ", quoted(pattern)),
                "Name the tag: crategate resolve-set REGISTRY/REPOSITORY:TAG.");
  }
  CG_TRY(auto destination, stages::parse_destination(app.invocation().to, false));
  if (destination.layout) {
    return fail(ErrorCode::bad_input,
                concat("resolve-set: expected REF for a layout, found --to ", quoted(app.invocation().to)),
                "Write crategate resolve-set oci:DIR:NAME.");
  }
  return pipeline::name_set(pattern, {.version = "0.0.0", .destination = std::move(destination)});
}

/// Where a plan is in force, the set that it will write, or has written: nullopt = there is no plan.
Result<std::optional<std::string>> planned_set(Application& app) {
  if (app.invocation().plan.empty()) {
    CG_CHECK(take(app, {stages::plan_bundle(app.workspace())}));
    CG_TRY(const auto text, stages::read_state(app.files(), app.workspace(), stages::kPlanFile));
    if (!text || text->empty()) return std::nullopt;
  }
  CG_TRY(const auto plan, plan_in_force(app));
  if (plan.release_set.empty()) {
    return fail(ErrorCode::bad_input,
                concat("resolve-set: expected REF, for the plan of ", plan.version, " makes no release set"),
                "Write crategate resolve-set REGISTRY/REPOSITORY:TAG, or plan again with release.set.");
  }
  if (!plan.layout) return plan.release_set;
  return concat("oci:", app.layout_directory(plan).string(), ":", plan.release_set);
}

json::Value document_of(const std::string& name, const oci::Digest& digest, const pipeline::ReleaseSet& set) {
  auto images = json::Value::array();
  for (const auto& entry : set.images) {
    images.push(json::Value::object({{"cell", entry.cell},
                                     {"repository", entry.image.repository.familiar()},
                                     {"tag", entry.image.tag.value_or("")},
                                     {"digest", entry.image.digest ? entry.image.digest->text() : std::string()},
                                     {"platform", entry.platform.text()}}));
  }
  return json::Value::object({{"set", name},
                              {"digest", digest.text()},
                              {"version", set.version},
                              {"revision", set.revision},
                              {"images", std::move(images)}});
}

}  // namespace

Result<void> resolve_set(Application& app) {
  const bool given = !app.line().positional.empty();
  std::string name = given ? app.line().positional.front() : std::string();
  if (!given) {
    CG_TRY(auto planned, planned_set(app));
    if (planned) {
      name = *std::move(planned);
    } else {
      CG_TRY(name, configured_set(app));
    }
  }
  CG_TRY(registry::HttpRegistry* const client, app.registry());
  CG_TRY(const auto place, stages::find_place(name, *client, *client, "latest", false));
  CG_TRY(const auto stored, place.reader->manifest(place.reference));
  if (!stored) {
    return fail(ErrorCode::not_found, concat(place.text(), ": expected a release set, found none"),
                "Check the name; it is there after the first release with release.set.");
  }
  CG_TRY(const auto set, pipeline::parse_release_set(stored->bytes, stored->descriptor.media_type, place.text()));
  if (app.line().json) {
    app.console().document(document_of(place.text(), stored->descriptor.digest, set).pretty());
    return {};
  }
  std::string text;
  for (const auto& entry : set.images) {
    const oci::Reference by_digest{entry.image.repository, std::nullopt, entry.image.digest};
    text += concat(replace_all(entry.cell, "\n", "\\n"), "  ", by_digest.familiar(), "\n");
  }
  app.console().lines(text);
  return {};
}

}  // namespace crategate::app
