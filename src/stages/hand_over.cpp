#include "stages/hand_over.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>

#include "actions/workflow.h"
#include "base/log.h"
#include "base/strings.h"
#include "pipeline/regen_result.h"
#include "stages/artifact_archive.h"
#include "zip/inflate.h"

namespace crategate::stages {
namespace {

constexpr std::uint64_t kLargestPiece = (64u << 20) + (64u << 10);  // a log of the largest size, and its last line
constexpr std::size_t kTakers = 8;
constexpr std::string_view kTakenHint =
    "Let one job of an attempt do this stage, once; a re-run of the job replaces what its earlier attempt left.";
/// A log is never taken. What may be in memory is bounded by sizes: files of equal lines are no bomb.
zip::Limits limits_of(const Bundle& bundle) {
  return {.archive = 2 * bundle.largest,
          .members = 1000,
          .member = bundle.largest,
          .total = 4 * bundle.largest,
          .ratio_from = bundle.largest};
}

Piece in_state(const Workspace& workspace, const sys::Path& file) {
  return {.member = file.filename().string(), .root = workspace.state(), .file = file};
}

Result<std::optional<std::string>> read_piece(const Bundle& bundle, const Piece& piece, const sys::FileSystem& files) {
  return files.read_below(piece.root, piece.file, std::max(kLargestPiece, bundle.largest));
}

Result<std::vector<zip::Member>> members_of(const Bundle& bundle, const sys::FileSystem& files) {
  std::vector<zip::Member> members;
  for (const auto& piece : bundle.pieces) {
    CG_TRY(auto bytes, read_piece(bundle, piece, files));
    if (!bytes || bytes->empty()) continue;
    members.push_back({.name = piece.member, .kind = zip::Member::Kind::text, .content = *std::move(bytes)});
  }
  return members;
}

/// One number for names and bytes: neither can be read as the other.
oci::Digest digest_of(const std::vector<zip::Member>& members) {
  std::string text;
  for (const auto& member : members) {
    text += concat(member.name.size(), ":", member.name, " ", oci::Digest::of(member.content).text(), "\n");
  }
  return oci::Digest::of(text);
}

Error not_expected(const oci::Digest& expected, std::string_view found) {
  return {ErrorCode::integrity, concat("expected ", expected.text(), ", as the job that made it says, found ", found),
          "Another job of this run has replaced it. Find out which; then run all jobs again."};
}

/// What the archive has of the bundle's files.
Result<std::vector<zip::Member>> read_members(const Bundle& bundle, const LocalArchive& archive) {
  std::vector<zip::Member> members;
  for (const auto& piece : bundle.pieces) {
    CG_TRY(auto bytes, zip::read_member(archive.path(), piece.member, limits_of(bundle)));
    if (bytes) members.push_back({.name = piece.member, .kind = zip::Member::Kind::text, .content = *std::move(bytes)});
  }
  return members;
}

Result<void> require_expected(const Bundle& bundle, const std::vector<zip::Member>& members,
                              const ExpectedBundles& expected) {
  const auto wanted = expected.find(bundle.name);
  if (wanted == expected.end()) return {};
  const auto found = digest_of(members);
  if (found == wanted->second) return {};
  return fail(not_expected(wanted->second, found.text()));
}

Result<void> empty(const Bundle& bundle, const Piece& piece, sys::FileSystem& files) {
  CG_TRY(const auto present, read_piece(bundle, piece, files));
  if (!present || present->empty()) return {};
  log::warning(concat(piece.file.string(), ": left from another run; no job of this one has given it"));
  return files.write_below(piece.root, piece.file, "");
}

Result<void> take_one(const Bundle& bundle, const actions::Artifact& artifact, const HandOverServices& svc) {
  CG_TRY(const auto archive, LocalArchive::fetch(
                                 [&](const net::BodySink& sink) -> Result<void> {
                                   CG_CHECK(svc.store.download(artifact, sink));
                                   return {};
                                 },
                                 2 * bundle.largest, svc.files));
  CG_TRY(const auto members, read_members(bundle, archive));
  CG_CHECK(require_expected(bundle, members, svc.expected));
  for (const auto& piece : bundle.pieces) {
    const auto member = std::ranges::find(members, piece.member, &zip::Member::name);
    if (member == members.end() && bundle.only_given) CG_CHECK(empty(bundle, piece, svc.files));
    if (member == members.end()) continue;
    CG_CHECK(svc.files.make_directories(piece.root));
    CG_CHECK(svc.files.write_below(piece.root, piece.file, member->content));
  }
  log::debug(concat("took artifact ", artifact.name, " (id ", artifact.id, ")"));
  return {};
}

struct Found {
  const Bundle* bundle;
  const actions::Artifact* artifact;
};

/// Newest first is the store's order: the first of a name is the one that counts.
std::vector<Found> find_bundles(const std::vector<Bundle>& bundles, const std::vector<actions::Artifact>& artifacts) {
  std::vector<Found> found;
  for (const auto& bundle : bundles) {
    const auto at = std::ranges::find(artifacts, bundle.name, &actions::Artifact::name);
    if (at != artifacts.end()) found.push_back({&bundle, &*at});
  }
  return found;
}

}  // namespace

Bundle plan_bundle(const Workspace& workspace) {
  return {.name = "crategate-plan", .pieces = {in_state(workspace, kPlanFile)}, .only_given = true};
}

Bundle dockerfiles_bundle(const Workspace& workspace, const pipeline::Plan& plan) {
  Bundle bundle{.name = "generated-dockerfiles", .pieces = {}};
  for (const auto& cell : plan.cells)
    bundle.pieces.push_back({.member = cell.dockerfile, .root = workspace.root, .file = cell.dockerfile});
  return bundle;
}

Bundle test_log_bundle(const Workspace& workspace, const pipeline::Cell& cell) {
  Bundle bundle{.name = concat("test-logs-", cell.key), .pieces = {}};
  const sys::Path log = cell.log;
  if (!log.empty()) bundle.pieces = {{.member = log.filename().string(), .root = workspace.root, .file = log}};
  return bundle;
}

Bundle sarif_bundle(const Workspace& workspace, const pipeline::Cell& cell) {
  return {.name = concat("sarif-", cell.key),
          .pieces = {in_state(workspace, sarif_file(cell.key)), in_state(workspace, scan_file(cell.key)),
                     in_state(workspace, scan_report_file(cell.key))}};
}

Bundle digest_bundle(const Workspace& workspace, const pipeline::Cell& cell) {
  return {.name = concat("digest-", cell.key),
          .pieces = {in_state(workspace, digest_file(cell.key)), in_state(workspace, record_file(cell.key))},
          .only_given = true};
}

Bundle rebuilds_bundle(const Workspace& workspace, const pipeline::Plan& plan) {
  Bundle bundle{.name = "crategate-rebuilds", .pieces = {}, .grows = true};
  for (const auto& cell : plan.cells) bundle.pieces.push_back(in_state(workspace, rebuilt_file(cell.key)));
  return bundle;
}

Bundle moves_bundle(const Workspace& workspace) {
  return {.name = "crategate-moves", .pieces = {in_state(workspace, kMovesFile)}, .grows = true};
}

Bundle report_bundle(const Workspace& workspace) {
  return {.name = "crategate-report",
          .pieces = {in_state(workspace, kReleaseFile), in_state(workspace, actions::kSummaryFile)},
          .grows = true};
}

Bundle regen_bundle(const Workspace& workspace, const config::Regen& settings) {
  return {.name = "regen",
          .pieces = {in_state(workspace, kRegenResultFile), in_state(workspace, kRegenPatchFile)},
          .largest = pipeline::largest_patch(settings),
          .only_given = true};
}

Result<ExpectedBundles> parse_expected(const std::vector<std::string>& items) {
  ExpectedBundles expected;
  for (const auto& item : items) {
    const auto equals = item.find('=');
    auto digest = oci::Digest::parse(item.substr(equals + 1));
    if (!digest) return fail(std::move(digest).error().within("artifact-digests"));
    expected.insert_or_assign(item.substr(0, equals), *std::move(digest));
  }
  return expected;
}

Result<std::optional<oci::Digest>> digest_of(const Bundle& bundle, const sys::FileSystem& files) {
  CG_TRY(const auto members, members_of(bundle, files));
  if (members.empty()) return std::nullopt;
  return digest_of(members);
}

Result<bool> give(const Bundle& bundle, const HandOverServices& svc) {
  CG_TRY(auto members, members_of(bundle, svc.files));
  if (members.empty()) return false;
  CG_TRY(const auto uploaded, upload_archive({.name = bundle.name,
                                              .members = std::move(members),
                                              .compression_level = svc.settings.compression_level,
                                              .retention_days = svc.settings.retention_days,
                                              .overwrite = bundle.grows,
                                              .repeatable = true,
                                              .taken_hint = std::string(kTakenHint)},
                                             svc.store, svc.maker));
  log::info(concat("artifact ", bundle.name, ": ", uploaded.members, uploaded.members == 1 ? " file, " : " files, ",
                   format_bytes(uploaded.artifact.size.value_or(0)), ", ", uploaded.artifact.digest));
  return true;
}

Result<void> take(const std::vector<Bundle>& bundles, const HandOverServices& svc) {
  const bool alone = bundles.size() == 1;
  CG_TRY(const auto artifacts, svc.store.list(alone ? std::optional(bundles.front().name) : std::nullopt));
  const auto found = find_bundles(bundles, artifacts);
  for (const auto& bundle : bundles) {
    const auto wanted = svc.expected.find(bundle.name);
    const bool is_given = std::ranges::find(found, &bundle, &Found::bundle) != found.end();
    if (wanted != svc.expected.end() && !is_given) {
      return fail(not_expected(wanted->second, "no artifact").within(concat("artifact ", bundle.name)));
    }
    if (!bundle.only_given || is_given) continue;
    for (const auto& piece : bundle.pieces) CG_CHECK(empty(bundle, piece, svc.files));
  }
  std::atomic<std::size_t> next = 0;
  std::mutex guard;
  std::optional<Error> failure;
  const auto work = [&] {
    for (std::size_t i = next++; i < found.size(); i = next++) {
      auto taken = take_one(*found[i].bundle, *found[i].artifact, svc);
      if (taken) continue;
      const std::lock_guard lock(guard);
      if (!failure) failure = std::move(taken).error().within(concat("artifact ", found[i].bundle->name));
    }
  };
  std::vector<std::thread> takers;
  for (std::size_t i = 1; i < std::min(found.size(), kTakers); ++i) takers.emplace_back(work);
  work();
  for (auto& taker : takers) taker.join();
  if (failure) return fail(*std::move(failure));
  return {};
}

Result<void> withdraw(const Bundle& bundle, const HandOverServices& svc) {
  CG_TRY(const auto existing, svc.store.list(bundle.name));
  if (existing.empty()) return {};
  for (const auto& artifact : existing) CG_CHECK(require_replaceable(artifact, svc.store, svc.maker, kTakenHint));
  CG_CHECK(svc.store.remove(bundle.name));
  return {};
}

}  // namespace crategate::stages
