// What `status` and `recover` print.
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
                            .last = {}};
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
  return {journal, std::move(seen), "refs/crategate/x of origin", std::nullopt};
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

TEST(ReleaseStatus, SaysThatItIsBeingUndone) {
  auto turned = status({kNew, std::nullopt, kOld});
  turned.journal->undone_from = pipeline::TagRank::moving;
  EXPECT_THAT(status_text(turned), HasSubstr("release of v1.2.3: open, being undone, begun "));
  EXPECT_THAT(status_text(turned), HasSubstr("The next push, release or run undoes the rest"));
  EXPECT_THAT(status_json(turned), HasSubstr(R"("undone_from": "moving")"));
}

TEST(ReleaseStatus, SaysThatSomebodyIsAtWork) {
  auto live = status({kNew, std::nullopt, kOld});
  live.lease = pipeline::SeenLease{pipeline::Claim::held, "run 7", "2026-11-20T09:31:18Z"};
  EXPECT_THAT(status_text(live),
              HasSubstr("at work: run 7, until it gives the lease back or it runs out at 2026-11-20T09:31:18Z; "));
  EXPECT_THAT(status_text(live), Not(HasSubstr("settles it")));
  live.lease->claim = pipeline::Claim::expired;
  EXPECT_THAT(status_text(live), HasSubstr("settles it"));
}

TEST(ReleaseStatus, AsksForNothingWhereTheReleaseEnded) {
  auto done = status({kNew, kNew, kNew});
  done.journal->state = pipeline::JournalState::done;
  EXPECT_THAT(status_text(done), Not(HasSubstr("recover")));
  EXPECT_THAT(status_text({std::nullopt, {}, "here", std::nullopt}), HasSubstr("no journal at here"));
}

TEST(ReleaseStatus, IsADocument) {
  const std::string json = status_json(status({kNew, std::nullopt, kOther}));
  EXPECT_THAT(json, HasSubstr(R"("state": "open")"));
  EXPECT_THAT(json, HasSubstr(R"("place": "foreign")"));
  EXPECT_THAT(status_json({std::nullopt, {}, "here", std::nullopt}), HasSubstr(R"("state": null)"));
}

TEST(RecoveryText, HasALineForWhatWouldBeWritten) {
  const auto open = status({kNew, kNew, kOther});
  EXPECT_THAT(recovery_text(open, true), HasSubstr("PUT me/app-a:latest " + kOld.text() + " (was " + kNew.text()));
  EXPECT_THAT(recovery_text(open, true), HasSubstr("DELETE me/app-b:latest (was " + kNew.text()));
  EXPECT_THAT(recovery_text(open, true), HasSubstr("KEEP me/app-c:latest " + kOther.text() + " (foreign"));
  EXPECT_THAT(recovery_text(status({kOld, kNew, kNew}), false), HasSubstr("PUT me/app-a:latest " + kNew.text()));
  auto done = open;
  done.journal->state = pipeline::JournalState::done;
  EXPECT_EQ(recovery_text(done, false), "nothing to recover\n");
}

TEST(ReleaseStatus, SaysWhoHasTheLeaseAndUntilWhen) {
  const std::string until = "2026-11-20T09:31:18Z";
  const struct {
    std::optional<pipeline::SeenLease> lease;
    std::string text, json;
  } rows[] = {
      {std::nullopt, "", R"("lease": null)"},
      {pipeline::SeenLease{}, "lease: free\n", R"("state": "free")"},
      {pipeline::SeenLease{pipeline::Claim::held, "run 7", until}, "lease: held by run 7 until " + until + "\n",
       R"("state": "held")"},
      {pipeline::SeenLease{pipeline::Claim::resumed, "attempt 1", until}, "this one may take it", R"("state": "held")"},
      {pipeline::SeenLease{pipeline::Claim::expired, "run\n::error::7", until},
       "lease: free, run ::error::7 let it run", R"("state": "expired")"},
  };
  for (const auto& row : rows) {
    auto shown = status({kNew, kNew, kNew});
    shown.lease = row.lease;
    const std::string text = status_text(shown);
    EXPECT_EQ(text.find("lease:") != std::string::npos, row.lease.has_value()) << text;
    EXPECT_THAT(text, HasSubstr(row.text));
    EXPECT_THAT(text, Not(HasSubstr("\n::")));
    EXPECT_THAT(status_json(shown), HasSubstr(row.json));
    EXPECT_THAT(status_text({std::nullopt, {}, "here", row.lease}), HasSubstr(row.text)) << "without a journal, too";
  }
}

TEST(RecoveryText, IsADocument) {
  const auto open = status({kNew, kNew, kOther});
  const std::string back = recovery_json(open, true);
  EXPECT_THAT(back, AllOf(HasSubstr(R"("outcome": "planned")"), HasSubstr(R"("direction": "back")"),
                          HasSubstr(R"("action": "put")"), HasSubstr(R"("action": "delete")"),
                          HasSubstr(R"("action": "keep")")));
  EXPECT_THAT(recovery_json(open, false), AllOf(HasSubstr(R"("direction": "forward")"), Not(HasSubstr("\"put\""))));
  auto done = open;
  done.journal->state = pipeline::JournalState::done;
  for (const auto& nothing : {done, ReleaseStatus{std::nullopt, {}, "here", std::nullopt}}) {
    EXPECT_THAT(recovery_json(nothing, false), AllOf(HasSubstr(R"("outcome": "nothing")"), Not(HasSubstr("tags"))));
  }
}

TEST(RecoveredText, NamesEachTagThatStays) {
  auto undone = status({kOld, kNew, kOld});
  undone.journal->state = pipeline::JournalState::rolled_back;
  EXPECT_EQ(recovered_text(undone, true), "STAYS me/app-b:latest " + kNew.text() +
                                              "\nthe release of v1.2.3 is undone but for 1 tag that was new: the "
                                              "registry removes no tags\n");
  EXPECT_THAT(recovered_json(undone, "here", true),
              AllOf(HasSubstr(R"("outcome": "undone")"), HasSubstr(R"("state": "rolled-back")"),
                    HasSubstr(R"("place": "done")"), Not(HasSubstr("action"))));
  EXPECT_EQ(recovered_text(status({kOld, std::nullopt, kOld}), true), "the release of v1.2.3 is undone\n");
  EXPECT_EQ(recovered_text(status({kNew, kNew, kNew}), false), "the release of v1.2.3 is finished\n");
  EXPECT_THAT(recovered_json(status({kNew, kNew, kNew}), "here", false), HasSubstr(R"("outcome": "finished")"));
  EXPECT_EQ(recovered_text(std::nullopt, true), "nothing to recover: no release was left open\n");
  EXPECT_THAT(recovered_json(std::nullopt, "here", true),
              AllOf(HasSubstr(R"("journal": "here")"), HasSubstr(R"("outcome": "nothing")")));
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
