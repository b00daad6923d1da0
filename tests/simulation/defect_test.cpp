// Drivers with defects: the judge, or the sweep around it, sees each of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>

#include "simulation/sweep.h"

namespace crategate::simulation {
namespace {

const Scene& scene() {
  static const Scene all = fourteen_images({"v1.1.0", "v1.2.0"});
  return all;
}

bool is_broken(const World& world, const std::string& invariant) {
  for (const auto& broken : judge(scene(), world.history)) {
    if (broken.starts_with(invariant)) return true;
  }
  return false;
}

/// How many of the kills of a release leave a broken history, or one that the next run does not mend.
std::size_t broken_by_kills(Defect defect, const std::string& invariant) {
  World world(scene());
  Process process(world, {.defect = defect});
  std::size_t broken = 0;
  for (; process.next() != nullptr; process.perform()) {
    World left = world;
    Process(process, left).die();
    Process(left, {.run = 2, .defect = defect}).run();
    broken += is_broken(left, invariant) ? 1 : 0;
  }
  return broken;
}

/// How many faults of single writes leave a broken history.
std::size_t broken_by_faults(Defect defect, const std::string& invariant) {
  std::size_t broken = 0;
  for (std::size_t fails = 0; fails < 31; ++fails) {
    World world(scene());
    Process process(world, {.defect = defect});
    for (std::size_t i = 0; process.next() != nullptr;) {
      const bool writes = process.next()->kind == Request::Kind::write;
      process.perform(writes && i == fails ? Fault::unavailable : Fault::none);
      if (writes) ++i;
    }
    broken += is_broken(world, invariant) ? 1 : 0;
  }
  return broken;
}

/// How many of a person's moves, seen or not, are gone at the end of a release that began before them.
std::size_t lost_persons(Defect defect) {
  std::size_t lost = 0;
  for (std::size_t tag = 0; tag < 14; ++tag) {
    World world(scene());
    Process process(world, {.defect = defect});
    while (!world.shelves[0].journal) process.perform();
    world.person(tag, scene().persons[tag]);
    process.run();
    lost += world.names(tag) == scene().persons[tag] ? 0 : 1;
  }
  return lost;
}

TEST(Defect, NoneBreaksNothing) {
  EXPECT_EQ(broken_by_kills(Defect::none, "I"), 0U);
  EXPECT_EQ(broken_by_faults(Defect::none, "I"), 0U);
  EXPECT_EQ(lost_persons(Defect::none), 0U);
}

TEST(Defect, AJournalAfterTheFirstWriteIsSeen) { EXPECT_GT(broken_by_kills(Defect::late_journal, "I3"), 10U); }

TEST(Defect, BelievingWhatWasSeenOnceIsSeen) { EXPECT_EQ(lost_persons(Defect::no_recheck), 14U); }

TEST(Defect, OverwritingAStrangerIsSeen) { EXPECT_EQ(lost_persons(Defect::overwrites_foreign), 14U); }

TEST(Defect, IgnoringAnswersIsSeen) { EXPECT_GT(broken_by_faults(Defect::ignores_answers, "I4"), 20U); }

TEST(Defect, PublishingWhatDidNotPassIsSeen) { EXPECT_GT(broken_by_kills(Defect::unverified, "I1"), 0U); }

TEST(Defect, SteppingBackIsSeen) {
  World world(scene());
  Process(world, {.run = 1, .release = 1}).run();
  World honest = world;
  Process(world, {.run = 2, .release = 0, .defect = Defect::steps_back}).run();
  Process(honest, {.run = 2, .release = 0}).run();
  EXPECT_TRUE(is_broken(world, "I6"));
  EXPECT_FALSE(is_broken(honest, "I"));
}

TEST(Defect, IgnoringTheLeaseIsSeen) {
  World world(scene());
  world.shelves[0].leased = true;
  Process sleeper(world, {.run = 1, .release = 0, .defect = Defect::ignores_lease});
  while (sleeper.next()->kind != Request::Kind::hold) sleeper.perform();
  world.pass(kLease * 2);
  Process(world, {.run = 2, .release = 1}).run();
  const auto taken = world.history.entries.size();
  sleeper.run();
  const auto& entries = world.history.entries;
  EXPECT_TRUE(std::any_of(entries.begin() + static_cast<std::ptrdiff_t>(taken), entries.end(),
                          [](const Entry& entry) { return entry.kind == Entry::Kind::wrote && entry.run == 1; }));
}

}  // namespace
}  // namespace crategate::simulation
