// Tags that go by precedence never step back unasked: by label, by tag list, by journal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/strings.h"
#include "pipeline/journal.h"
#include "pipeline/planned_tags.h"
#include "unit/pipeline/sample.h"

namespace crategate::pipeline {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const oci::Digest kTarget = oci::Digest::of("target");
const oci::Digest kOther = oci::Digest::of("other");

Plan plan_of(const std::string& version, const std::string& trigger = "release") {
  auto facts = sample::facts({"3.11"});
  facts.version = *parse_version(version);
  facts.event = sample::tag_push(version);
  if (trigger != "release") facts.event = sample::event(EventKind::schedule, trigger);
  facts.policy.trigger = trigger;
  facts.policy.latest = trigger == "release";
  return *compute_plan(facts, sample::configuration());
}

const PlannedTag kLatest{
    .cell = "cpu-py3.11", .repository = "braindotai/opencrate-cpu-py3.11", .tag = "latest", .rank = TagRank::moving};

enum class Outcome { moves, moves_with_warning, stays, stays_with_warning, conflicts };

Outcome outcome(const Result<TagMove>& move) {
  if (!move) return Outcome::conflicts;
  EXPECT_EQ(move->to, kTarget);
  EXPECT_TRUE(!move->warning || !move->note.empty());
  if (move->needed) return move->warning ? Outcome::moves_with_warning : Outcome::moves;
  return move->warning ? Outcome::stays_with_warning : Outcome::stays;
}

struct Case {
  std::string what;
  std::optional<std::string> now;  ///< version that the tag names
  std::string newest;              ///< by the journal; empty = it says nothing
  Outcome expected;
  std::string note = {};
  bool allow_downgrade = false, by_tag = false, same = false, unlisted = false;
};

void PrintTo(const Case& row, std::ostream* out) { *out << row.what; }

class MovingTags : public ::testing::TestWithParam<Case> {};

TEST_P(MovingTags, NeverStepBackUnasked) {
  const auto& row = GetParam();
  config::Release release;
  release.allow_downgrade = row.allow_downgrade;
  std::optional<TagState> now;
  if (row.now) {
    now = TagState{
        .manifest = row.same ? kTarget : kOther, .trigger = "release", .released = "true", .version = *row.now};
    now->version_by = row.by_tag ? VersionBy::tag : VersionBy::label;
    now->may_be_higher = row.unlisted;
  }
  std::map<std::string, std::string> newest = {{"v1", "v9.0.0"}};
  if (!row.newest.empty()) newest["latest"] = row.newest;
  const auto move = decide_tag(plan_of("v1.2.3"), kLatest, now, kTarget, release, newest);
  EXPECT_EQ(outcome(move), row.expected);
  ASSERT_TRUE(move);
  EXPECT_THAT(move->note, HasSubstr(row.note));
}

using enum Outcome;

// Versions of clang-format break such rows in different ways.
// clang-format off
INSTANTIATE_TEST_SUITE_P(
    ByLabel, MovingTags,
    ::testing::Values(
        Case{"absent", {}, "", moves},
        Case{"lower", "v1.2.2", "", moves},
        Case{"lower by number, higher as text", "v1.2.10", "", stays_with_warning, "v1.2.10 is higher than v1.2.3"},
        Case{"pre-release of this version", "v1.2.3-rc1", "", moves},
        Case{"equal", "v1.2.3", "", moves},
        Case{"equal in another spelling", "1.2.3", "", moves},
        Case{"re-run of an older release (B30)", "v1.3.0", "", stays_with_warning, "its label says so"},
        Case{"higher pre-release", "v1.3.0rc1", "", stays_with_warning},
        Case{"post-release of PEP 440", "1.2.3.post1", "", stays_with_warning},
        Case{"development release of PEP 440", "1.2.3.dev4", "", moves},
        Case{"higher, asked for", "v1.3.0", "", moves_with_warning, "allow-downgrade moves it back", true},
        Case{"no label", "", "", moves_with_warning, "not labelled"},
        Case{"unreadable label", "nightly", "", moves_with_warning, "unreadable"},
        Case{"no label, no list of tags", "", "", stays_with_warning, "not every tag", false, false, false, true},
        Case{"no list of tags, asked for", "", "", moves_with_warning, "not labelled", true, false, false, true},
        Case{"already there", "v1.2.3", "", stays, "already there", false, false, true},
        Case{"already there, higher label", "v9.0.0", "", stays, "", false, false, true},
        Case{"higher by the tag list", "v1.3.0", "", stays_with_warning, "the tag of that name", false, true}));

INSTANTIATE_TEST_SUITE_P(
    ByJournal, MovingTags,
    ::testing::Values(
        Case{"lower", "v1.2.2", "v1.2.2", moves},
        Case{"the same", "v1.2.2", "v1.2.3", moves},
        Case{"somebody moved the tag back", "v1.2.2", "v2.0.0", stays_with_warning, "v2.0.0 is higher than v1.2.3; the journal"},
        Case{"somebody removed the tag", {}, "v2.0.0", stays_with_warning, "the journal"},
        Case{"a foreign image", "", "v2.0.0", stays_with_warning, "the journal"},
        Case{"a foreign image, older journal", "", "v1.0.0", moves_with_warning, "not labelled"},
        Case{"the label is higher still", "v3.0.0", "v2.0.0", stays_with_warning, "v3.0.0 is higher than v1.2.3; its label"},
        Case{"both say the same", "v2.0.0", "2.0.0", stays_with_warning, "its label"},
        Case{"asked for", "v1.2.2", "v2.0.0", moves_with_warning, "allow-downgrade", true},
        Case{"unreadable", "v1.2.2", "nonsense", moves},
        Case{"already there", "v1.2.3", "v2.0.0", stays, "already there", false, false, true}));
// clang-format on

TEST(MovingTag, NeedsAReadableVersionOfThePlan) {
  auto plan = plan_of("v1.2.3");
  plan.version = "nonsense";
  EXPECT_FALSE(decide_tag(plan, kLatest, TagState{.manifest = kOther}, kTarget, {}, {}));
}

TEST(MovingTag, OfAVersionLineHasItsOwnPrecedence) {
  const auto plan = plan_of("v1.0.5");
  const std::map<std::string, std::string> newest = {{"latest", "v2.0.0"}, {"v1", "v1.0.4"}};
  const TagState two{.manifest = kOther, .version = "v2.0.0"}, one{.manifest = kOther, .version = "v1.0.4"};
  auto line = kLatest;
  line.tag = "v1";
  EXPECT_EQ(outcome(decide_tag(plan, kLatest, two, kTarget, {}, newest)), stays_with_warning);
  EXPECT_EQ(outcome(decide_tag(plan, line, one, kTarget, {}, newest)), moves);
}

struct SetCase {
  std::string what, tag;
  std::optional<std::string> now;
  Outcome expected;
  config::VersionTagPolicy policy = config::VersionTagPolicy::create_only;
};

void PrintTo(const SetCase& row, std::ostream* out) { *out << row.what; }

class SetTags : public ::testing::TestWithParam<SetCase> {};

TEST_P(SetTags, FollowTheirVersion) {
  const auto& row = GetParam();
  config::Release release;
  release.version_tag = row.policy;
  std::optional<TagState> now;
  if (row.now) now = TagState{.manifest = kOther, .version = *row.now};
  const PlannedTag tag{.cell = {}, .repository = "me/set", .tag = row.tag, .rank = TagRank::set};
  EXPECT_EQ(outcome(decide_tag(plan_of("v1.2.3"), tag, now, kTarget, release, {})), row.expected);
}

INSTANTIATE_TEST_SUITE_P(Table, SetTags,
                         ::testing::Values(SetCase{"latest, absent", "latest", {}, moves},
                                           SetCase{"latest, lower", "latest", "v1.2.2", moves},
                                           SetCase{"latest, higher", "latest", "v1.3.0", stays_with_warning},
                                           SetCase{"latest, not labelled", "latest", "", moves_with_warning},
                                           SetCase{"version, absent", "v1.2.3", {}, moves},
                                           SetCase{"version, other images of it", "v1.2.3", "1.2.3",
                                                   moves_with_warning},
                                           SetCase{"version, of another one", "v1.2.3", "v1.2.2", conflicts},
                                           SetCase{"version, something else", "v1.2.3", "", conflicts},
                                           SetCase{"version, something else, replaced", "v1.2.3", "",
                                                   moves_with_warning, config::VersionTagPolicy::move}));

TEST(LaterRuns, NeverMoveTagsOfTheRankMoving) {
  config::Release release;
  release.moving = {"latest", "v{major}"};
  for (const auto* trigger : {"schedule", "manual"}) {
    EXPECT_THAT(planned_tags(plan_of("v1.2.3", trigger), release, "20261120", TagRank::moving, TagRank::set).value(),
                IsEmpty());
  }
}

/// A repository's `latest` in the hands of releases, schedules and people.
class History {
 public:
  explicit History(unsigned seed) : random_(seed) {}

