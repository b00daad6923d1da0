#include "simulation/world.h"

#include <algorithm>

namespace crategate::simulation {

World::World(const Scene& scene) : collected(scene.contents.size()), scene_(&scene) {
  history.before = scene.before;
  for (const auto content : scene.before) tags_.push_back({content, content, Duration::min() / 2});
}

void World::pass(Duration duration) {
  const Duration until = now_ + duration;
  while (true) {
    const auto next = std::ranges::min_element(late_, {}, &Late::due);
    if (next == late_.end() || next->due > until) break;
    const Late arrived = *next;
    late_.erase(next);
    now_ = std::max(now_, arrived.due);
    if (refusal(arrived.tag, arrived.content)) set(arrived.run, arrived.shelf, arrived.tag, arrived.content);
  }
  now_ = until;
}

Content World::shown(std::size_t tag) const {
  const auto& slot = tags_[tag];
  return now_ < slot.since + quirks.lag ? slot.previous : slot.content;
}

Result<void> World::refusal(std::size_t tag, Content content) const {
  const auto& slot = scene_->tags[tag];
  if (writes_ >= quirks.read_only_from) return fail(ErrorCode::forbidden, "the registry is read-only");
  if (quirks.forbidden && scene_->tags[*quirks.forbidden].repository == slot.repository) {
    return fail(ErrorCode::forbidden, "403");
  }
  if (content == kNothing) {
    if (quirks.no_delete) return fail(ErrorCode::conflict, "405: tags are not removed here");
    return {};
  }
  if (collected[content]) return fail(ErrorCode::not_found, "the content was collected");
  const auto names = tags_[tag].content;
  if (quirks.immutable_versions && slot.rank == pipeline::TagRank::version && names != kNothing && names != content) {
    return fail(ErrorCode::conflict, "the tag is immutable");
  }
  return {};
}

void World::set(int run, int shelf, std::size_t tag, Content content) {
  auto& slot = tags_[tag];
  const Content shown_now = shown(tag);
  slot = {content, shown_now, now_};
  history.entries.push_back({.kind = Entry::Kind::wrote, .run = run, .journal = shelf, .tag = tag, .now = content});
}

Result<void> World::point(int run, int shelf, std::size_t tag, Content content) {
  CG_CHECK(refusal(tag, content));
  ++writes_;
  set(run, shelf, tag, content);
  return {};
}

void World::point_late(int run, int shelf, std::size_t tag, Content content, Duration after) {
  late_.push_back({run, shelf, tag, content, now_ + after});
}

void World::person(std::size_t tag, Content content) { set(kPerson, 0, tag, content); }

Result<void> World::require_lease(int run, int shelf) const {
  const auto& kept = shelves[static_cast<std::size_t>(shelf)];
  if (!kept.leased || (kept.holder == run && kept.deadline > now_)) return {};
  return fail(ErrorCode::conflict, "the lease was lost");
}

Result<bool> World::open(int run, int shelf) {
  auto& kept = shelves[static_cast<std::size_t>(shelf)];
  if (!kept.leased) return false;
  if (kept.holder != 0 && kept.deadline > now_) return fail(ErrorCode::conflict, "another run holds the lease");
  const bool taken_over = kept.holder != 0;
  kept.holder = run;
  kept.deadline = now_ + kLease;
  return taken_over;
}

Result<void> World::hold(int run, int shelf) {
  CG_CHECK(require_lease(run, shelf));
  shelves[static_cast<std::size_t>(shelf)].deadline = now_ + kLease;
  return {};
}

Result<void> World::keep(int run, int shelf, const pipeline::Journal& journal) {
  CG_CHECK(require_lease(run, shelf));
  shelves[static_cast<std::size_t>(shelf)].journal = std::make_shared<const pipeline::Journal>(journal);
  const bool is_open = journal.state == pipeline::JournalState::open;
  Entry entry{.kind = is_open ? Entry::Kind::opened : Entry::Kind::closed, .run = run, .journal = shelf};
  for (const auto& move : journal.moves) {
    entry.tags |= std::uint64_t{1} << scene_->by_name.at({move.repository, move.tag});
  }
  history.entries.push_back(entry);
  return {};
}

void World::close(int run, int shelf) {
  auto& kept = shelves[static_cast<std::size_t>(shelf)];
  if (kept.holder == run) kept.holder = 0;
}

}  // namespace crategate::simulation
