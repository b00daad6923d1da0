// The protocol of a release, transition by transition: each line of it, and each that a simulation found missing.
#include "pipeline/release_protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/pipeline/protocol_sample.h"

namespace crategate::pipeline::protocol::sample {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(Protocol, D0IsOneWayFromTheOpeningToTheEnd) {
  begin_release();
  look();
  EXPECT_THAT(write(), ElementsAre(kVersionA, kVersionB));
  look();
  EXPECT_THAT(write(), ElementsAre(kEdge));
  look();
  EXPECT_THAT(write(), ElementsAre(kLatestA, kLatestB));
  look();
  EXPECT_THAT(write(), ElementsAre(kSet));
  look();
  EXPECT_EQ(keep(), JournalState::done);
  EXPECT_EQ(code(), 0);
}

TEST_F(Protocol, D1ALeaseThatSomebodyElseHoldsEndsIt) {
  step_ = protocol::begin(Goal::publish);
  answer(Failed{error(ErrorCode::conflict)});
  EXPECT_EQ(code(), 50);
}

TEST_F(Protocol, D1EveryReleaseHasAnEpochOfItsOwn) {
  begin(Goal::publish, journal(JournalState::done));
  answer(Surveyed{journal()});
  EXPECT_EQ(asked<Keep>().journal.epoch, 5);
}

TEST_F(Protocol, D3B35WhatDoesNotPassEndsItBeforeTheJournal) {
  begin(Goal::publish, std::nullopt);
  asked<Survey>();
  answer(Failed{error(ErrorCode::gate_refused)});
  EXPECT_EQ(code(), 10);
}

TEST_F(Protocol, D4NothingIsWrittenWithoutADurableJournal) {
  begin(Goal::publish, std::nullopt);
  answer(Surveyed{journal()});
  EXPECT_EQ(asked<Keep>().journal.state, JournalState::open);
  answer(Failed{error(ErrorCode::no_space)});
  EXPECT_EQ(code(), 41);
}

TEST_F(Protocol, D4NothingToMoveNeedsNoJournal) {
  begin(Goal::publish, std::nullopt);
  answer(Surveyed{});
  EXPECT_EQ(code(), 0);
}

TEST_F(Protocol, D5AVersionThatIsThereInPartIsLeftToTheNextRun) {
  begin_release();
  look();
  write({{kVersionB, ErrorCode::unavailable}});
  look();
  EXPECT_EQ(code(), 24);
  EXPECT_THAT(ending().details, Contains(HasSubstr("b:v1.1.0")));
}

TEST_F(Protocol, D5ARefusedVersionIsUndone) {
  begin_release();
  look();
  write({{kVersionB, ErrorCode::forbidden}});
  look();
  turn_back(TagRank::version);
  EXPECT_THAT(asked<Write>().orders, ElementsAre(Order{kVersionA, std::nullopt}));
  write();
  look();
  EXPECT_EQ(keep(), JournalState::rolled_back);
  EXPECT_EQ(code(), 51);
}

TEST_F(Protocol, D6AStrangersTagIsNeverOverwritten) {
  begin_release();
  publish_versions();
  tags_[kLatestB] = kTheirs;
  look();
  EXPECT_EQ(keep(), JournalState::stopped);
  EXPECT_EQ(code(), 50);
  EXPECT_THAT(ending().error->message, HasSubstr("b:latest"));
}

TEST_F(Protocol, B30AStoppedReleaseRemembersWhatItMoved) {
  begin_release();
  publish_versions();
  look();
  write();
  tags_[kLatestB] = kTheirs;
  look();
  EXPECT_THAT(asked<Keep>().journal.last.versions,
              ElementsAre(std::pair<const std::string, std::string>("latest", "v1.1.0")));
  EXPECT_EQ(keep(), JournalState::stopped);
}

TEST_F(Protocol, D7MovingTagsInPartAreUndone) {
  begin_release();
  publish_versions();
  look();
  write({{kLatestB, ErrorCode::rate_limited}});
  look();
  turn_back(TagRank::moving);
  EXPECT_THAT(asked<Write>().orders, ElementsAre(Order{kLatestA, kOld}));
  write();
  look();
  EXPECT_EQ(keep(), JournalState::rolled_back);
  EXPECT_EQ(code(), 51);
  EXPECT_EQ(tags_[kVersionA], kNew);
}

TEST_F(Protocol, D7NoMovingTagWrittenLeavesItToTheNextRun) {
  begin_release();
  publish_versions();
  look();
  write({{kLatestA, ErrorCode::rate_limited}, {kLatestB, ErrorCode::rate_limited}});
  look();
  EXPECT_EQ(code(), 23);
}

TEST_F(Protocol, D7ALostAnswerOfOneRankDoesNotEndTheNext) {
  begin_release();
  look();
  write({{kVersionB, ErrorCode::unavailable}}, true);
  look();
  EXPECT_THAT(write(), ElementsAre(kEdge));
}

TEST_F(Protocol, D8WhatLagsIsWaitedForAMinute) {
  begin_release();
  look();
  write();
  tags_[kVersionA] = std::nullopt;
  for (int i = 0; i < 120; ++i) {
    look();
    wait(kLagStep);
  }
  look();
  EXPECT_EQ(code(), 24);
  EXPECT_THAT(ending().error->message, HasSubstr("a:v1.1.0"));
}

TEST_F(Protocol, D8WhatLaggedForAMinuteIsNotTheNextRanksFault) {
  begin_release();
  look();
  write();
  tags_[kVersionA] = std::nullopt;
  for (int i = 0; i < 120; ++i) {
    look();
    wait(kLagStep);
  }
  tags_[kVersionA] = kNew;
  look();
  EXPECT_THAT(write(), ElementsAre(kEdge));
}

TEST_F(Protocol, D8AfterALostAnswerItSettlesBeforeTheEnd) {
  begin_release();
  publish_versions();
  look();
  write({{kLatestB, ErrorCode::unavailable}}, true);
  look();
  write();
  look();
  wait(kSettle);
  look();
  EXPECT_EQ(keep(), JournalState::done);
}

TEST_F(Protocol, ARefusalBesideALostAnswerSettlesBeforeItSaysThatNothingWasWritten) {
  begin_release();
  publish_versions();
  look();
  write({{kLatestA, ErrorCode::unavailable}, {kLatestB, ErrorCode::forbidden}});
  look();  // nothing to be seen, but perhaps on its way
  turn_back(TagRank::moving);
  EXPECT_THAT(write(), ElementsAre(kLatestA));
  tags_[kLatestA] = kNew;  // it arrives after all
  look();
  wait(kLagStep);
  tags_[kLatestA] = kOld;
  look();
  wait(kSettle);
  look();
  EXPECT_EQ(keep(), JournalState::rolled_back);
}

TEST_F(Protocol, B09ARefusalAfterATryWithoutAnswerSettles) {
  begin_release();
  publish_versions();
  look();
  Error refused = error(ErrorCode::forbidden);
  refused.unsettled = true;
  asked<Write>();
  tags_[kLatestB] = std::nullopt;
  answer(Wrote{{refused, not_tried()}, {}});
  look();
  turn_back(TagRank::moving);
  EXPECT_THAT(write(), ElementsAre(kLatestA)) << "it may be on its way";
  tags_[kLatestA] = kNew;  // it was
  look();
  wait(kLagStep);
  tags_[kLatestA] = kOld;
  look();
  wait(kSettle);
  look();
  EXPECT_EQ(keep(), JournalState::rolled_back);
}

TEST_F(Protocol, ARefusalAloneNeedsNoSettling) {
  begin_release();
  publish_versions();
  look();
  write({{kLatestA, ErrorCode::forbidden}, {kLatestB, not_tried().code}});
  look();
  EXPECT_EQ(keep(), JournalState::stopped);
  EXPECT_EQ(code(), 21);
}

TEST_F(Protocol, WhatWasWrittenAndIsNotServedYetIsUndoneAsWell) {
  begin_release();
  publish_versions();
  look();
  write({{kLatestB, ErrorCode::forbidden}});
  tags_[kLatestA] = kOld;  // lags
  look();
  turn_back(TagRank::moving);
  EXPECT_THAT(write(), ElementsAre(kLatestA));
}

TEST_F(Protocol, AStrangersTagBesideAFailedWriteLeavesNothingInPart) {
  begin_release();
  publish_versions();
  look();
  write({{kLatestB, ErrorCode::unavailable}});
  tags_[kEdge] = kTheirs;
  look();
  turn_back(TagRank::moving);
  EXPECT_THAT(write(), ElementsAre(kLatestA, kLatestB));
  look();
  wait(kSettle);
  look();
  EXPECT_EQ(keep(), JournalState::rolled_back);
  EXPECT_EQ(code(), 52);
  EXPECT_EQ(tags_[kEdge], kTheirs);
}

TEST_F(Protocol, B26ACancelledRunEndsAtOnceWithItsJournalOpen) {
  begin_release();
  look();
  asked<Write>();
  answer(Wrote{{not_tried(), not_tried()}, error(ErrorCode::terminated)});
  EXPECT_EQ(code(), 143);
}

TEST_F(Protocol, B29ALeaseThatIsLostAmongTheWritesLeavesTheRestToItsNewHolder) {
  begin_release();
  publish_versions();
  look();
  asked<Write>();
  answer(Wrote{{std::nullopt, not_tried()}, error(ErrorCode::conflict)});
  EXPECT_EQ(code(), 50);
  EXPECT_THAT(ending().error->message, HasSubstr("3 of 6 tags name the images of v1.1.0, and 1 may have been written"));
  EXPECT_THAT(ending().details, Not(IsEmpty()));
}

TEST_F(Protocol, NothingIsUndoneBeforeTheJournalSaysSo) {
  begin_release();
  publish_versions();
  look();
  write({{kLatestB, ErrorCode::forbidden}});
  look();
  asked<Keep>();
  answer(Failed{error(ErrorCode::no_space)});
  EXPECT_EQ(code(), 52);
  EXPECT_EQ(tags_[kLatestA], kNew);
}

TEST_F(Protocol, B37ARegistryThatTurnsReadOnlyIsForAPerson) {
  begin_release();
  publish_versions();
  look();
  write({{kLatestB, ErrorCode::forbidden}});
  look();
  turn_back(TagRank::moving);
  write({{kLatestA, ErrorCode::forbidden}});
  look();
  EXPECT_EQ(code(), 52);
  EXPECT_THAT(ending().details, Contains(HasSubstr("crategate registry tag a@")));
}

}  // namespace
}  // namespace crategate::pipeline::protocol::sample
