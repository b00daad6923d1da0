// The one place where the simulation asks pipeline/tags.
#include "simulation/process.h"

namespace crategate::simulation {
namespace {

std::optional<pipeline::TagState> state_of(const Scene& scene, Content content) {
  if (content == kNothing) return std::nullopt;
  const auto& facts = scene.contents[content];
  return pipeline::TagState{facts.digest, facts.version.empty() ? "" : "release", "true", facts.version};
}

}  // namespace

Result<std::vector<pipeline::TagMove>> planned_moves(const Scene& scene, std::size_t release,
                                                     const std::vector<Content>& now,
                                                     const std::map<std::string, std::string>& newest) {
  pipeline::Plan plan;
  plan.version = scene.releases[release].version;
  plan.policy.trigger = "release";
  std::vector<pipeline::TagMove> moves;
  for (const auto& wanted : scene.releases[release].wanted) {
    const auto& slot = scene.tags[wanted.tag];
    CG_TRY(auto move, decide_tag(plan, {slot.repository, slot.repository, slot.tag, slot.rank},
                                 state_of(scene, now[wanted.tag]), scene.contents[wanted.content].digest, {}, newest));
    if (move.needed) moves.push_back(std::move(move));
  }
  return moves;
}

}  // namespace crategate::simulation
