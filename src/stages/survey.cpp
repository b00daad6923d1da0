#include "stages/survey.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/strings.h"
#include "sys/parallel.h"

namespace crategate::stages {
namespace {

using pipeline::TagRank;

constexpr std::size_t kAtATime = 64;

struct PlannedTag {
  std::string cell, repository, tag;
  TagRank rank;
};
std::vector<PlannedTag> planned_tags(const pipeline::Plan& plan, const config::Release& release,
                                     const std::string& today, TagRank first, TagRank last) {
  std::vector<PlannedTag> planned;
  if (first <= TagRank::version) {
    for (const auto& cell : plan.cells)
      for (const auto& tag : pipeline::version_tags(plan, cell, release, today))
        planned.push_back({cell.key, cell.image, tag, TagRank::version});
  }
  if (last >= TagRank::moving && plan.policy.latest) {
    for (const auto& tag : release.moving)
      for (const auto& cell : plan.cells) planned.push_back({cell.key, cell.image, tag, TagRank::moving});
  }
  return planned;
}
Result<pipeline::TagMove> decide_tag(const pipeline::Plan& plan, const PlannedTag& tag,
                                     const std::optional<pipeline::TagState>& now, const oci::Digest& target,
                                     const config::Release& release, const std::map<std::string, std::string>&) {
  const auto& cell = *plan.find(tag.cell);
  if (tag.rank == TagRank::version) return pipeline::decide_version_tag(plan, cell, tag.tag, now, target, release);
  CG_TRY(auto move, pipeline::decide_moving_tag(plan, cell, tag.tag, now, target, release));
  move.rank = tag.rank;
  return move;
}

/// What each tag names now.
Result<std::vector<std::optional<pipeline::TagState>>> read_tags(const std::vector<PlannedTag>& tags,
                                                                 registry::RegistryReader& reader) {
  std::vector<std::optional<pipeline::TagState>> states(tags.size());
  CG_CHECK(sys::for_each_parallel(tags.size(), kAtATime, [&](std::size_t i) -> Result<void> {
    CG_TRY(const auto reference, tag_reference(tags[i].repository, tags[i].tag));
    CG_TRY(states[i], tag_state(reference, reader));
    return {};
  }));
  return states;
}

struct Facts {
  std::vector<PlannedTag> tags;
  std::vector<std::optional<pipeline::TagState>> states;
  Evidence evidence;
};

/// The cells and the tags at once: that saves their round trips.
Result<Facts> gather(const PublishInputs& in, const sys::FileSystem& files, registry::RegistryReader& reader,
                     TagRank last) {
  Facts facts;
  facts.tags = planned_tags(in.plan, in.configuration.release, in.today, TagRank::version, last);
  CG_CHECK(sys::for_each_parallel(2, 2, [&](std::size_t half) -> Result<void> {
    if (half == 0) {
      CG_TRY(facts.evidence, gather_evidence(in.plan, in.plan.cells, in.workspace, in.configuration.gate.ignore_labels,
                                             files, reader, in.run));
      return require_admitted(facts.evidence.verdict);
    }
    CG_TRY(facts.states, read_tags(facts.tags, reader));
    return {};
  }));
  return facts;
}

Failure not_pushed(const pipeline::TagMove& move) {
  return fail(ErrorCode::conflict,
              concat(move.repository, ":", move.tag, ": expected ", move.to.text(), " after push, found ",
                     move.from ? move.from->text() : std::string("no such tag")),
              "Run `crategate push` first: no moving tag changes before every version tag is in place.");
}

/// A moving tag never names an image that no version tag names: where the version tag was kept, so is this one.
void keep_with_version(pipeline::TagMove& move) {
  if (move.from && *move.from == move.to) return;
  move.to = move.from.value_or(move.to);
  move.needed = false;
  move.note = "the version tag was kept at another image, so this one stays, too";
  move.warning = true;
}

}  // namespace

Result<oci::Reference> tag_reference(const std::string& repository, const std::string& tag) {
  CG_TRY(auto parsed, oci::parse_repository(repository));
  CG_TRY(auto name, oci::parse_tag(tag));
  return oci::Reference{std::move(parsed), std::move(name), std::nullopt};
}

Result<Publication> survey(const PublishInputs& in, const sys::FileSystem& files, registry::RegistryReader& reader,
                           Scope scope, const std::map<std::string, std::string>& newest) {
  CG_TRY(auto facts, gather(in, files, reader, scope.last));
  Publication publication;
  std::set<std::string> kept;  // cells whose version tag stays at another image
  for (std::size_t i = 0; i < facts.tags.size(); ++i) {
    const auto& tag = facts.tags[i];
    const auto& target = facts.evidence.admitted.at(tag.cell).digest;
    CG_TRY(auto move, decide_tag(in.plan, tag, facts.states[i], target, in.configuration.release, newest));
    if (tag.rank == TagRank::version && !move.needed && facts.states[i] && facts.states[i]->manifest != target) {
      kept.insert(tag.cell);
    }
    if (tag.rank < scope.first) {
      if (tag.rank == TagRank::version && move.needed) return not_pushed(move);
      continue;
    }
    if (tag.rank > TagRank::version && kept.contains(tag.cell)) keep_with_version(move);
    publication.changes.moves.push_back(std::move(move));
  }
  publication.evidence = std::move(facts.evidence);
  return publication;
}

}  // namespace crategate::stages
