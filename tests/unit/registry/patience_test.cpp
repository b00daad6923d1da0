#include "registry/patience.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "support/fakes.h"

namespace crategate::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct Paced {
  test::FakeClock clock;
  Pacing pacing{clock};
  net::Deadline deadline{clock, minutes(2)};
};

TEST(RetryBudget, IsEarnedByTenAnswersAndNeverGrowsBeyondItsStart) {
  RetryBudget budget(2);
  EXPECT_TRUE(budget.take());
  EXPECT_TRUE(budget.take());
  EXPECT_FALSE(budget.take());
  for (int i = 0; i < 9; ++i) budget.earn();
  EXPECT_FALSE(budget.take());
  budget.earn();
  EXPECT_TRUE(budget.take());
  for (int i = 0; i < 1000; ++i) budget.earn();
  EXPECT_TRUE(budget.take());
  EXPECT_TRUE(budget.take());
  EXPECT_FALSE(budget.take());
}

TEST(RegistryPacing, HoldsNobodyBackBeforeAPauseIsAskedFor) {
  Paced paced;
  EXPECT_EQ(paced.pacing.enter("a", paced.deadline).value(), false);
  paced.pacing.leave("a", false, std::nullopt);
  EXPECT_TRUE(paced.clock.sleeps().empty());
}

TEST(RegistryPacing, B06WaitsForThePauseAndSendsOneProbe) {
  Paced paced;
  paced.pacing.leave("a", false, seconds(5));
  EXPECT_EQ(paced.pacing.enter("b", paced.deadline).value(), false) << "another registry";
  EXPECT_EQ(paced.pacing.enter("a", paced.deadline).value(), true);
  EXPECT_EQ(paced.clock.sleeps(), (std::vector<milliseconds>{seconds(5)}));
  paced.pacing.leave("a", true, std::nullopt);
  EXPECT_EQ(paced.pacing.enter("a", paced.deadline).value(), false) << "the probe succeeded";
}

TEST(RegistryPacing, KeepsTheLongestPause) {
  Paced paced;
  paced.pacing.leave("a", false, seconds(9));
  paced.pacing.leave("a", false, seconds(1));
  EXPECT_TRUE(paced.pacing.enter("a", paced.deadline).value());
  EXPECT_EQ(paced.clock.sleeps(), (std::vector<milliseconds>{seconds(9)}));
}

TEST(RegistryPacing, B06EndsWhenThePauseOutlastsTheOperation) {
  Paced paced;
  paced.pacing.leave("a", false, std::chrono::hours(24));
  const auto entered = paced.pacing.enter("a", paced.deadline);
  ASSERT_FALSE(entered);
  EXPECT_EQ(entered.error().code, ErrorCode::rate_limited);
  EXPECT_TRUE(paced.clock.sleeps().empty());
}

TEST(RegistryPacing, B06SaysUntilWhenAndWhichLimitWhereNobodyMayWaitSoLong) {
  Paced paced;
  paced.pacing.leave("a", false, seconds(90), "limit 100 in 1 h 00 min, 0 left");
  paced.pacing.leave("a", false, seconds(1), "a shorter one");
  const auto entered = paced.pacing.enter("a", paced.deadline);
  ASSERT_FALSE(entered) << "the operation has two minutes, a registry one of them";
  EXPECT_EQ(entered.error().message,
            "registry a: expected an end of its pause, found 1 min 30 s more, until 2026-11-20T09:30:48Z "
            "(limit 100 in 1 h 00 min, 0 left)");
  EXPECT_EQ(entered.error().hint, "run again after that time; logging in raises most limits");
  paced.clock.advance(seconds(30));
  EXPECT_TRUE(paced.pacing.enter("a", paced.deadline).value()) << "what is left of it is not too long";
  EXPECT_EQ(paced.clock.sleeps(), (std::vector<milliseconds>{seconds(60)}));
}

TEST(RegistryPacing, NeverMakesAProbeOfWhatMayWaitForAnotherRequest) {
  Paced paced;
  paced.pacing.leave("a", false, seconds(5));
  EXPECT_EQ(paced.pacing.enter("a", paced.deadline, false).value(), false);
  EXPECT_EQ(paced.clock.sleeps(), (std::vector<milliseconds>{seconds(5)})) << "the pause holds for it, too";
  EXPECT_EQ(paced.pacing.enter("a", paced.deadline).value(), true);
}

TEST(RegistryPacing, B06LetsTheOthersFollowTheProbe) {
  Paced paced;
  paced.pacing.leave("a", false, seconds(1));
  ASSERT_TRUE(paced.pacing.enter("a", paced.deadline).value());
  std::atomic<int> through = 0, probes = 0;
  std::vector<std::thread> legs;
  for (int i = 0; i < 4; ++i) {
    legs.emplace_back([&] {
      net::Deadline deadline(paced.clock, minutes(2));
      const auto entered = paced.pacing.enter("a", deadline);
      if (entered && *entered) ++probes;
      ++through;
      paced.pacing.leave("a", entered && *entered, std::nullopt);
    });
  }
  EXPECT_EQ(through, 0) << "nobody passes the probe";
  paced.pacing.leave("a", true, std::nullopt);
  for (auto& leg : legs) leg.join();
  EXPECT_EQ(through, 4);
  EXPECT_EQ(probes, 0);
}

}  // namespace
}  // namespace crategate::registry
