// A person points a tag elsewhere, at every point of the protocol: it is kept and reported, or it was between the last
// look at that tag and its write.
#include <gtest/gtest.h>

#include "base/strings.h"
#include "simulation/sweep.h"

namespace crategate::simulation {
namespace {

using pipeline::protocol::Goal;
using Kind = Request::Kind;

const Scene& scene() {
  static const Scene all = fourteen_images({"v1.1.0"});
  return all;
}

struct Move {
  std::size_t before, tag;  ///< before which request
};

/// Whether `tag` was looked at between the move and the write that undid it.
struct Watch {
  bool started_from = false, looked = false, overwritten = false, seen = false;
  void see(const Request& request, std::size_t tag) {
    if (request.tag != tag) return;
    if (request.kind == Kind::read && !overwritten) started_from = true;
    if (request.kind == Kind::look && !overwritten) seen = true;
    if (request.kind == Kind::write && !overwritten) {
      overwritten = true;
      looked = seen;
    }
  }
};

std::string tag_name(std::size_t tag) { return concat(scene().tags[tag].repository, ":", scene().tags[tag].tag); }

void expect_kept(Family& family, const World& start, const Mission& mission, const Move& move, bool first_run) {
  World world = start;
  Process process(world, mission);
  Watch watch;
  bool surveyed = !first_run;
  for (std::size_t i = 0; process.next() != nullptr; ++i) {
    if (i == move.before) world.person(move.tag, scene().persons[move.tag]);
    if (i < move.before && process.next()->kind == Kind::read && process.next()->tag == move.tag) surveyed = true;
    if (i >= move.before) watch.see(*process.next(), move.tag);
    process.perform();
  }
  family.count("moves");
  const std::string cell = concat("before request ", move.before, ": ", tag_name(move.tag));
  family.judge(world, cell);
  if (!is_documented(process.code())) family.fails(world, cell, words_of(process));
  if (!surveyed || watch.started_from) return family.count("before the survey");  // it is what the release starts from
  if (watch.overwritten) {
    family.count("inside the window");
    if (watch.looked) family.fails(world, cell, concat("was seen and overwritten: ", words_of(process)));
    return;
  }
  if (!watch.seen) return family.count("after the last look");
  family.count("kept and reported");
  if (world.names(move.tag) != scene().persons[move.tag]) family.fails(world, cell, "was not kept");
  const bool reported = process.code() == 50 || process.code() == 52;
  if (!reported || words_of(process).find(tag_name(move.tag)) == std::string::npos) {
    family.fails(world, cell, concat("was not reported: ", words_of(process)));
  }
}

void sweep(Family& family, const World& start, const Mission& mission, bool first_run) {
  World counted = start;
  Process undisturbed(counted, mission);
  std::size_t requests = 0;
  for (; undisturbed.next() != nullptr; undisturbed.perform()) ++requests;
  for (std::size_t before = 0; before < requests; ++before) {
    for (const auto& wanted : scene().releases[0].wanted) {
      if (family.is_hopeless()) return;
      expect_kept(family, start, mission, {before, wanted.tag}, first_run);
    }
  }
}

TEST(Person, IsKeptAndReportedInARelease) {
  Family family("a person's move in a release");
  sweep(family, World(scene()), {.run = 1}, true);
}

class PersonInARecovery : public ::testing::TestWithParam<Goal> {};

TEST_P(PersonInARecovery, IsKeptAndReported) {
  Family family(concat("a person's move in a recovery: ", name_of(GetParam())));
  for (const std::size_t share : {7U, 22U}) {
    World world(scene());
    Process process(world, {.run = 1, .seed = 3});
    while (world.history.entries.size() < 1 + share) process.perform();
    process.die();
    sweep(family, world, {.run = 2, .goal = GetParam()}, false);
  }
}

INSTANTIATE_TEST_SUITE_P(Goals, PersonInARecovery, ::testing::Values(Goal::publish, Goal::forward, Goal::back));

/// One write fails as well: what was written of that rank must not stay in part.
TEST(Person, AndAFaultLeaveNothingMixed) {
  Family family("a person's move and a fault");
  for (const auto fault :
       {Fault::forbidden, Fault::unavailable, Fault::lost_answer, Fault::late, Fault::late_refused}) {
    for (std::size_t write = 0; write < 32; ++write) {
      for (const auto& wanted : scene().releases[0].wanted) {
        if (family.is_hopeless()) return;
        World world(scene());
        Process process(world, {.run = 1});
        for (std::size_t i = 0; process.next() != nullptr;) {
          const bool writes = process.next()->kind == Kind::write;
          const bool now = writes && i == write;
          process.perform(now ? fault : Fault::none);
          if (now) world.person(wanted.tag, scene().persons[wanted.tag]);
          if (writes) ++i;
        }
        family.count("cells");
        family.count(concat("ended with ", process.code()));
        const std::string cell =
            concat("write ", write, " ", to_string(fault), ", a person moves ", tag_name(wanted.tag));
        if (!is_documented(process.code())) family.fails(world, cell, words_of(process));
        family.judge(world, cell);
      }
    }
  }
}

}  // namespace
}  // namespace crategate::simulation
