#include "stages/apply_regen.h"

#include <utility>

#include "base/sha256.h"
#include "base/strings.h"
#include "stages/regen_tree.h"

namespace crategate::stages {
namespace {

constexpr std::uint64_t kLargestResult = 64u << 20;
constexpr std::string_view kBotName = "github-actions[bot]";
constexpr std::string_view kBotEmail = "41898282+github-actions[bot]@users.noreply.github.com";
constexpr std::string_view kAgain = "Comment /regen again.";

Result<void> require_same(std::string_view what, std::string_view expected, std::string_view found) {
  if (expected == found) return {};
  return fail(ErrorCode::integrity, concat("regen.json: ", what, ": expected ", expected, ", found ", quoted(found)),
              "The artifact was made for another request. Comment /regen again.");
}

/// That the patch is the one of this request.
Result<void> require_bound(const pipeline::RegenResult& result, const ApplyRegenInputs& in) {
  CG_CHECK(require_same("pull_request", std::to_string(in.target.pull_request), std::to_string(result.pull_request)));
  CG_CHECK(require_same("sha", in.target.sha, result.sha));
  return require_same("image", in.image, result.image);
}

std::string message_of(const config::Regen& settings) {
  const std::string message(trim(settings.message));
  if (!settings.sign_off) return concat(message, "\n");
  return concat(message, "\n\nSigned-off-by: ", kBotName, " <", kBotEmail, ">\n");
}

Failure moved(const ApplyRegenInputs& in, std::string_view place) {
  return fail(ErrorCode::conflict,
              concat("branch ", quoted(in.target.head_branch), " of ", place, ": expected ", in.target.sha,
                     ", found that it has moved on"),
              std::string(kAgain));
}

/// Every path of the resulting tree, for names that differ by case only.
Result<std::vector<std::string>> paths_of(git::TreeStore& store, const std::string& tree) {
  CG_TRY(const auto entries, store.entries(tree, kMostTreeFiles));
  std::vector<std::string> paths;
  paths.reserve(entries.size());
  for (const auto& entry : entries) paths.push_back(entry.path);
  return paths;
}

}  // namespace

Result<std::optional<RegenPatch>> read_regen_patch(const Workspace& workspace, const config::Regen& settings,
                                                   const sys::FileSystem& files) {
  CG_TRY(const auto text, files.read_below(workspace.state(), sys::Path(kRegenResultFile), kLargestResult));
  if (!text || text->empty()) return std::nullopt;
  RegenPatch patch;
  CG_TRY(patch.result, pipeline::parse_regen_result(*text, "regen.json", static_cast<std::size_t>(settings.max_files)));
  CG_TRY(auto bytes,
         files.read_below(workspace.state(), sys::Path(kRegenPatchFile), pipeline::largest_patch(settings)));
  patch.bytes = std::move(bytes).value_or(std::string());
  if (sha256_hex(patch.bytes) == patch.result.patch_sha256) return patch;
  return fail(ErrorCode::integrity,
              concat("regen.patch: expected the SHA-256 ", patch.result.patch_sha256, " of regen.json, found ",
                     sha256_hex(patch.bytes)),
              "Comment /regen again.");
}

Result<AppliedRegen> apply_regen(const RegenPatch& patch, const ApplyRegenInputs& in, const ApplyRegenServices& svc) {
  CG_CHECK(require_bound(patch.result, in));
  AppliedRegen applied;
  if (patch.bytes.empty() && !patch.result.changed()) return applied;
  // Facts
  CG_CHECK(svc.transfer.fetch(in.target.sha, concat("refs/pull/", in.target.pull_request, "/head")));
  CG_TRY(const auto store, svc.open(svc.transfer.repository()));
  CG_TRY(const auto before, store->tree_of(in.target.sha));
  CG_TRY(const auto after, store->apply(before, patch.bytes));
  CG_CHECK(require_same("tree", after, patch.result.tree));
  CG_TRY(const auto changes, store->changes(before, after));
  for (const auto& change : changes) applied.files.push_back({change.path, pipeline::kind_of(change)});
  // Decision
  CG_TRY(const auto paths, paths_of(*store, after));
  applied.findings = pipeline::judge_regen(changes, paths, in.settings, in.deciding);
  if (!applied.findings.empty() || changes.empty() || in.target.is_fork || in.dry_run) return applied;
  // Effects
  CG_TRY(auto commit, store->commit({.tree = after,
                                     .parent = in.target.sha,
                                     .message = message_of(in.settings),
                                     .author = {std::string(kBotName), std::string(kBotEmail)},
                                     .seconds = in.seconds}));
  CG_TRY(const bool pushed, svc.transfer.push(commit, concat("refs/heads/", in.target.head_branch), in.target.sha));
  if (!pushed) return moved(in, svc.transfer.place());
  applied.commit = std::move(commit);
  return applied;
}

}  // namespace crategate::stages
