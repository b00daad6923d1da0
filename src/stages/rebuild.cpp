// rebuild: record → build request → archive → layout.
#include "stages/rebuild.h"

#include <filesystem>

#include "base/strings.h"
#include "layout/archive.h"
#include "layout/blob_file.h"
#include "layout/layer_content.h"
#include "layout/unpacked.h"
#include "stages/build_sources.h"
#include "sys/parallel.h"

namespace crategate::stages {
namespace {

constexpr std::size_t kReadersAtATime = 4;

/// What is in an image of the layout; nullopt = it is not there, or not whole.
Result<std::optional<pipeline::Rebuilt>> look_at(const layout::OciLayout& layout, const oci::Digest& manifest_digest) {
  CG_TRY(const auto stored, layout.find(manifest_digest));
  if (!stored) return std::nullopt;
  CG_TRY(const auto manifest, oci::parse_manifest(stored->bytes, stored->descriptor.media_type));
  CG_TRY(const auto bytes, layout.read_blob(manifest.config.digest));
  if (!bytes) return std::nullopt;
  CG_TRY(const auto config, oci::parse_image_config(*bytes));
  std::vector<oci::Digest> diff_ids;
  for (const auto& layer : manifest.layers) {
    CG_TRY(const bool there, layout.has_blob(layer.digest));
    if (!there) return std::nullopt;
    CG_TRY(auto source, layout.open_blob(layer));
    CG_TRY(const auto facts, layout::examine(layout::views_of(std::move(source))));
    diff_ids.push_back(facts.diff_id);
  }
  if (diff_ids != config.diff_ids) {
    return fail(ErrorCode::integrity, concat("rebuilt image ", manifest_digest.text(),
                                             ": expected the layers of its configuration, found others"));
  }
  CG_TRY(auto contents, layout::layer_contents(layout, manifest));
  return pipeline::Rebuilt{.plan_id = {},
                           .cell = {},
                           .manifest_digest = manifest_digest,
                           .config_digest = manifest.config.digest,
                           .contents = std::move(contents)};
}

/// Nothing builds again over what was changed here; whoever has looked at it takes it away.
Error damaged_here(Error error, const std::string& directory) {
  if (error.code == ErrorCode::integrity || error.code == ErrorCode::bad_input) {
    error.hint = concat("Find out what changed ", directory, "; then remove it, and run `crategate verify`.");
  }
  return error;
}

/// The archive that the builder wrote, into the layout.
Result<pipeline::Rebuilt> keep(const BuildInputs& in, const sys::Path& archive) {
  CG_TRY(auto layout, layout::OciLayout::open(in.workspace.state() / kRebuiltDirectory));
  CG_TRY(const auto source, layout::file_source(archive));
  CG_TRY(const auto image, layout::import_archive(source, in.cell.platform, layout));
  CG_TRY(auto rebuilt, look_at(layout, image.manifest.digest));
  if (!rebuilt) return fail(ErrorCode::internal, "the rebuilt image is not whole");
  rebuilt->plan_id = in.plan.plan_id;
  rebuilt->cell = in.cell.key;
  return *std::move(rebuilt);
}

/// What a cache that nobody could read would have brought was made anew, and differs for that alone.
Result<void> require_read_cache(const BuildInputs& in, const pipeline::Record& record, const pipeline::Rebuilt& rebuilt,
                                const std::string& why_not) {
  if (why_not.empty() || in.plan.rebuild != pipeline::Rebuild::strict) return {};
  if (rebuilt.config_digest == record.config_digest) return {};
  return fail(ErrorCode::unavailable,
              concat("rebuild of cell ", in.cell.key, ": expected the layers of the tested image in the cache ",
                     pipeline::rebuild_cache(in.plan, in.cell, in.run), ", found that it cannot be read (", why_not,
                     "); without them nobody can tell whether it is the same image"),
              "Run it again. A cache that is gone comes back when the cell is built and tested again; gate.rebuild: "
              "content needs none.");
}

}  // namespace

docker::BuildRequest rebuild_request(const BuildInputs& in, const pipeline::Record& record) {
  auto request = build_request(in);
  const bool same_base = record.base && record.base->name == in.cell.base;
  if (same_base) use_base(request, record.base);
  request.cache_to.clear();
  request.cache_from.clear();
  if (const auto cache = pipeline::rebuild_cache(in.plan, in.cell, in.run); !cache.empty()) {
    request.fresh = false;  // what was built freshly for its tests is in that cache
    request.cache_from.push_back({.reference = cache, .directory = {}});
    // Two cells that share a step brought each a layer of their own for it: one BuildKit would use one of them for both.
    request.isolated = !same_base || !record.base->in_engine;
  }
  return request;
}

Result<pipeline::Rebuilt> run_rebuild(const BuildInputs& in, const pipeline::Record& record, const BuildServices& svc) {
  CG_CHECK(check_sources(in, svc.files));
  CG_CHECK(withdraw_rebuild(svc.files, in.workspace, in.cell.key));
  const auto request = rebuild_request(in, record);
  const sys::Path archive = in.workspace.root / request.archive;
  const auto logged = build_logged(request, in, rebuild_log_file(in.cell.key), svc);
  auto rebuilt = logged ? keep(in, archive) : Result<pipeline::Rebuilt>(fail(logged.error()));
  std::error_code ignored;
  std::filesystem::remove(archive, ignored);
  if (!rebuilt) return fail(std::move(rebuilt).error().within(concat("rebuild of cell ", in.cell.key)));
  CG_CHECK(require_read_cache(in, record, *rebuilt, logged->unread_cache));
  rebuilt->duration_ms = logged->outcome.elapsed.count();
  CG_CHECK(write_state(svc.files, in.workspace, rebuilt_file(in.cell.key), pipeline::to_json(*rebuilt)));
  return rebuilt;
}

Result<void> withdraw_rebuild(sys::FileSystem& files, const Workspace& workspace, const std::string& cell) {
  return write_state(files, workspace, rebuilt_file(cell), "");
}

Result<pipeline::Rebuilds> load_rebuilds(const sys::FileSystem& files, const Workspace& workspace,
                                         const pipeline::Plan& plan) {
  pipeline::Rebuilds rebuilds;
  if (!plan.rebuild) return rebuilds;
  for (const auto& cell : plan.cells) {
    const sys::Path name = rebuilt_file(cell.key);
    CG_TRY(const auto text, read_state(files, workspace, name));
    if (!text || text->empty()) continue;
    CG_TRY(auto rebuilt, pipeline::parse_rebuilt(*text, (workspace.state_name / name).string()));
    if (rebuilt.plan_id == plan.plan_id && rebuilt.cell == cell.key) rebuilds.emplace(cell.key, std::move(rebuilt));
  }
  return rebuilds;
}

Result<pipeline::Rebuilds> prove_rebuilds(const Workspace& workspace, const pipeline::Rebuilds& rebuilds) {
  const sys::Path directory = workspace.state() / kRebuiltDirectory;
  if (rebuilds.empty() || !std::filesystem::exists(directory)) return pipeline::Rebuilds{};
  const std::string name = (workspace.state_name / kRebuiltDirectory).string();
  auto opened = layout::OciLayout::open(directory);
  if (!opened) return fail(damaged_here(std::move(opened).error(), name));
  const auto& layout = *opened;
  const std::vector<std::pair<std::string, pipeline::Rebuilt>> said(rebuilds.begin(), rebuilds.end());
  std::vector<std::optional<pipeline::Rebuilt>> seen(said.size());
  CG_CHECK(sys::for_each_parallel(said.size(), kReadersAtATime, [&](std::size_t i) -> Result<void> {
    auto found = look_at(layout, said[i].second.manifest_digest);
    if (!found) {
      return fail(damaged_here(std::move(found).error(), name).within(concat("rebuilt image of cell ", said[i].first)));
    }
    seen[i] = *std::move(found);
    return {};
  }));
  pipeline::Rebuilds proven;
  for (std::size_t i = 0; i < said.size(); ++i) {
    if (!seen[i]) continue;
    seen[i]->plan_id = said[i].second.plan_id;
    seen[i]->cell = said[i].first;
    proven.emplace(said[i].first, *std::move(seen[i]));
  }
  return proven;
}

}  // namespace crategate::stages
