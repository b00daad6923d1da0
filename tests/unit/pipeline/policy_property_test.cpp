// What no configuration and no combination of facts can bring about (A84, P-EV-4, P-EV-8).
#include <gtest/gtest.h>

#include <random>

#include "pipeline/policy.h"
#include "unit/pipeline/sample.h"

namespace crategate::pipeline {
namespace {

constexpr unsigned kSeed = 20261121;
constexpr int kRounds = 4000;

class Dice {
 public:
  bool coin() { return roll(2) == 0; }
  unsigned roll(unsigned sides) { return std::uniform_int_distribution<unsigned>(0, sides - 1)(engine_); }
  std::optional<bool> maybe() { return coin() ? std::optional<bool>(coin()) : std::nullopt; }

 private:
  std::mt19937 engine_{kSeed};
};

Event any_event(Dice& dice) {
  const std::vector<Event> events = {sample::pull_request(),
                                     sample::pull_request("other"),
                                     sample::tag_push(),
                                     sample::tag_push("nightly"),
                                     sample::event(EventKind::branch_push, "push"),
                                     sample::event(EventKind::schedule, "schedule"),
                                     sample::event(EventKind::dispatch, "workflow_dispatch"),
                                     sample::event(EventKind::unknown, "merge_group"),
                                     sample::event(EventKind::unknown, "anything")};
  Event event = events[dice.roll(static_cast<unsigned>(events.size()))];
  // A push that the payload showed to be a pull request keeps its name.
  if (event.kind == EventKind::pull_request && dice.coin()) event.name = "push";
  event.rebuild_base = dice.coin();
  event.deleted = dice.roll(10) == 0;
  return event;
}

ChangedPaths any_changes(Dice& dice) {
  if (dice.coin()) return {.why_not = "shallow"};
  const std::vector<std::vector<std::string>> sets = {{}, {"README.md"}, {"src/a"}, {"pyproject.toml", "README.md"}};
  return {.paths = sets[dice.roll(4)]};
}

config::Configuration any_configuration(Dice& dice) {
  auto project = sample::configuration();
  for (const auto* name : {"pull_request", "push", "schedule", "workflow_dispatch", "merge_group", "anything"}) {
    if (dice.coin()) continue;
    project.policy[name] = {.all_cells = dice.maybe(), .cache_write = dice.maybe(), .latest = dice.maybe()};
    if (dice.coin()) project.policy[name].fresh = static_cast<config::Fresh>(dice.roll(3));
  }
  project.release.latest = static_cast<config::LatestPolicy>(dice.roll(3));
  project.release.version_tag = static_cast<config::VersionTagPolicy>(dice.roll(3));
  if (dice.coin()) project.cache.clear();
  if (dice.coin()) project.watch.clear();
  return project;
}

TEST(PolicyProperty, HoldsForEveryConfiguration) {
  Dice dice;
  int runs = 0, pushes = 0;
  for (int round = 0; round < kRounds; ++round) {
    const PolicyFacts facts{.event = any_event(dice),
                            .pull_request_changes = any_changes(dice),
                            .last_commit_changes = any_changes(dice),
                            .workflow_file = "w.yml",
                            .is_prerelease = dice.coin(),
                            .publish = dice.coin(),
                            .version_tag_exists_at_head = dice.coin()};
    const auto policy = decide_policy(facts, any_configuration(dice));
    runs += policy.should_run ? 1 : 0;
    pushes += policy.push ? 1 : 0;
    const bool by_pull_request_rules =
        policy.trigger == "pull-request" || facts.event.kind == EventKind::pull_request ||
        facts.event.kind == EventKind::unknown || facts.event.kind == EventKind::branch_push;
    const bool writes = policy.push || policy.candidate || policy.cache_write || policy.refresh_cache || policy.latest;
    ASSERT_FALSE(by_pull_request_rules && (writes || policy.cache_read || policy.watch_base)) << round;
    ASSERT_FALSE(by_pull_request_rules && policy.should_run && !policy.fresh) << round;
    ASSERT_FALSE(!facts.publish && writes) << round;
    ASSERT_FALSE(policy.fresh && (policy.cache_read || policy.watch_base)) << round;
    ASSERT_FALSE(policy.latest && !policy.push) << round;
    ASSERT_FALSE(!policy.should_run && (writes || policy.cache_read || policy.fresh || policy.trigger != "none"))
        << round;
    ASSERT_FALSE(facts.event.deleted && policy.should_run) << round;
    ASSERT_FALSE(policy.reasons.empty()) << round;
  }
  EXPECT_GT(runs, kRounds / 10);
  EXPECT_GT(pushes, kRounds / 20);
}

}  // namespace
}  // namespace crategate::pipeline