  void step() {
    const int what = pick(10);
    if (what == 0) {
      latest_.reset();  // a person removed it
    } else if (what == 1 && latest_) {
      latest_->version.clear();  // a person moved it to a foreign image
    } else {
      publish(what == 2 ? "schedule" : what == 3 ? "manual" : "release");
    }
  }

 private:
  int pick(int count) { return static_cast<int>(random_() % static_cast<unsigned>(count)); }

  std::string version() {
    static const std::vector<std::string> suffixes = {"", "", "-rc.1", "rc2", ".dev1", "-beta", "a1", ".post1"};
    return concat(pick(2) == 0 ? "v" : "", pick(3), ".", pick(3), ".", pick(12),
                  suffixes[static_cast<std::size_t>(pick(static_cast<int>(suffixes.size())))]);
  }

  void publish(const std::string& trigger) {
    const auto plan = plan_of(version(), trigger);
    const auto target = oci::Digest::of(concat(plan.version, pick(3)));
    const auto tags = planned_tags(plan, {}, "20261120", TagRank::moving, TagRank::moving);
    ASSERT_TRUE(tags);
    for (const auto& tag : *tags) {
      if (tag.cell != kLatest.cell) continue;
      auto move = decide_tag(plan, tag, latest_, target, {}, last_.versions);
      ASSERT_TRUE(move);
      if (!move->needed) continue;
      const auto version = *parse_version(plan.version);
      const std::string before = highest_ ? highest_->text : version.text;
      EXPECT_TRUE(!highest_ || compare(*highest_, version) <= 0) << before << " -> " << version.text;
      highest_ = version;
      latest_ = TagState{.manifest = target, .trigger = trigger, .released = "true", .version = plan.version};
      ++moves_;
      last_ = last_after({.images = "me/app",
                          .plan_id = {},
                          .version = plan.version,
                          .commit = {},
                          .run = {},
                          .attempt = {},
                          .started_at = {},
                          .moves = {*std::move(move)},
                          .last = last_});
    }
  }

  std::mt19937 random_;
  std::optional<TagState> latest_;
  std::optional<Version> highest_;
  LastMoved last_;

 public:
  int moves_ = 0;
};

TEST(Latest, B29NeverNamesALowerVersionThanItDidWhateverTheOrderOfReleases) {
  int moves = 0;
  for (unsigned seed = 1; seed <= 60; ++seed) {
    History history(seed);
    for (int i = 0; i < 40; ++i) history.step();
    ASSERT_FALSE(HasFatalFailure() || HasNonfatalFailure()) << "seed " << seed;
    moves += history.moves_;
  }
  EXPECT_GT(moves, 200);
}

}  // namespace
}  // namespace crategate::pipeline
