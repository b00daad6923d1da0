#include "stages/evidence.h"

#include <utility>

#include "base/strings.h"
#include "oci/media_types.h"
#include "sys/parallel.h"

namespace crategate::stages {
namespace {

constexpr std::size_t kCellsAtATime = 64;

struct Observed {
  pipeline::ObservedImage image;
  std::string bytes;
};

using Stored = std::optional<registry::StoredManifest>;
using Bytes = std::optional<std::string>;

/// The candidate's manifest and configuration, each checked against its digest by the reader. The configuration that
/// the record speaks of is asked for at the same time, and counts where it is the manifest's.
Result<std::optional<Observed>> observe(const oci::Reference& candidate, const oci::Digest& recorded_config,
                                        registry::RegistryReader& reader) {
  Result<Stored> asked = Stored();
  Result<Bytes> config_bytes = Bytes();
  CG_CHECK(sys::for_each_parallel(2, 2, [&](std::size_t half) -> Result<void> {
    if (half == 0) asked = reader.manifest(candidate);
    if (half == 1) config_bytes = reader.blob(candidate.repository, recorded_config, oci::kManifestLimit);
    return {};
  }));
  CG_TRY(auto stored, std::move(asked));
  if (!stored) return std::nullopt;
  CG_TRY(auto manifest, oci::parse_manifest(stored->bytes, stored->descriptor.media_type));
  if (manifest.config.digest != recorded_config) {
    config_bytes = reader.blob(candidate.repository, manifest.config.digest, oci::kManifestLimit);
  }
  if (!config_bytes) return fail(std::move(config_bytes).error());
  if (!*config_bytes) return std::nullopt;
  CG_TRY(auto config, oci::parse_image_config(**config_bytes));
  return Observed{
      {.manifest_digest = stored->descriptor.digest, .manifest = std::move(manifest), .config = std::move(config)},
      std::move(stored->bytes)};
}

pipeline::CellVerdict unreadable(const std::string& cell, const Error& error) {
  return {.cell = cell,
          .admitted = false,
          .findings = {{.reason = pipeline::Reason::record_unreadable,
                        .cell = cell,
                        .expected = "a record of schema 1",
                        .found = error.message,
                        .remedy = concat("Run `crategate digest --cell ", cell, "` again after its tests.")}}};
}

/// Where the candidate must be: the plan's repository, the record's digest. A record cannot point elsewhere.
Result<oci::Reference> candidate_reference(const pipeline::Cell& cell, const pipeline::Record& record) {
  CG_TRY(auto repository, oci::parse_repository(cell.candidate));
  return oci::Reference{std::move(repository), std::nullopt, record.manifest_digest};
}

struct Judged {
  pipeline::CellVerdict verdict;
  std::optional<Admitted> admitted;
};

Result<Judged> judge_cell(const pipeline::Plan& plan, const pipeline::Cell& cell, const Workspace& workspace,
                          const std::vector<std::string>& ignore_labels, const sys::FileSystem& files,
                          registry::RegistryReader& reader, const std::string& run) {
  const auto record = load_record(files, workspace, cell.key);
  if (!record) return Judged{unreadable(cell.key, record.error()), std::nullopt};
  std::optional<Observed> observed;
  std::optional<oci::Reference> candidate;
  if (*record) {
    CG_TRY(candidate, candidate_reference(cell, **record));
    CG_TRY(observed, observe(*candidate, (*record)->config_digest, reader));
  }
  Judged judged{pipeline::judge(plan, cell, *record, observed ? std::optional(observed->image) : std::nullopt,
                                ignore_labels, run),
                std::nullopt};
  if (judged.verdict.admitted) {
    judged.admitted = Admitted{.candidate = *candidate,
                               .manifest_bytes = std::move(observed->bytes),
                               .manifest = std::move(observed->image.manifest),
                               .digest = observed->image.manifest_digest};
  }
  return judged;
}

}  // namespace

Result<Evidence> gather_evidence(const pipeline::Plan& plan, const std::vector<pipeline::Cell>& cells,
                                 const Workspace& workspace, const std::vector<std::string>& ignore_labels,
                                 const sys::FileSystem& files, registry::RegistryReader& reader,
                                 const std::string& run) {
  std::vector<Judged> judged(cells.size());
  CG_CHECK(sys::for_each_parallel(cells.size(), kCellsAtATime, [&](std::size_t i) -> Result<void> {
    auto one = judge_cell(plan, cells[i], workspace, ignore_labels, files, reader, run);
    if (!one) return fail(std::move(one).error().within(concat("gate of cell ", cells[i].key)));
    judged[i] = *std::move(one);
    return {};
  }));
  Evidence evidence;
  for (auto& one : judged) {
    if (one.admitted) evidence.admitted.emplace(one.verdict.cell, *std::move(one.admitted));
    evidence.verdict.cells.push_back(std::move(one.verdict));
  }
  return evidence;
}

Result<void> require_admitted(const pipeline::Verdict& verdict) {
  if (verdict.admitted()) return {};
  const pipeline::Finding* first = nullptr;
  std::size_t refused = 0;
  for (const auto& cell : verdict.cells) {
    if (!cell.admitted) ++refused;
    if (first == nullptr && !cell.findings.empty()) first = &cell.findings.front();
  }
  if (first == nullptr) {
    return fail(ErrorCode::gate_refused, "the gate judged no cell", "A plan without cells publishes nothing.");
  }
  return fail(ErrorCode::gate_refused,
              concat(refused, " of ", verdict.cells.size(), " cells refused; ", first->cell, ": ",
                     pipeline::to_string(first->reason), ": expected ", first->expected, ", found ", first->found,
                     "; nothing was published"),
              first->remedy);
}

}  // namespace crategate::stages
