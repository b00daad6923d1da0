// What happens to version tags and extra tags; those that go by precedence are in precedence_test.
#include "pipeline/tags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/pipeline/sample.h"

namespace crategate::pipeline {
namespace {

using ::testing::HasSubstr;
using Setting = config::VersionTagPolicy;

const oci::Digest kTarget = oci::Digest::of("target");
const oci::Digest kOther = oci::Digest::of("other");

Plan plan_of(const std::string& trigger) {
  auto facts = sample::facts();
  facts.policy.trigger = trigger;
  return *compute_plan(facts, sample::configuration());
}

PlannedTag tag_of(const Plan& plan, TagRank rank, const std::string& tag) {
  return {.cell = plan.cells[0].key, .repository = plan.cells[0].image, .tag = tag, .rank = rank};
}

enum class Outcome { moves, moves_with_warning, stays, stays_with_warning, conflicts };

Outcome outcome(const Result<TagMove>& move) {
  if (!move) {
    EXPECT_EQ(move.error().code, ErrorCode::conflict);
    EXPECT_FALSE(move.error().hint.empty());
    return Outcome::conflicts;
  }
  EXPECT_EQ(move->to, kTarget);
  EXPECT_TRUE(!move->warning || !move->note.empty());
  if (move->needed) return move->warning ? Outcome::moves_with_warning : Outcome::moves;
  return move->warning ? Outcome::stays_with_warning : Outcome::stays;
}

struct VersionCase {
  std::string what, trigger;
  Setting setting;
  std::optional<TagState> now;
  Outcome expected;
};

void PrintTo(const VersionCase& row, std::ostream* out) { *out << row.what; }

class VersionTags : public ::testing::TestWithParam<VersionCase> {};

TEST_P(VersionTags, A56FollowThePolicy) {
  const auto& row = GetParam();
  const auto plan = plan_of(row.trigger);
  config::Release release;
  release.version_tag = row.setting;
  const auto move = decide_tag(plan, tag_of(plan, TagRank::version, "v1.2.3"), row.now, kTarget, release, {});
  EXPECT_EQ(outcome(move), row.expected) << (move ? move->note : move.error().message);
}

std::optional<TagState> made_by(const std::string& trigger, const std::string& released,
                                const oci::Digest& digest = kOther) {
  return TagState{.manifest = digest, .trigger = trigger, .released = released, .version = "v1.2.3"};
}

INSTANTIATE_TEST_SUITE_P(
    OnATagPush, VersionTags,
    ::testing::Values(
        VersionCase{"absent", "release", Setting::create_only, std::nullopt, Outcome::moves},
        VersionCase{"same content", "release", Setting::create_only, made_by("release", "true", kTarget),
                    Outcome::stays},
        VersionCase{"same content of unknown origin", "release", Setting::create_only, made_by("", "", kTarget),
                    Outcome::stays},
        VersionCase{"other content of a release", "release", Setting::create_only, made_by("release", "true"),
                    Outcome::conflicts},
        VersionCase{"other content without label", "release", Setting::create_only, made_by("", ""),
                    Outcome::conflicts},
        VersionCase{"unknown trigger", "release", Setting::create_only, made_by("Schedule", "false"),
                    Outcome::conflicts},
        VersionCase{"schedule before the release", "release", Setting::create_only, made_by("schedule", "false"),
                    Outcome::moves},
        VersionCase{"manual before the release", "release", Setting::create_only, made_by("manual", "false"),
                    Outcome::moves},
        VersionCase{"schedule after the release (B30)", "release", Setting::create_only, made_by("schedule", "true"),
                    Outcome::stays_with_warning},
        VersionCase{"manual after the release (B30)", "release", Setting::create_only, made_by("manual", "true"),
                    Outcome::stays_with_warning},
        VersionCase{"schedule at an unknown time", "release", Setting::create_only, made_by("schedule", ""),
                    Outcome::conflicts},
        VersionCase{"schedule, label in capitals", "release", Setting::create_only, made_by("schedule", "True"),
                    Outcome::conflicts},
        VersionCase{"dated is create-only", "release", Setting::dated, made_by("release", "true"), Outcome::conflicts},
        VersionCase{"move", "release", Setting::move, made_by("release", "true"), Outcome::moves_with_warning}));

INSTANTIATE_TEST_SUITE_P(OnLaterRuns, VersionTags,
                         ::testing::Values(VersionCase{"absent", "schedule", Setting::create_only, std::nullopt,
                                                       Outcome::moves},
                                           VersionCase{"schedule over a release", "schedule", Setting::create_only,
                                                       made_by("release", "true"), Outcome::moves},
                                           VersionCase{"manual over a release", "manual", Setting::move,
                                                       made_by("release", "true"), Outcome::moves},
                                           VersionCase{"same content", "manual", Setting::move,
                                                       made_by("manual", "true", kTarget), Outcome::stays},
                                           VersionCase{"dated, other content of the same day", "schedule",
                                                       Setting::dated, made_by("schedule", "true"), Outcome::conflicts},
                                           VersionCase{"dated, same content", "schedule", Setting::dated,
                                                       made_by("schedule", "true", kTarget), Outcome::stays}));

TEST(VersionTag, A56NamesBothContentsInAConflict) {
  const auto plan = plan_of("release");
  const auto move =
      decide_tag(plan, tag_of(plan, TagRank::version, "v1.2.3"), made_by("release", "true"), kTarget, {}, {});
  ASSERT_FALSE(move);
  EXPECT_THAT(move.error().message, AllOf(HasSubstr("braindotai/opencrate-cpu-py3.11:v1.2.3"), HasSubstr(kOther.text()),
                                          HasSubstr(kTarget.text())));
}

TEST(VersionTag, SaysWhereItComesFromAndGoes) {
  const auto plan = plan_of("schedule");
  const auto move =
      decide_tag(plan, tag_of(plan, TagRank::version, "v1.2.3"), made_by("release", "true"), kTarget, {}, {});
  ASSERT_TRUE(move);
  EXPECT_EQ(move->cell, "cpu-py3.11");
  EXPECT_EQ(move->repository, "braindotai/opencrate-cpu-py3.11");
  EXPECT_EQ(move->from, kOther);
}

TEST(ExtraTag, MovesWhateverItNames) {
  for (const auto* trigger : {"release", "schedule", "manual"}) {
    const auto plan = plan_of(trigger);
    const auto tag = tag_of(plan, TagRank::extra, "nightly");
    const auto decide = [&](const std::optional<TagState>& now) {
      return decide_tag(plan, tag, now, kTarget, {}, {{"nightly", "v9.0.0"}});
    };
    EXPECT_EQ(outcome(decide(std::nullopt)), Outcome::moves) << trigger;
    EXPECT_EQ(outcome(decide(TagState{.manifest = kOther, .version = "v9.0.0"})), Outcome::moves) << trigger;
    EXPECT_EQ(outcome(decide(TagState{.manifest = kTarget})), Outcome::stays) << trigger;
  }
}

TEST(TagKeptWithItsVersion, StaysWhereItIs) {
  const auto plan = plan_of("release");
  const auto tag = tag_of(plan, TagRank::moving, "latest");
  const auto move = kept_with_version(tag, TagState{.manifest = kOther}, kTarget);
  EXPECT_FALSE(move.needed);
  EXPECT_TRUE(move.warning);
  EXPECT_EQ(move.to, kOther);
  EXPECT_EQ(move.rank, TagRank::moving);
  EXPECT_FALSE(kept_with_version(tag, std::nullopt, kTarget).from);
}

}  // namespace
}  // namespace crategate::pipeline
