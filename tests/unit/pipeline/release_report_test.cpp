#include "pipeline/release_report.h"

#include <gmock/gmock.h>

namespace crategate::pipeline::protocol {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

oci::Digest digest(const char* text) { return oci::Digest::of(text); }

/// Two moving tags of a release that is open; `first` and `second` are what they name.
State open_release(const Seen& first, const Seen& second) {
  State state;
  state.journal.version = "v1.1.0";
  for (const auto& seen : {first, second}) {
    TagMove move{.cell = "cpu",
                 .repository = "localhost:5000/me/app",
                 .tag = state.tags.empty() ? "latest" : "v1",
                 .rank = TagRank::moving,
                 .from = digest("old"),
                 .to = digest("new"),
                 .note = {}};
    state.tags.push_back({.place = place_of(move, seen), .seen = seen});
    state.journal.moves.push_back(std::move(move));
  }
  return state;
}

Error failure(ErrorCode code) { return {code, "what happened", "what to do", {}, std::nullopt, std::nullopt}; }

TEST(ReleaseReport, GivesTheCommandsWhereOnlySomebodyElseHasWritten) {
  const Ending ending = report_open(open_release(digest("theirs"), digest("old")), failure(ErrorCode::needs_person));
  ASSERT_THAT(ending.details, SizeIs(2));
  EXPECT_THAT(ending.details[0], HasSubstr("crategate registry tag localhost:5000/me/app@"));
}

TEST(ReleaseReport, SaysThatNothingIsMixedWhereNothingWasWritten) {
  const Ending ending = report_open(open_release(digest("old"), digest("old")), failure(ErrorCode::unauthenticated));
  EXPECT_EQ(ending.error->code, ErrorCode::unauthenticated);
  EXPECT_THAT(ending.details, SizeIs(0));
}

struct MixedRow {
  ErrorCode why, code;
};

class MixedRelease : public testing::TestWithParam<MixedRow> {};

TEST_P(MixedRelease, NeedsAPersonUnlessItWasToldToStopOrLostItsLease) {
  const Ending ending = report_open(open_release(digest("new"), digest("old")), failure(GetParam().why));
  EXPECT_EQ(ending.error->code, GetParam().code) << name(ending.error->code);
  EXPECT_THAT(ending.error->message, HasSubstr("1 of 2 tags"));
  EXPECT_THAT(ending.details, SizeIs(1));
}

INSTANTIATE_TEST_SUITE_P(Rows, MixedRelease,
                         testing::Values(MixedRow{ErrorCode::unavailable, ErrorCode::needs_person},
                                         MixedRow{ErrorCode::unauthenticated, ErrorCode::needs_person},
                                         MixedRow{ErrorCode::integrity, ErrorCode::needs_person},
                                         MixedRow{ErrorCode::conflict, ErrorCode::conflict},
                                         MixedRow{ErrorCode::terminated, ErrorCode::terminated}),
                         [](const auto& each) {
                           std::string text(name(each.param.why));
                           std::erase(text, '-');
                           return text;
                         });

}  // namespace
}  // namespace crategate::pipeline::protocol
