// The change set: what has to be brought before a tag can name it.
#include "pipeline/change_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace crategate::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const oci::Digest kTarget = oci::Digest::of("target");
const oci::Digest kA = oci::Digest::of("a"), kB = oci::Digest::of("b"), kIndex = oci::Digest::of("index");

TagMove move(std::string cell, std::string repository, TagRank rank, oci::Digest to, bool needed = true) {
  return {.cell = std::move(cell),
          .repository = std::move(repository),
          .tag = "t",
          .rank = rank,
          .from = {},
          .to = std::move(to),
          .needed = needed,
          .note = ""};
}

class NeededCopies : public ::testing::Test {
 protected:
  NeededCopies() {
    plan.cells = {{.key = "a", .image = "me/a", .candidate = "me/stage"},
                  {.key = "b", .image = "me/b", .candidate = "me/stage"}};
  }
  std::vector<Copy> copies() const { return needed_copies(plan, {{"a", kA}, {"b", kB}}, moves, in_place); }

  Plan plan;
  std::vector<TagMove> moves, in_place;
  const TagMove a = move("a", "me/a", TagRank::version, kA), b = move("b", "me/b", TagRank::version, kB);
};

TEST_F(NeededCopies, AreTheImagesOfTheTagsThatMove) {
  moves = {a, move("b", "me/b", TagRank::version, kB, false), move("a", "me/a", TagRank::extra, kA)};
  EXPECT_THAT(copies(), ElementsAre(Copy{"a", "me/stage", "me/a", kA}));
}

TEST_F(NeededCopies, AreNoneWhereTheCandidateLiesInTheRepositoryOfItsTags) {
  plan.cells[0].candidate = "me/a";
  moves = {a};
  EXPECT_THAT(copies(), IsEmpty());
}

TEST_F(NeededCopies, AreNoneWhereATagNamesTheImageAlready) {
  moves = {move("a", "me/a", TagRank::moving, kA), move("b", "me/b", TagRank::moving, kB)};
  in_place = {a};
  EXPECT_THAT(copies(), ElementsAre(Copy{"b", "me/stage", "me/b", kB}));
}

TEST_F(NeededCopies, OfAReleaseSetAreEveryImageAndTheIndexLast) {
  in_place = {a, b};
  moves = {move("", "me/set", TagRank::set, kIndex), move("", "me/set", TagRank::set, kIndex)};
  EXPECT_THAT(copies(), ElementsAre(Copy{"a", "me/stage", "me/set", kA}, Copy{"b", "me/stage", "me/set", kB},
                                    Copy{"", "", "me/set", kIndex}));
  for (auto& move : moves) move.needed = false;
  EXPECT_THAT(copies(), IsEmpty());
}

TEST(ChangeSet, IsEmptyWhenNothingIsNeeded) {
  EXPECT_TRUE(ChangeSet{}.empty());
  TagMove move{.to = kTarget, .needed = false};
  EXPECT_TRUE((ChangeSet{{}, {move}}).empty());
  move.needed = true;
  EXPECT_FALSE((ChangeSet{{}, {move}}).empty());
}

}  // namespace
}  // namespace crategate::pipeline
