// kill -9 at every request of a release of fourteen images, and again at every request of its recovery (B27).
#include <gtest/gtest.h>

#include "base/strings.h"
#include "simulation/sweep.h"

namespace crategate::simulation {
namespace {

using pipeline::protocol::Goal;
using std::chrono::seconds;

const Scene& scene() {
  static const Scene all = fourteen_images({"v1.1.0"});
  return all;
}

/// Calls `visit` with a world in which the process died: before each of its requests, and at its end.
template <class Visit>
void kill_everywhere(Family& family, const std::string& what, const World& start, const Mission& mission, Visit visit) {
  World world = start;
  Process process(world, mission);
  for (std::size_t point = 0; !family.is_hopeless(); ++point) {
    family.count(what);
    World left = world;
    Process(process, left).die();
    visit(left, point);
    if (process.next() == nullptr) break;
    process.perform();
  }
}

void expect_recovered(Family& family, World& world, const std::string& cell, unsigned seed) {
  Process last(world, {.run = 9, .seed = seed});
  last.run();
  world.pass(seconds(60));
  family.count("runs to the end");
  family.judge(world, cell);
  if (last.code() != 0 || !is_new(world, 0)) family.fails(world, cell, words_of(last));
}

class Crash : public ::testing::TestWithParam<Goal> {};

TEST_P(Crash, B27AtEveryPairOfRequestsTheNextRunFinishes) {
  Family family(concat("two kills, the second in ", name_of(GetParam())));
  for (unsigned seed = 1; seed <= (is_whole_sweep() ? 10U : 1U); ++seed) {
    std::size_t pairs = 0;
    kill_everywhere(family, "first kills", World(scene()), {.run = 1, .seed = seed},
                    [&](const World& once, std::size_t first) {
                      const Mission recovery{.run = 2, .goal = GetParam(), .seed = seed + 100};
                      kill_everywhere(family, "pairs", once, recovery, [&](World& twice, std::size_t second) {
                        ++pairs;
                        expect_recovered(family, twice,
                                         concat("seed ", seed, ", killed before ", first, " and ", second), seed + 200);
                      });
                    });
    EXPECT_GE(pairs, 10000U);
  }
}

TEST_P(Crash, B27OneRecoveryLeavesAllOrNothing) {
  Family family(concat("one kill, then ", name_of(GetParam())));
  for (unsigned seed = 1; seed <= 20; ++seed) {
    kill_everywhere(family, "kills", World(scene()), {.run = 1, .seed = seed}, [&](World& once, std::size_t point) {
      const std::string cell = concat("seed ", seed, ", killed before ", point);
      const bool was_open = once.shelves[0].is_open();
      Process recovery(once, {.run = 2, .goal = GetParam(), .seed = seed + 100});
      recovery.run();
      family.judge(once, cell);
      if (recovery.code() != 0 || once.shelves[0].is_open()) return family.fails(once, cell, words_of(recovery));
      for (const auto& wanted : scene().releases[0].wanted) {
        const auto expected = GetParam() == Goal::back ? scene().before[wanted.tag] : wanted.content;
        if (was_open && once.names(wanted.tag) != expected) return family.fails(once, cell, "not where it should be");
      }
    });
  }
}

TEST_P(Crash, B27AWriteOnItsWayAtTheDeathIsWaitedFor) {
  Family family(concat("killed with a write on its way, then ", name_of(GetParam())));
  for (const auto late : {Duration(100), Duration(700), Duration(3000), Duration(9000)}) {
    World world(scene());
    Process process(world, {.run = 1});
    for (std::size_t point = 0; process.next() != nullptr && !family.is_hopeless(); ++point, process.perform()) {
      const Request request = *process.next();
      if (request.kind != Request::Kind::write) continue;
      World left = world;
      left.point_late(1, 0, request.tag, request.content, late);
      Process(process, left).die();
      const std::string cell = concat("killed before ", point, ", landed after ", late.count(), " ms");
      Process(left, {.run = 2, .goal = GetParam()}).run();
      left.pass(seconds(60));
      family.count("kills");
      family.judge(left, cell);
      for (const auto& wanted : scene().releases[0].wanted) {
        const auto expected = GetParam() == Goal::back ? scene().before[wanted.tag] : wanted.content;
        if (left.names(wanted.tag) != expected) {
          family.fails(left, cell, concat("not where it should be: ", scene().tags[wanted.tag].repository));
          break;
        }
      }
    }
  }
}

/// The undoing is killed, too, while its writes are on their way.
TEST_P(Crash, B27AnUndoingWriteOnItsWayIsWaitedFor) {
  Family family(concat("a roll-back killed with a write on its way, then ", name_of(GetParam())));
  for (const std::size_t share : {3U, 15U, 22U, 31U}) {
    World begun(scene());
    Process release(begun, {.run = 1});
    while (begun.history.entries.size() < 1 + share) release.perform();
    release.die();
    Process back(begun, {.run = 2, .goal = Goal::back});
    for (; back.next() != nullptr && !family.is_hopeless(); back.perform()) {
      const Request request = *back.next();
      if (request.kind != Request::Kind::write) continue;
      for (const auto late : {Duration(100), Duration(3000), Duration(9000)}) {
        World left = begun;
        left.point_late(2, 0, request.tag, request.content, late);
        Process(back, left).die();
        Process next(left, {.run = 3, .goal = GetParam()});
        next.run();
        left.pass(seconds(60));
        family.count("kills");
        const std::string cell = concat("landed after ", late.count(), " ms");
        family.judge(left, cell);
        if (next.code() != 0 || left.shelves[0].is_open()) family.fails(left, cell, words_of(next));
        if (GetParam() != Goal::back && !is_new(left, 0)) family.fails(left, cell, "not where it should be");
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Goals, Crash, ::testing::Values(Goal::publish, Goal::forward, Goal::back));

}  // namespace
}  // namespace crategate::simulation
