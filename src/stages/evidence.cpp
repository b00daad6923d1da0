#include "stages/evidence.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "oci/media_types.h"
#include "sys/parallel.h"

namespace crategate::stages {
namespace {

constexpr std::size_t kRequestsAtATime = 64;
constexpr std::size_t kReadersAtATime = 4;  ///< of what is here already
constexpr std::uint64_t kDigestTextLimit = 4096;

using Stored = std::optional<registry::StoredManifest>;
using Bytes = std::optional<std::string>;

/// A candidate's manifest and the configuration that the record speaks of, each checked against its digest by the
/// reader.
struct Answers {
  std::optional<oci::Reference> candidate;
  oci::Digest config_digest = oci::Digest::of("");
  Stored manifest;
  Result<Bytes> config = Bytes();
};

struct Observed {
  std::optional<pipeline::ObservedImage> image;  ///< nullopt: there is none
  std::string no_image;                          ///< or what is there instead, its bytes checked against the digest
  std::string bytes;
};

Observed is_no_image(const Error& error) { return {.image = {}, .no_image = describe(error), .bytes = {}}; }

/// The configuration that was asked for counts where it is the manifest's; else it is what was tested.
Result<Observed> observe(Answers answers, registry::RegistryReader& reader) {
  if (!answers.manifest) return Observed{};
  auto& stored = *answers.manifest;
  auto manifest = oci::parse_manifest(stored.bytes, stored.descriptor.media_type);
  if (!manifest) return is_no_image(manifest.error());
  if (manifest->config.size > oci::kManifestLimit)
    return Observed{
        .image = {}, .no_image = concat("a configuration of ", manifest->config.size, " bytes"), .bytes = {}};
  std::optional<oci::ImageConfig> tested;
  if (manifest->config.digest != answers.config_digest) {
    if (answers.config && *answers.config) {
      if (auto parsed = oci::parse_image_config(**answers.config)) tested = *std::move(parsed);
    }
    answers.config = reader.blob(answers.candidate->repository, manifest->config.digest, oci::kManifestLimit);
  }
  CG_TRY(const auto bytes, std::move(answers.config));
  if (!bytes) return Observed{};
  auto config = oci::parse_image_config(*bytes);
  if (!config) return is_no_image(config.error());
  return Observed{.image = pipeline::ObservedImage{.manifest_digest = stored.descriptor.digest,
                                                   .manifest_size = stored.bytes.size(),
                                                   .manifest = *std::move(manifest),
                                                   .config = *std::move(config),
                                                   .tested = std::move(tested),
                                                   .contents = {}},
                  .no_image = {},
                  .bytes = std::move(stored.bytes)};
}

pipeline::CellVerdict unreadable(const std::string& cell, const Error& error) {
  return {.cell = cell,
          .admitted = false,
          .findings = {{.reason = pipeline::Reason::record_unreadable,
                        .cell = cell,
                        .expected = "a record of schema 1",
                        .found = error.message,
                        .remedy = concat("Run `crategate digest --cell ", cell, "` again after its tests."),
                        .details = {}}}};
}

struct Judged {
  pipeline::CellVerdict verdict;
  std::optional<Admitted> admitted;
};

/// What stands beside the record, unless the record itself counts for nothing.
void add_digest_text(const LeftByCell& left, pipeline::CellVerdict& verdict) {
  const auto* record = left.readable();
  const bool unsigned_record = std::ranges::any_of(
      verdict.findings, [](const auto& finding) { return finding.reason == pipeline::Reason::signature_invalid; });
  if (record == nullptr || unsigned_record) return;
  auto finding = pipeline::judge_digest_text(*record, left.digest_text ? *left.digest_text : std::nullopt);
  if (!finding) return;
  if (!left.digest_text) finding->found = left.digest_text.error().message;
  finding->cell = verdict.cell;
  verdict.admitted = false;
  verdict.findings.push_back(*std::move(finding));
}

Result<Judged> judge_cell(const pipeline::Plan& plan, const pipeline::Cell& cell, const LeftByCell& left,
                          const pipeline::Rebuilds& rebuilds, Answers answers, const pipeline::Demands& demands,
                          registry::RegistryReader& reader) {
  if (!left.record) return Judged{unreadable(cell.key, left.record.error()), std::nullopt};
  auto candidate = answers.candidate;
  Observed observed;
  if (left.readable() != nullptr) {
    CG_TRY(observed, observe(std::move(answers), reader));
  }
  if (const auto rebuilt = rebuilds.find(cell.key); observed.image && rebuilt != rebuilds.end()) {
    observed.image->contents = rebuilt->second.contents;
  }
  Judged judged{pipeline::judge(plan, cell, *left.record, observed.image, demands, observed.no_image), std::nullopt};
  add_digest_text(left, judged.verdict);
  if (judged.verdict.admitted) {
    judged.admitted = Admitted{.candidate = *std::move(candidate),
                               .manifest_bytes = std::move(observed.bytes),
                               .manifest = std::move(observed.image->manifest),
                               .digest = observed.image->manifest_digest};
  }
  return judged;
}

Failure of_cell(const pipeline::Cell& cell, Error error) {
  return fail(std::move(error).within(concat("gate of cell ", cell.key)));
}

Result<std::vector<Answers>> ask(const pipeline::Plan& plan, const std::vector<pipeline::Cell>& cells,
                                 const Records& records, const pipeline::Rebuilds& rebuilds,
                                 registry::RegistryReader& reader) {
  std::vector<Answers> answers(cells.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto* record = records[i].readable();
    if (record == nullptr) continue;
    const auto candidate = pipeline::candidate_of(plan, *record, rebuilds);
    if (!candidate) continue;
    auto reference = candidate_reference(cells[i], *candidate);
    if (!reference) return of_cell(cells[i], std::move(reference).error());
    answers[i].candidate = *std::move(reference);
    answers[i].config_digest = candidate->config_digest;
  }
  CG_CHECK(sys::for_each_parallel(2 * cells.size(), kRequestsAtATime, [&](std::size_t half) -> Result<void> {
    const std::size_t i = half / 2;
    auto& answer = answers[i];
    if (!answer.candidate) return {};
    if (half % 2 == 1) {
      answer.config = reader.blob(answer.candidate->repository, answer.config_digest, oci::kManifestLimit);
      return {};
    }
    auto manifest = reader.manifest(*answer.candidate);
    if (!manifest) return of_cell(cells[i], std::move(manifest).error());
    answer.manifest = *std::move(manifest);
    return {};
  }));
  return answers;
}

}  // namespace

Result<Records> load_records(const sys::FileSystem& files, const Workspace& workspace,
                             const std::vector<pipeline::Cell>& cells) {
  Records records(cells.size());
  CG_CHECK(sys::for_each_parallel(cells.size(), kReadersAtATime, [&](std::size_t i) -> Result<void> {
    records[i].record = load_record(files, workspace, cells[i].key);
    records[i].digest_text = files.read_below(workspace.state(), digest_file(cells[i].key), kDigestTextLimit);
    return {};
  }));
  return records;
}

Result<oci::Reference> candidate_reference(const pipeline::Cell& cell, const pipeline::Candidate& candidate) {
  CG_TRY(auto repository, oci::parse_repository(cell.candidate));
  return oci::Reference{std::move(repository), std::nullopt, candidate.manifest_digest};
}

Result<Evidence> gather_evidence(const pipeline::Plan& plan, const std::vector<pipeline::Cell>& cells,
                                 const Records& records, const pipeline::Rebuilds& rebuilds,
                                 const pipeline::Demands& demands, registry::RegistryReader& reader) {
  CG_TRY(auto answers, ask(plan, cells, records, rebuilds, reader));
  std::vector<Judged> judged(cells.size());
  CG_CHECK(sys::for_each_parallel(cells.size(), kReadersAtATime, [&](std::size_t i) -> Result<void> {
    auto one = judge_cell(plan, cells[i], records[i], rebuilds, std::move(answers[i]), demands, reader);
    if (!one) return of_cell(cells[i], std::move(one).error());
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
              concat(first->remedy, "; ", pipeline::help_address(first->reason)));
}

}  // namespace crategate::stages
