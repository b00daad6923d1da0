// Two runs at once, step by step in a random order (B29, B32): without a lease every lost race is seen by its loser;
// with one exactly one writes.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

#include "base/strings.h"
#include "simulation/sweep.h"

namespace crategate::simulation {
namespace {

using std::chrono::seconds;

const Scene& scene() {
  static const Scene all = fourteen_images({"v1.1.0", "v1.2.0"});
  return all;
}

/// Performs both to their ends, in bursts of random length.
void interleave(Process& one, Process& other, std::mt19937& random) {
  std::size_t head_start = random() % 250;
  while (head_start-- > 0 && one.next() != nullptr) one.perform();
  while (one.next() != nullptr || other.next() != nullptr) {
    Process& chosen = random() % 2 == 0 ? one : other;
    for (std::size_t burst = 1 + random() % 12; burst > 0 && chosen.next() != nullptr; --burst) chosen.perform();
  }
}

bool wrote_after(const World& world, int run, std::size_t entry) {
  return std::any_of(world.history.entries.begin() + static_cast<std::ptrdiff_t>(entry), world.history.entries.end(),
                     [&](const Entry& each) { return each.kind == Entry::Kind::wrote && each.run == run; });
}

struct Pair {
  std::size_t one, other;
};

Pair releases_of(std::mt19937& random) {
  constexpr std::array<Pair, 3> kPairs = {Pair{0, 1}, Pair{1, 0}, Pair{0, 0}};
  return kPairs.at(random() % kPairs.size());
}

/// Both ended with 0: then the tags are those of one of them.
void expect_one_winner(Family& family, const World& world, const Process& one, const Process& other,
                       const std::string& cell) {
  family.count("rounds");
  if (!is_documented(one.code()) || !is_documented(other.code())) {
    family.fails(world, cell, concat(words_of(one), "\n", words_of(other)));
  }
  if (one.code() != 0 || other.code() != 0)
    return family.count(concat("ended with ", std::max(one.code(), other.code())));
  family.count("both ended with 0");
  const bool whole = std::ranges::any_of(scene().releases, [&](const Release& release) {
    return std::ranges::all_of(release.wanted, [&](const Wanted& wanted) {
      return scene().tags[wanted.tag].rank < pipeline::TagRank::moving || world.names(wanted.tag) == wanted.content;
    });
  });
  if (!whole) family.fails(world, cell, "both ended with 0, and the tags are mixed");
}

TEST(Race, B29WithoutALeaseEveryLostRaceIsSeen) {
  Family family("two releases, no lease");
  for (unsigned seed = 1; seed <= (is_whole_sweep() ? 100000U : 10000U) && !family.is_hopeless(); ++seed) {
    std::mt19937 random(seed);
    const Pair pair = releases_of(random);
    World world(scene());
    Process one(world, {.run = 1, .release = pair.one, .shelf = 0, .seed = seed});
    Process other(world, {.run = 2, .release = pair.other, .shelf = 1, .seed = seed + 1});
    interleave(one, other, random);
    const std::string cell = concat("seed ", seed);
    family.judge(world, cell, {.alone = false});
    expect_one_winner(family, world, one, other, cell);
  }
  EXPECT_GT(family.of("ended with 50"), 1000U);
}

TEST(Race, B29WithALeaseExactlyOneWrites) {
  Family family("two releases, one lease");
  for (unsigned seed = 1; seed <= (is_whole_sweep() ? 20000U : 3000U) && !family.is_hopeless(); ++seed) {
    std::mt19937 random(seed);
    const Pair pair = releases_of(random);
    World world(scene());
    world.shelves[0].leased = true;
    Process one(world, {.run = 1, .release = pair.one, .seed = seed});
    Process other(world, {.run = 2, .release = pair.other, .seed = seed + 1});
    interleave(one, other, random);
    const std::string cell = concat("seed ", seed);
    family.judge(world, cell);
    expect_one_winner(family, world, one, other, cell);
    if (one.code() != 0 && other.code() != 0) family.fails(world, cell, "nobody won");
    if (one.code() == 50 && wrote_after(world, 1, 0)) family.fails(world, cell, "run 1 lost and wrote");
    if (other.code() == 50 && wrote_after(world, 2, 0)) family.fails(world, cell, "run 2 lost and wrote");
    // The loser's next run: whoever is older leaves `latest` alone.
    Process again(world, {.run = 3, .release = one.code() == 0 ? pair.other : pair.one, .seed = seed});
    again.run();
    family.judge(world, concat(cell, ", again"));
    if (again.code() != 0 || world.names(0) != scene().releases[std::max(pair.one, pair.other)].wanted[15].content) {
      family.fails(world, cell, concat("the older one won: ", words_of(again)));
    }
  }
  EXPECT_GT(family.of("ended with 50"), 500U);
}

/// The holder sleeps for longer than its lease; somebody else takes it and publishes; the holder wakes up.
TEST(Race, B28AHolderThatSleptWritesNothingMore) {
  Family family("a lease that ran out");
  for (unsigned seed = 1; seed <= 8; ++seed) {
    for (std::size_t point = 0; !family.is_hopeless(); ++point) {
      World world(scene());
      world.shelves[0].leased = true;
      Process holder(world, {.run = 1, .release = seed % 2, .seed = seed});
      for (std::size_t i = 0; i < point && holder.next() != nullptr; ++i) holder.perform();
      if (holder.next() == nullptr) break;
      const bool writes = holder.next()->kind == Request::Kind::write;
      world.pass(kLease + seconds(1));
      Process next(world, {.run = 2, .release = 1, .seed = seed + 1});
      next.run();
      const auto taken = world.history.entries.size();
      holder.run();
      const std::string cell = concat("seed ", seed, ", asleep before request ", point);
      if (!writes) family.judge(world, cell, {.alone = false});  // else its requests are on their way already
      expect_one_winner(family, world, holder, next, cell);
      if (next.code() != 0) family.fails(world, cell, words_of(next));
      if (point > 0 && !writes && wrote_after(world, 1, taken)) family.fails(world, cell, "it wrote after it lost");
      if (writes && holder.code() == 0) family.fails(world, cell, "it did not see that it lost");
    }
  }
}

}  // namespace
}  // namespace crategate::simulation
