// Many runs one after the other, with deaths, faults, strangers and registries of every kind: whatever happened, the
// next undisturbed run ends well, and no invariant was broken on the way.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>

#include "base/strings.h"
#include "simulation/sweep.h"

namespace crategate::simulation {
namespace {

using pipeline::protocol::Goal;
using std::chrono::seconds;
using Kind = Request::Kind;

const Scene& scene() {
  static const Scene all = fourteen_images({"v1.1.0", "v1.2.0", "v1.3.0"});
  return all;
}
constexpr std::size_t kOldTags = 16;  ///< those that were there before: what a person would move

class Sequence {
 public:
  explicit Sequence(unsigned seed) : random_(seed), world_(scene()) {
    world_.quirks.no_delete = chance(3);
    world_.quirks.immutable_versions = chance(3);
    constexpr std::array kLags = {0, 0, 0, 50, 1000, 4000};
    world_.quirks.lag = Duration(kLags.at(random_() % kLags.size()));
    circumstances_.no_delete = world_.quirks.no_delete;
    faults_ = chance(2) ? 300 : 30;
    deaths_ = chance(2) ? 200 : 100000;
    persons_ = chance(3) ? 500 : 1000000;
  }

  /// What is broken; empty = nothing.
  std::string play() {
    const std::size_t runs = 1 + random_() % 6;
    for (std::size_t i = 0; i < runs; ++i) {
      if (auto broken = one_run(); !broken.empty()) return broken;
    }
    return last_runs();
  }
  const World& world() const { return world_; }

 private:
  bool chance(unsigned one_in) { return random_() % one_in == 0; }

  std::string one_run() {
    if (release_ + 1 < scene().releases.size() && chance(3)) ++release_;
    constexpr std::array kGoals = {Goal::publish, Goal::publish, Goal::publish, Goal::forward, Goal::back};
    Process process(world_, {.run = ++runs_,
                             .release = chance(8) ? random_() % (release_ + 1) : release_,
                             .goal = kGoals.at(random_() % kGoals.size()),
                             .seed = static_cast<unsigned>(random_())});
    std::optional<Kind> lasting;
    while (process.next() != nullptr) {
      const Request request = *process.next();
      if (chance(deaths_)) {
        if (request.kind == Kind::write) {
          world_.point_late(runs_, 0, request.tag, request.content, Duration(random_() % 9000));
        }
        process.die();
        return verdict();
      }
      if (chance(persons_)) {
        const auto tag = random_() % kOldTags;
        world_.person(tag, scene().persons[tag]);
      }
      Fault fault = chance(faults_) || lasting == request.kind ? any_fault(request.kind) : Fault::none;
      if (fault != Fault::none && chance(6)) lasting = request.kind;
      process.perform(fault, Duration(random_() % 9000));
    }
    if (!is_documented(process.code())) return concat("ended with ", process.code(), ": ", words_of(process));
    if (chance(2)) world_.pass(Duration(10000 + random_() % 10000));
    return verdict();
  }

  static bool is_forward(const Process& process) { return !process.state().journal.undone_from; }

  Fault any_fault(Kind kind) {
    constexpr std::array kAll = {Fault::forbidden,    Fault::immutable,    Fault::unavailable,
                                 Fault::lost_answer,  Fault::rate_limited, Fault::late,
                                 Fault::late_refused, Fault::wrong_digest, Fault::cancelled};
    constexpr std::array kKeep = {Fault::no_space, Fault::lost_answer, Fault::unavailable};
    if (kind == Kind::wait) return Fault::none;
    if (kind == Kind::keep) return kKeep.at(random_() % kKeep.size());
    const Fault fault = kAll.at(random_() % kAll.size());
    const bool is_late = fault == Fault::late || fault == Fault::late_refused;
    return is_late && kind != Kind::write ? Fault::unavailable : fault;
  }

  std::string verdict() const {
    const auto broken = judge(scene(), world_.history, circumstances_);
    return join(broken, "; ");
  }

  /// Undisturbed; where a stranger's tag stands in the way, a person decides first.
  std::string last_runs() {
    world_.pass(seconds(60));
    world_.quirks = {.no_delete = world_.quirks.no_delete};
    Process process(world_, {.run = ++runs_, .release = release_, .seed = 1});
    process.run();
    if (process.code() == 52) {
      Process decided(world_, {.run = ++runs_, .goal = Goal::forward, .seed = 2});
      decided.run();
      Process again(world_, {.run = ++runs_, .release = release_, .seed = 3});
      again.run();
      if (again.code() != 0) return concat("after recover --forward: ", words_of(again));
    } else if (process.code() != 0) {
      return concat("the last run ended with ", process.code(), ": ", words_of(process));
    }
    world_.pass(seconds(60));
    if (world_.shelves[0].is_open()) return "the journal is open";
    if (!is_new(world_, release_)) return "not everything is new";
    return verdict();
  }

  std::mt19937 random_;
  World world_;
  Circumstances circumstances_;
  std::size_t release_ = 0;
  int runs_ = 0;
  unsigned faults_, deaths_, persons_;
};

TEST(Random, SequencesOfRunsNeverBreakAnInvariant) {
  Family family("random sequences");
  const char* only = std::getenv("CRATEGATE_SEED");
  const unsigned first = only == nullptr ? 1 : static_cast<unsigned>(std::stoul(only));
  const unsigned last = only != nullptr ? first : (is_whole_sweep() ? 40000 : 4000);
  for (unsigned seed = first; seed <= last && !family.is_hopeless(); ++seed) {
    Sequence sequence(seed);
    const auto broken = sequence.play();
    family.count("sequences");
    family.count("runs", static_cast<std::size_t>(
                             std::ranges::count_if(sequence.world().history.entries, [](const Entry& entry) {
                               return entry.kind == Entry::Kind::ended || entry.kind == Entry::Kind::died;
                             })));
    if (!broken.empty()) family.fails(sequence.world(), concat("CRATEGATE_SEED=", seed), broken);
  }
}

}  // namespace
}  // namespace crategate::simulation
