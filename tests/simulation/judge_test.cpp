// The judge can fail: for each invariant a history that breaks it, and drivers with defects.
#include "simulation/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "simulation/process.h"

namespace crategate::simulation {
namespace {

using pipeline::TagRank;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using Kind = Entry::Kind;

/// Hand-made histories of one release.
class Judge : public ::testing::Test {
 protected:
  const Scene scene_ = fourteen_images({"v1.1.0", "v1.2.0"});
  History history_{scene_.before, {}};

  void opened() { history_.entries.push_back({.kind = Kind::opened, .run = 1, .tags = ~std::uint64_t{0}}); }
  void closed() { history_.entries.push_back({.kind = Kind::closed, .run = 1}); }
  void ended(int code, int release = 0) {
    history_.entries.push_back({.kind = Kind::ended, .run = 1, .code = code, .release = release});
  }
  void wrote(std::size_t tag, Content content, int run = 1) {
    history_.entries.push_back({.kind = Kind::wrote, .run = run, .tag = tag, .now = content});
  }
  std::vector<Wanted> wanted(TagRank rank, std::size_t release = 0) const {
    std::vector<Wanted> found;
    for (const auto& each : scene_.releases[release].wanted) {
      if (scene_.tags[each.tag].rank == rank) found.push_back(each);
    }
    return found;
  }
  void wrote_all(TagRank last = TagRank::set, std::size_t release = 0) {
    for (const auto& each : scene_.releases[release].wanted) {
      if (scene_.tags[each.tag].rank <= last) wrote(each.tag, each.content);
    }
  }
  void publish() {
    opened();
    wrote_all();
    closed();
    ended(0);
  }
  std::vector<std::string> verdict() const { return judge(scene_, history_); }
};

TEST_F(Judge, AcceptsARelease) {
  publish();
  EXPECT_THAT(verdict(), IsEmpty());
}

TEST_F(Judge, AcceptsAReleaseThatWasUndone) {
  opened();
  wrote_all();
  for (const auto& each : scene_.releases[0].wanted) wrote(each.tag, scene_.before[each.tag]);
  closed();
  ended(51);
  EXPECT_THAT(verdict(), IsEmpty());
}

TEST_F(Judge, AcceptsAMixedStateWhileTheJournalIsOpen) {
  opened();
  wrote_all(TagRank::extra);
  wrote(wanted(TagRank::moving)[0].tag, wanted(TagRank::moving)[0].content);
  ended(52);
  EXPECT_THAT(verdict(), IsEmpty());
}

TEST_F(Judge, I1SeesWhatWasNotVerified) {
  const auto tag = wanted(TagRank::version)[0].tag;
  opened();
  wrote(tag, scene_.persons[tag]);
  EXPECT_THAT(verdict(), Contains(StartsWith("I1")));
}

TEST_F(Judge, I1SeesAnotherRepositorysImage) {
  opened();
  wrote(wanted(TagRank::version)[0].tag, wanted(TagRank::version)[1].content);
  EXPECT_THAT(verdict(), Contains(StartsWith("I1")));
}

TEST_F(Judge, I2SeesADoneVersionThatChanges) {
  publish();
  opened();
  wrote(wanted(TagRank::version)[0].tag, kNothing);
  EXPECT_THAT(verdict(), Contains(StartsWith("I2")));
}

TEST_F(Judge, I3SeesAWriteBeforeTheJournal) {
  const auto first = wanted(TagRank::version)[0];
  wrote(first.tag, first.content);
  opened();
  EXPECT_THAT(verdict(), Contains(StartsWith("I3")));
}

TEST_F(Judge, I3SeesAWriteAfterTheJournalWasClosed) {
  publish();
  wrote_all(TagRank::version, 1);
  EXPECT_THAT(verdict(), Contains(StartsWith("I3")));
}

TEST_F(Judge, I3SeesATagThatTheJournalDoesNotName) {
  const auto first = wanted(TagRank::version)[0];
  history_.entries.push_back({.kind = Kind::opened, .run = 1, .tags = ~(std::uint64_t{1} << first.tag)});
  wrote(first.tag, first.content);
  EXPECT_THAT(verdict(), Contains(StartsWith("I3")));
}

TEST_F(Judge, I4SeesASuccessThatIsNone) {
  opened();
  wrote_all(TagRank::moving);
  closed();
  ended(0);
  EXPECT_THAT(verdict(), Contains(StartsWith("I4")));
}

TEST_F(Judge, I5SeesAMixedEnd) {
  opened();
  wrote_all(TagRank::extra);
  wrote(wanted(TagRank::moving)[3].tag, wanted(TagRank::moving)[3].content);
  closed();
  ended(51);
  EXPECT_THAT(verdict(), Contains(StartsWith("I5")));
}

TEST_F(Judge, I5SeesARankAboveOneThatIsNotInPlace) {
  opened();
  for (const auto& each : wanted(TagRank::moving)) wrote(each.tag, each.content);
  closed();
  ended(21);
  EXPECT_THAT(verdict(), Contains(StartsWith("I5")));
}

TEST_F(Judge, I6SeesLatestGoBack) {
  opened();
  wrote_all(TagRank::set, 1);
  closed();
  ended(0, 1);
  opened();
  wrote_all();
  EXPECT_THAT(verdict(), Contains(StartsWith("I6")));
}

TEST_F(Judge, DoesNotJudgeAPerson) {
  publish();
  const auto latest = wanted(TagRank::moving)[0].tag;
  wrote(latest, scene_.persons[latest], kPerson);
  EXPECT_THAT(verdict(), IsEmpty());
}

TEST(Simulation, AnUndisturbedReleaseIsWhole) {
  const Scene scene = fourteen_images({"v1.1.0"});
  World world(scene);
  Process process(world, {});
  process.run();
  EXPECT_EQ(process.code(), 0);
  EXPECT_THAT(judge(scene, world.history), IsEmpty()) << text_of(scene, world.history);
  for (const auto& wanted : scene.releases[0].wanted) EXPECT_EQ(world.names(wanted.tag), wanted.content);
}

TEST(Simulation, TwoProcessesOfOneSeedDoTheSame) {
  const Scene scene = fourteen_images({"v1.1.0"});
  World one(scene), other(scene);
  Process(one, {.seed = 7}).run();
  Process(other, {.seed = 7}).run();
  EXPECT_EQ(text_of(scene, one.history), text_of(scene, other.history));
}

}  // namespace
}  // namespace crategate::simulation
