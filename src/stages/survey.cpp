#include "stages/survey.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/strings.h"
#include "pipeline/planned_tags.h"
#include "pipeline/release_set.h"
#include "registry/remembering_reader.h"
#include "stages/rebuild.h"
#include "stages/tag_state.h"
#include "sys/parallel.h"

namespace crategate::stages {
namespace {

using pipeline::PlannedTag;
using pipeline::TagRank;
using pipeline::TagState;

struct Facts {
  std::vector<PlannedTag> tags;
  std::vector<std::optional<TagState>> states;
  Evidence evidence;
  std::string release_set;  ///< bytes of the index; empty = none is asked for
  oci::Digest release_set_digest = oci::Digest::of("");
};

using Targets = std::map<std::string, oci::Digest>;

/// Nothing where the cell has no record that can be read, or was not built once more.
std::optional<pipeline::Candidate> candidate_of(const pipeline::Plan& plan, const LeftByCell& left,
                                                const pipeline::Rebuilds& rebuilds) {
  const auto* record = left.readable();
  if (record == nullptr) return std::nullopt;
  return pipeline::candidate_of(plan, *record, rebuilds);
}

Targets targets_of(const pipeline::Plan& plan, const Records& records, const pipeline::Rebuilds& rebuilds) {
  Targets targets;
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    const auto candidate = candidate_of(plan, records[i], rebuilds);
    if (candidate) targets.emplace(plan.cells[i].key, candidate->manifest_digest);
  }
  return targets;
}

class Survey {
 public:
  Survey(const PublishInputs& in, registry::RegistryReader& reader, Scope scope, const pipeline::Journal& before)
      : in_(in), memory_(reader), scope_(scope), before_(before) {}

  Result<Facts> gather(const sys::FileSystem& files) {
    CG_TRY(facts_.tags,
           pipeline::planned_tags(in_.plan, in_.configuration.release, in_.today, TagRank::version, scope_.last));
    facts_.states.resize(facts_.tags.size());
    CG_TRY(const auto records, load_records(files, in_.workspace, in_.plan.cells));
    CG_TRY(auto rebuilds, load_rebuilds(files, in_.workspace, in_.plan));
    // Tags that follow a version tag name what it names already, and nothing else (not_pushed).
    if (scope_.first == TagRank::version) {
      CG_TRY(rebuilds, prove_rebuilds(in_.workspace, rebuilds));
    }
    CG_CHECK(read_all(records, rebuilds));
    CG_TRY(facts_.evidence,
           gather_evidence(in_.plan, in_.plan.cells, records, rebuilds,
                           {in_.configuration.gate.ignore_labels, in_.run, in_.attempt, in_.key}, memory_));
    CG_CHECK(require_admitted(facts_.evidence.verdict));
    CG_CHECK(add_release_set());
    return std::move(facts_);
  }

 private:
  /// The tags, and what the gate will ask for, at once: that saves round trips.
  Result<void> read_all(const Records& records, const pipeline::Rebuilds& rebuilds) {
    const auto& cells = in_.plan.cells;
    const Targets targets = targets_of(in_.plan, records, rebuilds);
    const std::size_t contents = 2 * cells.size();
    return sys::for_each_parallel(contents + facts_.tags.size(), kTagsAtATime, [&](std::size_t i) -> Result<void> {
      if (i >= contents) return read_tag(i - contents, targets, false);
      const std::size_t cell = i % cells.size();
      const auto candidate = candidate_of(in_.plan, records[cell], rebuilds);
      if (!candidate) return {};
      return i < cells.size() ? read_manifest(cells[cell], *candidate) : read_config(cells[cell], *candidate);
    });
  }

  /// Where the version tags are in place already, they bring the manifests; the gate asks for those that they do not.
  Result<void> read_manifest(const pipeline::Cell& cell, const pipeline::Candidate& candidate) {
    if (scope_.first > TagRank::version && cell.candidate == cell.image) return {};
    CG_TRY(const auto reference, candidate_reference(cell, candidate));
    const auto stored = memory_.manifest(reference);
    if (!stored) return fail(Error(stored.error()).within(concat("gate of cell ", cell.key)));
    return {};
  }

  /// What fails here is asked for again by the gate, where it matters.
  Result<void> read_config(const pipeline::Cell& cell, const pipeline::Candidate& candidate) {
    CG_TRY(const auto reference, candidate_reference(cell, candidate));
    static_cast<void>(memory_.blob(reference.repository, candidate.config_digest, oci::kManifestLimit));
    return {};
  }

  /// The state of a tag of a cell, or of the set.
  Result<void> read_tag(std::size_t i, const Targets& targets, bool of_set) {
    const auto& tag = facts_.tags[i];
    if (tag.cell.empty() != of_set) return {};
    const auto target = targets.find(tag.cell);
    if (target == targets.end()) return {};  // without a record the gate refuses
    auto& state = facts_.states[i];
    CG_TRY(state, tag_state(in_.plan, tag, target->second, memory_, expected(tag)));
    if (state) state->leftover = pipeline::is_leftover(before_, in_.plan.version, tag, state->manifest);
    return {};
  }

