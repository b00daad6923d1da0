// Every request of a release and of its recovery × every fault: the run succeeds or says why, and after one run more
// nothing is mixed (B06, B09, B11, B37).
#include <gtest/gtest.h>

#include <array>

#include "base/strings.h"
#include "simulation/sweep.h"

namespace crategate::simulation {
namespace {

using pipeline::protocol::Goal;
using std::chrono::seconds;
using Kind = Request::Kind;

const Scene& scene() {
  static const Scene all = fourteen_images({"v1.1.0"});
  return all;
}

constexpr std::array kFaults = {Fault::forbidden,    Fault::immutable, Fault::unavailable,  Fault::lost_answer,
                                Fault::rate_limited, Fault::late,      Fault::late_refused, Fault::wrong_digest,
                                Fault::not_found,    Fault::no_space,  Fault::cancelled};

bool is_possible(Kind kind, Fault fault) {
  if (kind == Kind::wait) return fault == Fault::cancelled;
  if (fault == Fault::no_space) return kind == Kind::keep;
  if (fault == Fault::late || fault == Fault::late_refused) return kind == Kind::write;
  if (kind == Kind::keep)
    return fault == Fault::lost_answer || fault == Fault::unavailable || fault == Fault::cancelled;
  return true;
}

/// Whether it also meets this one: once, or from then on every one of its kind, or of its kind and tag.
enum class Extent : unsigned char { once, tag, kind };

std::string_view to_string(Extent extent) {
  constexpr std::array<std::string_view, 3> kNames = {"once", "for that tag", "for all"};
  return kNames.at(static_cast<std::size_t>(extent));
}

struct Cell {
  std::size_t request;
  Fault fault;
  Extent extent;
  Duration late{1000};
};

void run_with(Process& process, const Cell& cell) {
  std::optional<Request> met;
  for (std::size_t number = 0; process.next() != nullptr; ++number) {
    const Request request = *process.next();
    bool meets = number == cell.request;
    if (met && cell.extent != Extent::once && request.kind == met->kind) {
      meets = cell.extent == Extent::kind || request.tag == met->tag;
    }
    if (number == cell.request) met = request;
    process.perform(meets ? cell.fault : Fault::none, cell.late);
  }
}

/// After the run that met the fault: documented, not mixed unless the journal is open; then one undisturbed run.
void expect_recovered(Family& family, World& world, const Process& process, const std::string& cell,
                      const Circumstances& circumstances = {}) {
  family.count("cells");
  family.count(concat("ended with ", process.code()));
  if (!is_documented(process.code())) family.fails(world, cell, words_of(process));
  family.judge(world, cell, circumstances);
  Process next(world, {.run = 9, .seed = 5});
  next.run();
  world.pass(seconds(60));
  family.judge(world, concat(cell, ", and one run more"), circumstances);
  if (next.code() != 0 || !is_new(world, 0)) family.fails(world, concat(cell, ", and one run more"), words_of(next));
}

void sweep(Family& family, const World& start, const Mission& mission) {
  World counted = start;
  Process undisturbed(counted, mission);
  std::vector<Kind> requests;
  for (; undisturbed.next() != nullptr; undisturbed.perform()) requests.push_back(undisturbed.next()->kind);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    for (const auto fault : kFaults) {
      if (!is_possible(requests[i], fault)) continue;
      // To an explicit recovery a tag that is gone is a stranger's, and left alone.
      if (mission.goal != Goal::publish && requests[i] == Kind::look && fault == Fault::not_found) continue;
      for (const auto extent : {Extent::once, Extent::tag, Extent::kind}) {
        for (const auto late : {Duration(50), Duration(9000)}) {
          if (fault != Fault::late && fault != Fault::late_refused && late != Duration(50)) continue;
          if (family.is_hopeless()) return;
          World world = start;
          Process process(world, mission);
          run_with(process, {i, fault, extent, late});
          expect_recovered(family, world, process,
                           concat("request ", i, " (", to_string(requests[i]), ") ", to_string(fault), " ",
                                  to_string(extent), ", ", late.count(), " ms"),
                           {.no_delete = fault == Fault::immutable});
        }
      }
    }
  }
}

World no_delete() {
  World world(scene());
  world.quirks.no_delete = true;
  return world;
}

TEST(Faults, OfEveryRequestOfARelease) {
  Family family("faults of a release");
  sweep(family, World(scene()), {.run = 1});
  EXPECT_GE(family.of("cells"), 600U);
}

/// Killed when `share` of the tags were written.
World half_done(std::size_t share) {
  World world(scene());
  Process process(world, {.run = 1, .seed = 3});
  while (world.history.entries.size() < 1 + share) process.perform();
  process.die();
  return world;
}

class FaultsOfARecovery : public ::testing::TestWithParam<Goal> {};

TEST_P(FaultsOfARecovery, OfEveryRequest) {
  Family family(concat("faults of a recovery: ", name_of(GetParam())));
  for (const std::size_t share : {7U, 22U, 29U}) sweep(family, half_done(share), {.run = 2, .goal = GetParam()});
}

INSTANTIATE_TEST_SUITE_P(Goals, FaultsOfARecovery, ::testing::Values(Goal::publish, Goal::forward, Goal::back));

TEST(Faults, LostAnswersAloneNeverEndARelease) {
  Family family("lost answers");
  for (const auto extent : {Extent::once, Extent::kind}) {
    for (std::size_t request = 0; request < 250; ++request) {
      World world(scene());
      Process process(world, {.run = 1});
      for (std::size_t i = 0; process.next() != nullptr; ++i) {
        const bool meets =
            process.next()->kind == Kind::write && (i == request || (extent == Extent::kind && i > request));
        process.perform(meets ? Fault::lost_answer : Fault::none);
      }
      family.count("cells");
      if (process.code() != 0) return family.fails(world, concat("request ", request), words_of(process));
    }
  }
}

/// Registries that refuse, from every point on, and for good.
void expect_refused(Family& family, World world, const std::string& cell) {
  Process process(world, {.run = 1});
  process.run();
  family.count("cells");
  family.count(concat("ended with ", process.code()));
  const Circumstances circumstances{.no_delete = world.quirks.no_delete};
  if (!is_documented(process.code())) family.fails(world, cell, words_of(process));
  family.judge(world, cell, circumstances);
  Process again(world, {.run = 2});
  again.run();
  family.judge(world, concat(cell, ", again"), circumstances);
  world.quirks = {};
  Process mended(world, {.run = 3});
  mended.run();
  family.judge(world, concat(cell, ", mended"), circumstances);
  if (mended.code() != 0 || !is_new(world, 0)) family.fails(world, concat(cell, ", mended"), words_of(mended));
}

TEST(Faults, B37ARegistryThatTurnsReadOnlyAtEveryWrite) {
  Family family("read-only from a write on");
  for (std::size_t write = 0; write < 32 && !family.is_hopeless(); ++write) {
    World world(scene());
    world.quirks.read_only_from = write;
    expect_refused(family, world, concat("from write ", write));
  }
}

TEST(Faults, ARepositoryThatTakesNoWrites) {
  Family family("a forbidden repository");
  for (const bool can_delete : {true, false}) {
    for (std::size_t tag = 0; tag < scene().tags.size() && !family.is_hopeless(); ++tag) {
      World world = can_delete ? World(scene()) : no_delete();
      world.quirks.forbidden = tag;
      expect_refused(family, world, concat("tag ", tag, can_delete ? "" : ", tags cannot be removed"));
    }
  }
}

TEST(Faults, ContentThatTheRegistryCollected) {
  Family family("collected content");
  for (const std::size_t share : {0U, 7U, 16U, 22U}) {
    for (const auto& wanted : scene().releases[0].wanted) {
      for (const bool can_delete : {true, false}) {
        if (family.is_hopeless()) return;
        World world = share == 0 ? World(scene()) : half_done(share);
        world.quirks.no_delete = !can_delete;
        const std::string cell = concat("after ", share, " writes, content of tag ", wanted.tag);
        world.collected[wanted.content] = true;
        Process process(world, {.run = 2});
        process.run();
        family.count("cells");
        family.count(concat("ended with ", process.code()));
        if (!is_documented(process.code())) family.fails(world, cell, words_of(process));
        family.judge(world, cell, {.no_delete = !can_delete});
        world.collected[wanted.content] = false;
        Process again(world, {.run = 3});
        again.run();
        family.judge(world, concat(cell, ", built again"), {.no_delete = !can_delete});
        if (again.code() != 0) family.fails(world, concat(cell, ", built again"), words_of(again));
      }
    }
  }
}

TEST(Faults, ReadsThatLagBehindAreWaitedFor) {
  Family family("lagging reads × faults of writes");
  for (const auto lag : {Duration(0), Duration(100), Duration(2000), Duration(30000), Duration(59900)}) {
    for (const auto fault :
         {Fault::none, Fault::forbidden, Fault::unavailable, Fault::lost_answer, Fault::wrong_digest}) {
      for (std::size_t write = 0; write < 32; ++write) {
        if (family.is_hopeless()) return;
        World world(scene());
        world.quirks.lag = lag;
        Process process(world, {.run = 1});
        for (std::size_t i = 0; process.next() != nullptr;) {
          const bool writes = process.next()->kind == Kind::write;
          process.perform(writes && i == write ? fault : Fault::none);
          if (writes) ++i;
        }
        world.pass(seconds(60));
        const std::string cell = concat("lag ", lag.count(), " ms, write ", write, " ", to_string(fault));
        if (fault == Fault::none && process.code() != 0) family.fails(world, cell, words_of(process));
        expect_recovered(family, world, process, cell);
      }
    }
  }
}

}  // namespace
}  // namespace crategate::simulation
