// The journal's document: nothing is lost, nothing unknown is read.
#include "pipeline/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace crategate::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

Journal sample() {
  Journal journal{.images = "me/app-{cell}",
                  .epoch = 7,
                  .plan_id = "sha256:1",
                  .version = "v1.2.3",
                  .commit = "abc",
                  .run = "42",
                  .attempt = "1",
                  .started_at = "2026-11-20T09:29:18Z",
                  .newest = {{"latest", "v1.2.2"}, {"v1", "v1.2.2"}}};
  journal.moves = {
      {.cell = "a", .repository = "me/app-a", .tag = "v1.2.3", .from = {}, .to = oci::Digest::of("new"), .note = "n"},
      {.cell = "a",
       .repository = "me/app-a",
       .tag = "latest",
       .rank = TagRank::moving,
       .from = oci::Digest::of("old"),
       .to = oci::Digest::of("new"),
       .note = ""}};
  return journal;
}

TEST(Journal, IsReadAsItWasWritten) {
  for (const auto state : {JournalState::open, JournalState::done, JournalState::rolled_back, JournalState::stopped}) {
    Journal journal = sample();
    journal.state = state;
    const auto read = parse_journal(to_json(journal), "journal.json");
    ASSERT_TRUE(read) << describe(read.error());
    EXPECT_EQ(*read, journal);
  }
}

TEST(Journal, RefusesWhatItDoesNotKnow) {
  const std::string good = to_json(sample());
  const auto refused = [&](std::string_view part, std::string_view by) {
    std::string text = good;
    const auto at = text.find(part);
    EXPECT_NE(at, std::string::npos) << part;
    text.replace(at, part.size(), by);
    const auto read = parse_journal(text, "journal.json");
    return read ? std::string("was read") : read.error().message;
  };
  EXPECT_THAT(refused(R"("state":"open")", R"("state":"closed")"), HasSubstr("state: expected open, done"));
  EXPECT_THAT(refused(R"("schema":1)", R"("schema":2)"), HasSubstr("schema"));
  EXPECT_THAT(refused(R"("rank":"moving")", R"("rank":"other")"), HasSubstr("moves[1].rank"));
  EXPECT_THAT(refused(R"("epoch":7)", R"("epoch":-7)"), HasSubstr("epoch"));
  EXPECT_THAT(refused(R"("run":"42")", R"("run":"42","more":1)"), HasSubstr("unknown"));
}

TEST(Journal, RemembersTheVersionThatEachMovingTagWasMovedToLast) {
  Journal journal = sample();
  EXPECT_THAT(newest_after(journal), ElementsAre(Pair("latest", "v1.2.3"), Pair("v1", "v1.2.2")));
  journal.version = "v1.2.1";  // a step back that was asked for
  EXPECT_THAT(newest_after(journal), ElementsAre(Pair("latest", "v1.2.1"), Pair("v1", "v1.2.2")));
}

}  // namespace
}  // namespace crategate::pipeline