  Expected expected(const PlannedTag& tag) const {
    if (tag.rank != TagRank::moving) return {};
    const auto version = before_.last.versions.find(tag.tag);
    if (version == before_.last.versions.end()) return {};
    const auto image = before_.last.images.find(concat(tag.repository, ":", tag.tag));
    return {version->second, image == before_.last.images.end() ? std::nullopt : std::optional(image->second)};
  }

  Result<void> add_release_set() {
    const bool wanted = std::ranges::any_of(facts_.tags, [](const auto& tag) { return tag.cell.empty(); });
    if (!wanted) return {};
    std::map<std::string, oci::Descriptor> images;
    for (const auto& [cell, image] : facts_.evidence.admitted) {
      images.emplace(cell, oci::Descriptor{.media_type = image.manifest.media_type,
                                           .digest = image.digest,
                                           .size = image.manifest_bytes.size(),
                                           .annotations = {},
                                           .platform = in_.plan.find(cell)->platform});
    }
    CG_TRY(facts_.release_set, pipeline::release_set_index(in_.plan, images));
    facts_.release_set_digest = oci::Digest::of(facts_.release_set);
    const Targets targets = {{"", facts_.release_set_digest}};
    return sys::for_each_parallel(facts_.tags.size(), kTagsAtATime,
                                  [&](std::size_t i) { return read_tag(i, targets, true); });
  }

  const PublishInputs& in_;
  registry::RememberingReader memory_;
  Scope scope_;
  const pipeline::Journal& before_;
  Facts facts_;
};

Failure not_pushed(const pipeline::TagMove& move) {
  return fail(ErrorCode::conflict,
              concat(move.repository, ":", move.tag, ": expected ", move.to.text(), " after push, found ",
                     move.from ? move.from->text() : std::string("no such tag")),
              "Run `crategate push` first: no moving tag changes before every version tag is in place.");
}

/// Whether the tag's images have a version tag that stays at another image; for the set, any of them.
bool is_kept(const PlannedTag& tag, const std::set<std::string>& kept) {
  return tag.cell.empty() ? !kept.empty() : kept.contains(tag.cell);
}

}  // namespace

Result<oci::Reference> tag_reference(const std::string& repository, const std::string& tag) {
  CG_TRY(auto parsed, oci::parse_repository(repository));
  CG_TRY(auto name, oci::parse_tag(tag));
  return oci::Reference{std::move(parsed), std::move(name), std::nullopt};
}

Result<std::map<std::string, oci::Digest>> recorded_images(const PublishInputs& in, const sys::FileSystem& files) {
  CG_TRY(const auto records, load_records(files, in.workspace, in.plan.cells));
  CG_TRY(const auto rebuilds, load_rebuilds(files, in.workspace, in.plan));
  return targets_of(in.plan, records, rebuilds);
}

Result<Publication> survey(const PublishInputs& in, const sys::FileSystem& files, registry::RegistryReader& reader,
                           Scope scope, const pipeline::Journal& before) {
  CG_TRY(auto facts, Survey(in, reader, scope, before).gather(files));
  Publication publication;
  std::set<std::string> kept;
  for (std::size_t i = 0; i < facts.tags.size(); ++i) {
    const auto& tag = facts.tags[i];
    const auto& now = facts.states[i];
    const auto& target = tag.cell.empty() ? facts.release_set_digest : facts.evidence.admitted.at(tag.cell).digest;
    if (tag.rank > TagRank::version && is_kept(tag, kept)) {
      if (tag.rank >= scope.first) publication.changes.moves.push_back(pipeline::kept_with_version(tag, now, target));
      continue;
    }
    CG_TRY(auto move, pipeline::decide_tag(in.plan, tag, now, target, in.configuration.release, before.last.versions));
    if (tag.rank == TagRank::version && !move.needed && now && now->manifest != target) kept.insert(tag.cell);
    if (!move.needed && now && now->manifest == target) publication.in_place.push_back(move);
    if (tag.rank >= scope.first) {
      publication.changes.moves.push_back(std::move(move));
    } else if (tag.rank == TagRank::version && move.needed) {
      return not_pushed(move);
    }
  }
  std::map<std::string, oci::Digest> tested;
  for (const auto& [cell, image] : facts.evidence.admitted) tested.emplace(cell, image.digest);
  auto& changes = publication.changes;
  changes.copies = pipeline::needed_copies(in.plan, tested, changes.moves, publication.in_place);
  publication.evidence = std::move(facts.evidence);
  publication.release_set = std::move(facts.release_set);
  return publication;
}

}  // namespace crategate::stages
