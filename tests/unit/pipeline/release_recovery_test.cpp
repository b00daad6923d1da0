// A run that finds an open journal: what it finishes, what it undoes, and what it leaves to a person.
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

class Recovery : public Protocol {
 protected:
  void check(const std::vector<std::optional<Error>>& problems) {
    asked<Check>();
    answer(Checked{problems});
  }
};

TEST_F(Recovery, B27FinishesWhatWasBegunAndThenDoesItsOwn) {
  tags_ = {kNew, kNew, kNew, kNew, std::nullopt, kOld};
  begin(Goal::publish, journal());
  look();
  EXPECT_THAT(asked<Check>().moves, ElementsAre(kLatestB, kSet));
  check({std::nullopt, std::nullopt});
  look();  // the check took its time
  EXPECT_THAT(write(), ElementsAre(kLatestB));
  look();
  wait(kSettle);  // the set was not begun: the release ends here
  look();
  EXPECT_EQ(keep(), JournalState::stopped);
  asked<Survey>();
}

TEST_F(Recovery, APersonsMoveDuringTheCheckIsSeen) {
  tags_ = {kNew, kNew, kNew, kNew, std::nullopt, kOld};
  begin(Goal::publish, journal());
  look();
  check({std::nullopt, std::nullopt});
  tags_[kLatestB] = kTheirs;
  look();
  EXPECT_EQ(code(), 52);
}

TEST_F(Recovery, ClosesWhatWasNotBegun) {
  begin(Goal::publish, journal());
  look();
  wait(kSettle);
  look();
  EXPECT_EQ(keep(), JournalState::stopped);
  asked<Survey>();
}

TEST_F(Recovery, AWriteThatArrivesAfterAllIsSeenBeforeItIsClosed) {
  tags_ = {kNew, kNew, kNew, kOld, std::nullopt, kOld};
  begin(Goal::publish, journal());
  look();
  tags_[kLatestA] = kNew;
  wait(kSettle);
  look();
  EXPECT_THAT(asked<Check>().moves, ElementsAre(kLatestB, kSet));
}

TEST_F(Recovery, AnotherReleaseWaitsForTheLateWritesOfTheOneBefore) {
  tags_ = {kNew, kNew, kNew, kNew, kNew, kNew};
  begin(Goal::publish, journal());
  look();
  EXPECT_EQ(keep(), JournalState::done);
  auto next = journal();
  next.plan_id = "v1.2.0";
  answer(Surveyed{next});
  EXPECT_EQ(keep(), JournalState::open);
  wait(kSettle);
  asked<Look>();
}

TEST_F(Recovery, AStrangersTagStopsItWithNothingWritten) {
  tags_ = {kNew, kNew, kNew, kNew, kTheirs, kOld};
  begin(Goal::publish, journal());
  look();
  EXPECT_EQ(code(), 52);
  EXPECT_THAT(ending().details, Contains(HasSubstr("b:latest")));
}

TEST_F(Recovery, ForwardLeavesTheStrangersTagAndTakesTheOthersThere) {
  tags_ = {kNew, kNew, kNew, kNew, kTheirs, kOld};
  begin(Goal::forward, journal());
  look();
  check({std::nullopt});
  look();
  EXPECT_THAT(write(), ElementsAre(kSet));
  look();
  EXPECT_EQ(keep(), JournalState::stopped);
  EXPECT_EQ(code(), 52);
}

TEST_F(Recovery, BackLeavesTheStrangersTagAndTakesTheOthersThere) {
  tags_ = {kNew, kNew, kNew, kNew, kTheirs, kOld};
  begin(Goal::back, journal());
  turn_back(TagRank::version);
  EXPECT_THAT(write(), ElementsAre(kVersionA, kVersionB, kEdge, kLatestA));
  look();
  wait(kSettle);
  look();
  EXPECT_EQ(keep(), JournalState::rolled_back);
  EXPECT_EQ(code(), 52);
  EXPECT_EQ(tags_[kLatestB], kTheirs);
}

TEST_F(Recovery, WhatIsGoneTurnsItBack) {
  tags_ = {kNew, kNew, kNew, kNew, std::nullopt, kOld};
  begin(Goal::publish, journal());
  look();
  check({error(ErrorCode::not_found), std::nullopt});
  turn_back(TagRank::moving);
  EXPECT_THAT(write(), ElementsAre(kLatestA));
  look();
  wait(kSettle);
  look();
  EXPECT_EQ(keep(), JournalState::rolled_back);
  EXPECT_EQ(code(), 51);
}

TEST_F(Recovery, WhatCannotBeRemovedStaysAndIsNamed) {
  tags_ = {kNew, kNew, kOld, kOld, std::nullopt, kOld};
  begin(Goal::back, journal());
  turn_back(TagRank::version);
  write({{kVersionA, ErrorCode::conflict}, {kVersionB, ErrorCode::conflict}});
  look();
  wait(kSettle);
  look();
  EXPECT_EQ(keep(), JournalState::rolled_back);
  EXPECT_EQ(code(), 0);
  EXPECT_THAT(ending().details, Contains(HasSubstr("a:v1.1.0")));
}

