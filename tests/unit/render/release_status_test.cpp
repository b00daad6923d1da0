// What `status` and a dry run of `recover` print.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "render/decisions.h"

namespace crategate::render {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const oci::Digest kOld = oci::Digest::of("old"), kNew = oci::Digest::of("new"), kOther = oci::Digest::of("other");

ReleaseStatus status(std::vector<pipeline::protocol::Seen> seen) {
  pipeline::Journal journal{.images = "me/app-{cell}",
                            .epoch = 3,
                            .plan_id = "sha256:1",
                            .version = "v1.2.3",
                            .commit = "abc",
                            .run = "42",
                            .attempt = "1",
                            .started_at = "2026-11-20T09:29:18Z",
                            .newest = {}};
  const auto move = [](const char* cell, std::optional<oci::Digest> from) {
    return pipeline::TagMove{.cell = cell,
                             .repository = std::string("me/app-") + cell,
                             .tag = "latest",
                             .rank = pipeline::TagRank::moving,
                             .from = std::move(from),
                             .to = kNew,
                             .note = ""};
  };
  journal.moves = {move("a", kOld), move("b", std::nullopt), move("c", kOld)};
  return {journal, std::move(seen), "refs/crategate/x of origin"};
}

TEST(ReleaseStatus, SaysOfEachTagWhereItIs) {
  const std::string text = status_text(status({kNew, std::nullopt, kOther}));
  EXPECT_THAT(text,
              HasSubstr("release of v1.2.3: open, begun 2026-11-20T09:29:18Z by run 42; journal refs/crategate/x"));
  EXPECT_THAT(text, HasSubstr("done    me/app-a:latest names " + kNew.text() + " (before: " + kOld.text() + ")\n"));
  EXPECT_THAT(text, HasSubstr("to do   me/app-b:latest names absent (the release: " + kNew.text() + ")\n"));
  EXPECT_THAT(text, HasSubstr("foreign me/app-c:latest names " + kOther.text()));
  EXPECT_THAT(text, HasSubstr("1 of 3 tags name the images of v1.2.3\n"));
  EXPECT_THAT(text, HasSubstr("crategate recover --back"));
}

TEST(ReleaseStatus, AsksForNothingWhereTheReleaseEnded) {
  auto done = status({kNew, kNew, kNew});
  done.journal->state = pipeline::JournalState::done;
  EXPECT_THAT(status_text(done), Not(HasSubstr("recover")));
  EXPECT_THAT(status_text({std::nullopt, {}, "here"}), HasSubstr("no journal at here"));
}

TEST(ReleaseStatus, IsADocument) {
  const std::string json = status_json(status({kNew, std::nullopt, kOther}));
  EXPECT_THAT(json, HasSubstr(R"("state": "open")"));
  EXPECT_THAT(json, HasSubstr(R"("place": "foreign")"));
  EXPECT_THAT(status_json({std::nullopt, {}, "here"}), HasSubstr(R"("state": null)"));
}

TEST(RecoveryText, HasALineForWhatWouldBeWritten) {
  const auto open = status({kNew, kNew, kOther});
  EXPECT_THAT(recovery_text(open, true), HasSubstr("PUT me/app-a:latest " + kOld.text() + " (was " + kNew.text()));
  EXPECT_THAT(recovery_text(open, true), HasSubstr("DELETE me/app-b:latest (was " + kNew.text()));
  EXPECT_THAT(recovery_text(open, true), HasSubstr("KEEP me/app-c:latest " + kOther.text()));
  EXPECT_THAT(recovery_text(status({kOld, kNew, kNew}), false), HasSubstr("PUT me/app-a:latest " + kNew.text()));
  auto done = open;
  done.journal->state = pipeline::JournalState::done;
  EXPECT_EQ(recovery_text(done, false), "nothing to recover\n");
}

TEST(Windows, AreALineOfMilliseconds) {
  EXPECT_EQ(windows_text({}), "");
  EXPECT_THAT(windows_text({.mixed = {}, .unprotected = std::chrono::microseconds(12'345)}),
              AllOf(HasSubstr("unprotected for 12.3 ms"), Not(HasSubstr("mixed"))));
  EXPECT_THAT(windows_text({.mixed = std::chrono::microseconds(900), .unprotected = std::chrono::microseconds(1)}),
              HasSubstr("moving tags mixed for 0.9 ms"));
}

}  // namespace
}  // namespace crategate::render
