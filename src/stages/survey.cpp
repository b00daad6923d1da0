#include "stages/survey.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/strings.h"
#include "pipeline/planned_tags.h"
#include "pipeline/release_set.h"
#include "stages/tag_state.h"
#include "sys/parallel.h"

namespace crategate::stages {
namespace {

using pipeline::PlannedTag;
using pipeline::TagRank;
using pipeline::TagState;

constexpr std::size_t kAtATime = 64;
using Newest = std::map<std::string, std::string>;

struct Facts {
  std::vector<PlannedTag> tags;
  std::vector<std::optional<TagState>> states;
  Evidence evidence;
  std::string release_set;  ///< bytes of the index; empty = none is asked for
  oci::Digest release_set_digest = oci::Digest::of("");
};

/// What each cell's record says was tested: what its tags will name, if the gate admits it.
Result<std::map<std::string, oci::Digest>> recorded_images(const PublishInputs& in, const sys::FileSystem& files) {
  std::map<std::string, oci::Digest> images;
  for (const auto& cell : in.plan.cells) {
    const auto record = load_record(files, in.workspace, cell.key);
    if (record && *record) images.emplace(cell.key, (*record)->manifest_digest);
  }
  return images;
}

/// The states of the tags of cells, or of the set.
Result<void> read_tags(const PublishInputs& in, const std::map<std::string, oci::Digest>& targets,
                       registry::RegistryReader& reader, bool of_set, const Newest& newest, Facts& facts) {
  return sys::for_each_parallel(facts.tags.size(), kAtATime, [&](std::size_t i) -> Result<void> {
    const auto& tag = facts.tags[i];
    if (tag.cell.empty() != of_set) return {};
    const auto target = targets.find(tag.cell);
    if (target == targets.end()) return {};  // without a record the gate refuses
    const auto last = tag.rank == TagRank::moving ? newest.find(tag.tag) : newest.end();
    const auto expected = last == newest.end() ? std::string() : last->second;
    CG_TRY(facts.states[i], tag_state(in.plan, tag, target->second, reader, expected));
    return {};
  });
}

Result<void> add_release_set(const PublishInputs& in, registry::RegistryReader& reader, const Newest& newest,
                             Facts& facts) {
  const bool wanted = std::ranges::any_of(facts.tags, [](const auto& tag) { return tag.cell.empty(); });
  if (!wanted) return {};
  std::map<std::string, oci::Descriptor> images;
  for (const auto& [cell, image] : facts.evidence.admitted) {
    images.emplace(cell, oci::Descriptor{.media_type = image.manifest.media_type,
                                         .digest = image.digest,
                                         .size = image.manifest_bytes.size(),
                                         .annotations = {},
                                         .platform = in.plan.find(cell)->platform});
  }
  CG_TRY(facts.release_set, pipeline::release_set_index(in.plan, images));
  facts.release_set_digest = oci::Digest::of(facts.release_set);
  return read_tags(in, {{"", facts.release_set_digest}}, reader, true, newest, facts);
}

/// The cells and the tags at once: that saves their round trips.
Result<Facts> gather(const PublishInputs& in, const sys::FileSystem& files, registry::RegistryReader& reader,
                     TagRank last, const Newest& newest) {
  Facts facts;
  CG_TRY(facts.tags, pipeline::planned_tags(in.plan, in.configuration.release, in.today, TagRank::version, last));
  facts.states.resize(facts.tags.size());
  CG_TRY(const auto targets, recorded_images(in, files));
  const auto halves = sys::for_each_parallel(2, 2, [&](std::size_t half) -> Result<void> {
    if (half == 1) return read_tags(in, targets, reader, false, newest, facts);
    CG_TRY(facts.evidence, gather_evidence(in.plan, in.plan.cells, in.workspace, in.configuration.gate.ignore_labels,
                                           files, reader, in.run));
    return require_admitted(facts.evidence.verdict);
  });
  if (!halves) return fail(halves.error());
  CG_CHECK(add_release_set(in, reader, newest, facts));
  return facts;
}

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

Result<Publication> survey(const PublishInputs& in, const sys::FileSystem& files, registry::RegistryReader& reader,
                           Scope scope, const Newest& newest) {
  CG_TRY(auto facts, gather(in, files, reader, scope.last, newest));
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
    CG_TRY(auto move, pipeline::decide_tag(in.plan, tag, now, target, in.configuration.release, newest));
    if (tag.rank == TagRank::version && !move.needed && now && now->manifest != target) kept.insert(tag.cell);
    if (!move.needed && now && now->manifest == target) publication.in_place.push_back(move);
    if (tag.rank >= scope.first) {
      publication.changes.moves.push_back(std::move(move));
    } else if (tag.rank == TagRank::version && move.needed) {
      return not_pushed(move);
    }
  }
  publication.evidence = std::move(facts.evidence);
  publication.release_set = std::move(facts.release_set);
  return publication;
}

}  // namespace crategate::stages