TEST_F(Recovery, AnUndoingThatDiedIsEndedBeforeAnythingNewBegins) {
  tags_ = {kNew, kNew, kNew, kNew, std::nullopt, kOld};
  begin(Goal::publish, journal(JournalState::open, TagRank::moving));
  look();
  EXPECT_THAT(write(), ElementsAre(kLatestA));  // the versions stay
  look();
  tags_[kLatestB] = kNew;  // a write that was on its way
  wait(kSettle);
  look();
  EXPECT_THAT(write(), ElementsAre(kLatestB));
  look();
  EXPECT_EQ(keep(), JournalState::rolled_back);
  asked<Survey>();
}

TEST_F(Recovery, AnUndoingThatDiedLeavesAStrangersTagToAPerson) {
  tags_ = {kNew, kNew, kNew, kNew, kTheirs, kOld};
  begin(Goal::publish, journal(JournalState::open, TagRank::moving));
  look();
  EXPECT_EQ(code(), 52) << "nothing is written, and the journal stays open";
  EXPECT_THAT(ending().error->hint, HasSubstr("recover --forward"));
}

TEST_F(Recovery, BackUndoesTheVersionsOfAnUndoingThatDiedAsWell) {
  tags_ = {kNew, kNew, kNew, kNew, std::nullopt, kOld};
  begin(Goal::back, journal(JournalState::open, TagRank::moving));
  turn_back(TagRank::version);
  EXPECT_THAT(write(), ElementsAre(kVersionA, kVersionB, kEdge, kLatestA));
}

TEST_F(Recovery, WhatWasBuiltAnewIsUndoneAndThenPublished) {
  tags_ = {kNew, std::nullopt, kOld, kOld, std::nullopt, kOld};
  begin(Goal::publish, journal());
  look();
  check({error(ErrorCode::gate_refused), std::nullopt, std::nullopt, std::nullopt, std::nullopt});
  turn_back(TagRank::version);
  EXPECT_THAT(write(), ElementsAre(kVersionA));
  look();
  wait(kSettle);
  look();
  EXPECT_EQ(keep(), JournalState::rolled_back);
  EXPECT_EQ(asked<Survey>().before.state, JournalState::rolled_back);
  answer(Surveyed{});
  EXPECT_EQ(code(), 0);
}

TEST_F(Recovery, ForwardAfterAnUndoingWaitsForItsLateWrites) {
  tags_ = {kNew, kNew, kNew, kOld, std::nullopt, kOld};
  begin(Goal::forward, journal(JournalState::open, TagRank::moving));
  EXPECT_EQ(asked<Keep>().journal.undone_from, std::nullopt);
  answer(Kept{});
  wait(kSettle);
  look();
  check({std::nullopt, std::nullopt, std::nullopt});
  look();
  EXPECT_THAT(write(), ElementsAre(kLatestA, kLatestB));
}

TEST_F(Recovery, AFailedUndoingSettlesBeforeItIsForAPerson) {
  tags_ = {kNew, kNew, kNew, kNew, kNew, kOld};
  begin(Goal::back, journal());
  turn_back(TagRank::version);
  write({{kLatestB, ErrorCode::unavailable}});
  look();
  tags_[kLatestB] = std::nullopt;  // it arrives after all
  wait(kSettle);
  look();
  EXPECT_EQ(keep(), JournalState::rolled_back);
  EXPECT_EQ(code(), 0);
}

TEST_F(Recovery, B29ALeaseTakenOverSettlesBeforeTheEnd) {
  tags_ = {kNew, kNew, kNew, kNew, kNew, kNew};
  begin(Goal::forward, journal(), true);
  look();
  wait(kSettle);
  look();
  EXPECT_EQ(keep(), JournalState::done);
  EXPECT_EQ(code(), 0);
}

TEST_F(Recovery, WithNothingOpenThereIsNothingToDo) {
  for (const auto goal : {Goal::forward, Goal::back}) {
    begin(goal, journal(JournalState::done));
    EXPECT_EQ(code(), 0);
    EXPECT_THAT(ending().details, IsEmpty());
  }
}

TEST_F(Recovery, OldContentThatIsGoneIsForAPerson) {
  tags_ = {kNew, kNew, kNew, kNew, std::nullopt, kOld};
  begin(Goal::back, journal());
  turn_back(TagRank::version);
  write({{kLatestA, ErrorCode::not_found}});
  look();
  wait(kSettle);  // of the run that died
  look();
  EXPECT_EQ(code(), 52);
  EXPECT_THAT(ending().details, Not(IsEmpty()));
}

}  // namespace
}  // namespace crategate::pipeline::protocol::sample
