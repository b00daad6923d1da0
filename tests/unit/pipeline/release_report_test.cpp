#include "pipeline/release_report.h"

#include <gmock/gmock.h>

namespace crategate::pipeline::protocol {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
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

TEST(ReleaseReport, CountsAndNamesOnlyWhatTheLastLookShowed) {
  State state = open_release(digest("old"), digest("new"));
  state.tags[0].written = true;  // and still not served
  Ending ending = report_open(state, failure(ErrorCode::unavailable));
  EXPECT_THAT(ending.error->message, AllOf(HasSubstr("1 of 2 tags name"), Not(HasSubstr("looked at"))));
  ASSERT_THAT(ending.details, SizeIs(1));
  EXPECT_THAT(ending.details[0], HasSubstr("latest: names " + digest("old").text()));
  state.tags[0].stale = state.tags[1].stale = true;
  ending = report_open(state, failure(ErrorCode::unavailable));
  EXPECT_THAT(ending.error->message, HasSubstr("0 of 2 tags name the images of v1.1.0, and 2 may have been written"));
  ASSERT_THAT(ending.details, SizeIs(2));
  EXPECT_THAT(ending.details[0], AllOf(HasSubstr("latest: was written, not looked at since; before: "),
                                       HasSubstr("to finish: "), HasSubstr("to undo: ")));
  EXPECT_THAT(ending.details[1], HasSubstr("v1: may have been written, not looked at since; "));
}

TEST(ReleaseReport, OffersNoCommandForWhatIsSoAlready) {
  State state = open_release(digest("old"), digest("new"));
  state.journal.moves[0].from.reset();
  state.tags[0].seen.reset();
  EXPECT_THAT(tag_details(state)[0],
              AllOf(HasSubstr("to finish: crategate registry tag localhost:5000/me/app@"), Not(HasSubstr("to undo"))));
  state.journal.undone_from = TagRank::version;
  ASSERT_THAT(tag_details(state), SizeIs(1));
  EXPECT_THAT(tag_details(state)[0],
              AllOf(HasSubstr("v1: names "), HasSubstr("to undo: crategate"), Not(HasSubstr("to finish"))));
  state.tags[0] = {.place = Place::after, .seen = digest("new")};
  EXPECT_THAT(tag_details(state)[0], HasSubstr("to undo: crategate registry untag localhost:5000/me/app:latest"));
}

TEST(ReleaseReport, AsksNoRegistryForTheTagsOfALayout) {
  State state = open_release(digest("theirs"), digest("theirs"));
  state.journal.images = "oci:me/app";
  state.journal.moves[0].repository = "docker.io/me/app";
  state.journal.moves[1].from.reset();
  const auto lines = tag_details(state);
  EXPECT_THAT(lines[0], HasSubstr("to finish: crategate registry copy oci:DIR:" + digest("new").text() +
                                  " oci:DIR:me/app:latest; "));
  EXPECT_THAT(lines[1], HasSubstr("to undo: crategate registry untag oci:DIR:localhost:5000/me/app:v1"));
}

TEST(ReleaseReport, SaysOfACancelledReleaseThatItIsOpenAndWhatEndsIt) {
  for (const auto code : {ErrorCode::interrupted, ErrorCode::terminated}) {
    State state = open_release(digest("new"), digest("old"));
    Ending ending = report_open(state, failure(code));
    EXPECT_EQ(ending.error->code, code);
    EXPECT_THAT(ending.error->message, HasSubstr("what happened; the release is open: 1 of 2 tags name"));
    EXPECT_THAT(ending.error->hint, AllOf(HasSubstr("settles this release"), HasSubstr("crategate status"),
                                          HasSubstr("crategate recover")));
    state.journal.undone_from = TagRank::moving;
    ending = report_open(state, failure(code));
    EXPECT_THAT(ending.error->hint, HasSubstr("undoes this release"));
    ending = report_open(open_release(digest("old"), digest("old")), failure(code));
    EXPECT_EQ(ending.error->hint, "what to do") << "nothing was written";
  }
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
