// The journal's document: nothing is lost, nothing unknown is read.
#include "pipeline/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace crategate::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
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
                  .last = {.versions = {{"latest", "v1.2.2"}, {"v1", "v1.2.2"}},
                           .images = {{"me/app-a:latest", oci::Digest::of("old")},
                                      {"me/app-b:latest", oci::Digest::of("old")},
                                      {"me/app-b:v1", oci::Digest::of("old")}}}};
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
  EXPECT_THAT(refused(R"("run":"42")", R"("run":"42","more":1)"), HasSubstr("expected no such member"));
  EXPECT_THAT(refused(R"("tag":"latest")", R"("tag":"v1.2.3")"), HasSubstr("moves[1]: expected a tag of its own"));
  EXPECT_THAT(refused("2026-11-20T09:29:18Z", "yesterday"), HasSubstr("started_at: expected a time such as"));
  Journal empty = sample();
  empty.moves.clear();
  EXPECT_FALSE(parse_journal(to_json(empty), "journal.json")) << "nothing that could be open";
}

TEST(Journal, SaysFromWhichRankItIsUndone) {
  Journal journal = sample();
  EXPECT_THAT(to_json(journal), Not(HasSubstr("undone_from")));
  journal.undone_from = TagRank::moving;
  const auto again = parse_journal(to_json(journal), "journal.json");
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_EQ(*again, journal);
  std::string text = to_json(journal);
  text.replace(text.find("\"moving\""), 8, "\"fixed\"");
  EXPECT_FALSE(parse_journal(text, "journal.json"));
}

TEST(Journal, RemembersTheVersionThatEachMovingTagWasMovedToLast) {
  Journal journal = sample();
  EXPECT_THAT(last_after(journal).versions, ElementsAre(Pair("latest", "v1.2.3"), Pair("v1", "v1.2.2")));
  journal.version = "v1.2.1";  // a step back that was asked for
  EXPECT_THAT(last_after(journal).versions, ElementsAre(Pair("latest", "v1.2.1"), Pair("v1", "v1.2.2")));
}

TEST(Journal, RemembersTheImagesOfThatVersionAlone) {
  Journal journal = sample();
  const auto old = oci::Digest::of("old"), moved = oci::Digest::of("new");
  EXPECT_THAT(last_after(journal).images, ElementsAre(Pair("me/app-a:latest", moved), Pair("me/app-b:v1", old)));
  journal.last.versions = last_after(journal).versions;  // the rest of the same version
  EXPECT_THAT(last_after(journal).images,
              ElementsAre(Pair("me/app-a:latest", moved), Pair("me/app-b:latest", old), Pair("me/app-b:v1", old)));
  journal.moves.clear();
  EXPECT_EQ(last_after(journal).images, journal.last.images);
}

TagMove move_of(const std::string& cell, const std::string& repository, std::optional<oci::Digest> from = {}) {
  return {.cell = cell,
          .repository = repository,
          .tag = "v1.2.3",
          .from = std::move(from),
          .to = oci::Digest::of("new"),
          .note = ""};
}

TEST(Stranger, IsARepositoryOfAnOpenJournalOrARegistryOfASettledOneThatThePlanDoesNotName) {
  Plan plan{.plan_id = "sha256:1", .release_set = "ghcr.io/me/set:latest"};
  plan.cells = {{.key = "a", .image = "ghcr.io/me/app-a"}, {.key = "b", .image = "ghcr.io/me/app-b"}};
  const struct {
    const char* name;
    std::string cell, repository;
    bool of_open, of_settled;
  } rows[] = {
      {"an image of the plan", "a", "ghcr.io/me/app-a", false, false},
      {"of another cell of it", "c", "ghcr.io/me/app-b", false, false},
      {"another image", "a", "ghcr.io/me/other", true, false},
      {"the set", "", "ghcr.io/me/set", false, false},
      {"what begins like the set", "", "ghcr.io/me/se", true, false},
      {"another registry", "a", "internal.example:8080/me/app-a", true, true},
      {"no repository at all", "a", "http://internal.example/", true, true},
  };
  for (const auto& row : rows) {
    const Journal open{.moves = {move_of(row.cell, row.repository)}};
    Journal settled = open;
    settled.state = JournalState::done;
    EXPECT_EQ(find_stranger(open, plan) != nullptr, row.of_open) << row.name;
    EXPECT_EQ(find_stranger(settled, plan) != nullptr, row.of_settled) << row.name;
  }
  const Journal settled{.state = JournalState::done, .moves = {move_of("a", "http://internal.example/")}};
  EXPECT_NE(find_stranger(settled, Plan{.plan_id = "sha256:1"}), nullptr) << "a plan without a set knows no registry";
}

TEST(SupersededMove, IsOfAnEarlierBuildOfThisVeryPlan) {
  const Plan plan{.plan_id = "sha256:1"};
  const Journal journal{.plan_id = "sha256:1"};
  const auto move = move_of("a", "me/app-a");
  EXPECT_TRUE(is_superseded(journal, move, plan, {{"a", oci::Digest::of("anew")}}));
  EXPECT_FALSE(is_superseded(journal, move, plan, {{"a", oci::Digest::of("new")}})) << "the same build";
  EXPECT_FALSE(is_superseded(journal, move, plan, {{"b", oci::Digest::of("anew")}})) << "nobody knows";
  EXPECT_FALSE(is_superseded({.plan_id = "sha256:0"}, move, plan, {{"a", oci::Digest::of("anew")}})) << "another plan";
}

TEST(Leftover, IsWhatAnUndoneReleaseOfTheSameVersionCouldNotTakeAway) {
  Journal undone{.state = JournalState::rolled_back, .version = "v1.2.3", .moves = {move_of("a", "me/app-a")}};
  const PlannedTag tag{.cell = "a", .repository = "me/app-a", .tag = "v1.2.3"};
  const auto left = oci::Digest::of("new");
  EXPECT_TRUE(is_leftover(undone, "v1.2.3", tag, left));
  EXPECT_FALSE(is_leftover(undone, "v1.2.4", tag, left));
  EXPECT_FALSE(is_leftover(undone, "v1.2.3", tag, oci::Digest::of("other")));
  EXPECT_FALSE(is_leftover(undone, "v1.2.3", {.cell = "b", .repository = "me/app-b", .tag = "v1.2.3"}, left));
  undone.moves = {move_of("a", "me/app-a", oci::Digest::of("old"))};
  EXPECT_FALSE(is_leftover(undone, "v1.2.3", tag, left)) << "it was not new";
  undone.moves = {move_of("a", "me/app-a")};
  undone.state = JournalState::done;
  EXPECT_FALSE(is_leftover(undone, "v1.2.3", tag, left));
}

}  // namespace
}  // namespace crategate::pipeline
