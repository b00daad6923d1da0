// Which tags move: create-only versions, dated tags, and moving tags that never step back unasked.
#include "pipeline/tags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/pipeline/sample.h"

namespace crategate::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Setting = config::VersionTagPolicy;

const oci::Digest kTarget = oci::Digest::of("target");
const oci::Digest kOther = oci::Digest::of("other");

Plan plan_of(const std::string& trigger) {
  auto facts = sample::facts();
  facts.policy.trigger = trigger;
  return *compute_plan(facts, sample::configuration());
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
  const auto move = decide_version_tag(plan, plan.cells[0], "v1.2.3", row.now, kTarget, release);
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
  const auto move = decide_version_tag(plan, plan.cells[0], "v1.2.3", made_by("release", "true"), kTarget, {});
  ASSERT_FALSE(move);
  EXPECT_THAT(move.error().message, AllOf(HasSubstr("braindotai/opencrate-cpu-py3.11:v1.2.3"), HasSubstr(kOther.text()),
                                          HasSubstr(kTarget.text())));
}

TEST(VersionTag, SaysWhereItComesFromAndGoes) {
  const auto plan = plan_of("schedule");
  const auto move = decide_version_tag(plan, plan.cells[0], "v1.2.3", made_by("release", "true"), kTarget, {});
  ASSERT_TRUE(move);
  EXPECT_EQ(move->cell, "cpu-py3.11");
  EXPECT_EQ(move->repository, "braindotai/opencrate-cpu-py3.11");
  EXPECT_EQ(move->from, kOther);
}

TEST(VersionTag, CarriesTheDateOnLaterRunsUnderDated) {
  config::Release dated;
  dated.version_tag = Setting::dated;
  const auto tags = [&](const std::string& trigger, const config::Release& release) {
    const auto plan = plan_of(trigger);
    return version_tags(plan, plan.cells[0], release, "20261120");
  };
  EXPECT_THAT(tags("schedule", dated), ElementsAre("v1.2.3-20261120"));
  EXPECT_THAT(tags("manual", dated), ElementsAre("v1.2.3-20261120"));
  EXPECT_THAT(tags("release", dated), ElementsAre("v1.2.3"));
  EXPECT_THAT(tags("schedule", {}), ElementsAre("v1.2.3"));
}

struct MovingCase {
  std::string what, version;
  bool allow_downgrade;
  Outcome expected;
  oci::Digest now = kOther;
};

void PrintTo(const MovingCase& row, std::ostream* out) { *out << row.what; }

class MovingTags : public ::testing::TestWithParam<MovingCase> {};

TEST_P(MovingTags, NeverStepBackUnasked) {
  const auto& row = GetParam();
  const auto plan = plan_of("release");
  config::Release release;
  release.allow_downgrade = row.allow_downgrade;
  const TagState now{.manifest = row.now, .trigger = "release", .released = "true", .version = row.version};
  EXPECT_EQ(outcome(decide_moving_tag(plan, plan.cells[0], "latest", now, kTarget, release)), row.expected);
}

INSTANTIATE_TEST_SUITE_P(
    Table, MovingTags,
    ::testing::Values(MovingCase{"lower", "v1.2.2", false, Outcome::moves},
                      MovingCase{"lower by number, higher as text", "v1.2.10", false, Outcome::stays_with_warning},
                      MovingCase{"pre-release of this version", "v1.2.3-rc1", false, Outcome::moves},
                      MovingCase{"equal", "v1.2.3", false, Outcome::moves},
                      MovingCase{"equal in another spelling", "1.2.3", false, Outcome::moves},
                      MovingCase{"higher", "v1.3.0", false, Outcome::stays_with_warning},
                      MovingCase{"higher pre-release", "v1.3.0rc1", false, Outcome::stays_with_warning},
                      MovingCase{"higher, asked for", "v1.3.0", true, Outcome::moves_with_warning},
                      MovingCase{"no label", "", false, Outcome::moves_with_warning},
                      MovingCase{"unreadable label", "nightly", false, Outcome::moves_with_warning},
                      MovingCase{"already there", "v1.2.3", false, Outcome::stays, kTarget},
                      MovingCase{"already there, higher label", "v9.0.0", false, Outcome::stays, kTarget}));

TEST(MovingTag, IsCreatedWhereItIsAbsent) {
  const auto plan = plan_of("release");
  const auto move = decide_moving_tag(plan, plan.cells[0], "latest", std::nullopt, kTarget, {});
  EXPECT_EQ(outcome(move), Outcome::moves);
  EXPECT_FALSE(move->from);
}

TEST(MovingTag, NeedsAReadableVersionOfThePlan) {
  auto plan = plan_of("release");
  plan.version = "nonsense";
  EXPECT_FALSE(decide_moving_tag(plan, plan.cells[0], "latest", TagState{.manifest = kOther}, kTarget, {}));
}

TEST(ChangeSet, IsEmptyWhenNothingIsNeeded) {
  EXPECT_TRUE(ChangeSet{}.empty());
  TagMove move{.to = kTarget, .needed = false};
  EXPECT_TRUE((ChangeSet{{move}}).empty());
  move.needed = true;
  EXPECT_FALSE((ChangeSet{{move}}).empty());
}

}  // namespace
}  // namespace crategate::pipeline
