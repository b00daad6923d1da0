// recover: what it leaves and what it says of it.
#include "stages/recover.h"

#include <gmock/gmock.h>

#include "stages/push.h"
#include "stages/release_fixture.h"
#include "stages/status.h"

namespace crategate::stages {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RecoverStage : public sample::Release {
 protected:
  /// Two of four version tags are written, and the journal is open.
  RecoverStage() {
    make_plan();
    prove_all();
    writer.fail_at = 2;
    EXPECT_FALSE(run_push(inputs(), services()));
    writer.fail_at.reset();
  }
  std::optional<render::ReleaseStatus> recovered(bool back) {
    const auto done = recover(inputs(), services(), back);
    EXPECT_TRUE(done) << describe(done.error());
    return done.value_or(std::nullopt);
  }
};

TEST_F(RecoverStage, SaysWhichTagsStayWhereNoneAreRemoved) {
  writer.removes_tags = false;
  const auto status = recovered(true);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->journal->state, pipeline::JournalState::rolled_back);
  const std::string text = render::recovered_text(status, true);
  EXPECT_THAT(text, HasSubstr("v1.2.3 is undone but for 2 tags that were new"));
  ASSERT_THAT(tags(), SizeIs(2));
  for (const auto& [name, digest] : tags()) EXPECT_THAT(text, HasSubstr(concat("STAYS ", name, " ", digest, "\n")));
  EXPECT_EQ(recovered(true), std::nullopt) << "closed";
}

TEST_F(RecoverStage, UndoesAndFinishesWhatWasLeftOpen) {
  EXPECT_EQ(render::recovered_text(recovered(true), true), "the release of v1.2.3 is undone\n");
  EXPECT_THAT(tags(), IsEmpty());
  EXPECT_EQ(render::recovered_text(recovered(false), false), "nothing to recover: no release was left open\n");
}

TEST_F(RecoverStage, GoesForward) {
  const auto before = read_status(*plan, *journal, reader);
  ASSERT_TRUE(before);
  EXPECT_THAT(render::recovery_json(*before, false), HasSubstr("\"action\": \"put\""));
  EXPECT_EQ(before->lease, std::nullopt) << "a file keeps none";
  EXPECT_EQ(render::recovered_text(recovered(false), false), "the release of v1.2.3 is finished\n");
  EXPECT_THAT(tags(), SizeIs(4));
}

TEST_F(RecoverStage, AsksNoRegistryThatAChangedJournalNames) {
  const auto opened = journal->read().value();
  ASSERT_TRUE(opened);
  pipeline::Journal changed = *opened;
  changed.moves[0].repository = "elsewhere.example/me/app";
  for (const auto state : {pipeline::JournalState::open, pipeline::JournalState::done}) {
    changed.state = state;
    ASSERT_TRUE(journal->keep(changed));
    const auto status = read_status(*plan, *journal, reader);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::gate_refused);
    EXPECT_THAT(describe(status.error()), HasSubstr("found \"elsewhere.example/me/app\":"));
  }
  changed.moves[0].repository = concat(opened->moves[0].repository, "-of-a-cell-that-is-gone");
  ASSERT_TRUE(journal->keep(changed));
  EXPECT_TRUE(read_status(*plan, *journal, reader)) << "a closed one of this registry";
}

}  // namespace
}  // namespace crategate::stages
