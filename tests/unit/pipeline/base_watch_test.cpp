// Whether the base of a published image has moved: which cells are built freshly, and what the plan says of it.
#include "pipeline/base_watch.h"

#include <gmock/gmock.h>

#include "base/strings.h"
#include "unit/pipeline/sample.h"

namespace crategate::pipeline {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const oci::Digest kOld = oci::Digest::of("old base"), kNow = oci::Digest::of("new base");
const std::string kUbuntu = "fresh: base image ubuntu:22.04";

/// Two cells on Ubuntu, two on CUDA; `fresh: auto`.
Plan watching_plan() {
  auto facts = sample::facts();
  facts.policy.watch_base = facts.policy.refresh_cache = true;
  return compute_plan(facts, sample::configuration()).value();
}

/// The release before this one, built on `base`.
PublishedImage image_on(const oci::Digest& base) {
  return {.version = "v1.2.2", .revision = std::string(40, 'b'), .base_digest = base.text(), .moved_from = {}};
}

BaseFacts seen(std::optional<PublishedImage> published, std::optional<oci::Digest> now) {
  return {.published = std::move(published), .now = std::move(now)};
}

std::vector<std::string> fresh_cells(const Plan& plan) {
  std::vector<std::string> keys;
  for (const auto& cell : plan.cells) {
    if (plan.is_fresh(cell)) keys.push_back(cell.key);
  }
  return keys;
}

TEST(BaseWatch, BuildsFreshlyWhatStandsOnAnOldBase) {
  Plan plan = watching_plan();
  const std::string before = plan.plan_id;
  const auto moved = seen(image_on(kOld), kNow), same = seen(image_on(kNow), kNow);
  decide_bases(plan, {moved, same, moved, same});
  EXPECT_THAT(fresh_cells(plan), ElementsAre("cpu-py3.11", "cpu-py3.13"));
  EXPECT_EQ(plan.cells.front().base_moved_from, kOld.text());
  EXPECT_THAT(plan.policy.reasons, Contains(concat(kUbuntu, " has moved from ", kOld.text(), " to ", kNow.text(),
                                                   "; built fresh: cpu-py3.11, cpu-py3.13")));
  EXPECT_THAT(plan.policy.reasons,
              Contains(EndsWith("-ubuntu22.04 has not moved since the last publication: cuda-py3.11, cuda-py3.13")));
  EXPECT_NE(plan.plan_id, before);
  EXPECT_EQ(parse_plan(to_json(plan), "plan.json").value(), plan);
}

TEST(BaseWatch, LetsAFreshCellWriteTheCacheAndNotReadIt) {
  Plan plan = watching_plan();
  const auto moved = seen(image_on(kOld), kNow), same = seen(image_on(kNow), kNow);
  decide_bases(plan, {moved, same, same, same});
  const auto &fresh = plan.cells[0], &other = plan.cells[1];
  EXPECT_TRUE(plan.writes_cache(fresh) && !plan.reads_cache(fresh));
  EXPECT_TRUE(!plan.writes_cache(other) && plan.reads_cache(other));
  EXPECT_THAT(to_json(plan), HasSubstr(R"("cache_read":false,"cache_write":true)"));
  plan.policy.refresh_cache = false;  // cache-write: false
  EXPECT_FALSE(plan.writes_cache(fresh) || plan.reads_cache(fresh));
}

TEST(BaseWatch, TakesWhatWasNeverPublishedFromTheCache) {
  Plan plan = watching_plan();
  decide_bases(plan, std::vector<std::optional<BaseFacts>>(4, seen(std::nullopt, kNow)));
  EXPECT_THAT(fresh_cells(plan), IsEmpty());
}

TEST(BaseWatch, TakesABaseThatNoRegistryHasAsItIs) {
  Plan plan = watching_plan();
  decide_bases(plan, std::vector<std::optional<BaseFacts>>(4, seen(image_on(kOld), std::nullopt)));
  EXPECT_THAT(fresh_cells(plan), IsEmpty());
}

TEST(BaseWatch, CountsWhatNobodyCanTellAsMoved) {
  auto unlabelled = image_on(kOld);
  unlabelled.base_digest.clear();
  for (const auto& facts : {seen(unlabelled, kNow), BaseFacts{.is_unknown = true}}) {
    Plan plan = watching_plan();
    decide_bases(plan, {facts, std::nullopt, std::nullopt, std::nullopt});
    EXPECT_THAT(fresh_cells(plan), ElementsAre("cpu-py3.11"));
    EXPECT_EQ(plan.cells.front().base_moved_from, kUnknownBase);
    EXPECT_THAT(plan.policy.warnings,
                ElementsAre(concat(kUbuntu, ": cannot tell whether it has moved; built fresh: cpu-py3.11")));
    EXPECT_THAT(plan.policy.reasons, Contains(AllOf(HasSubstr("no base image that a registry could tell of: "),
                                                    HasSubstr("cuda-py3.11"), Not(HasSubstr("cpu-py3.11")))));
  }
}

// A90: the tag may move before the next job builds.
TEST(BaseWatch, GivesEveryBuildOfAPlanTheSameBase) {
  Plan plan = compute_plan(sample::facts(), sample::configuration()).value();
  const auto found = seen(std::nullopt, kNow);
  decide_bases(plan, {found, std::nullopt, found, BaseFacts{.is_unknown = true}});
  EXPECT_EQ(plan.cells[0].base_digest, kNow);
  EXPECT_EQ(plan.cells[2].base_digest, kNow);
  EXPECT_FALSE(plan.cells[1].base_digest || plan.cells[3].base_digest);
  EXPECT_THAT(fresh_cells(plan), IsEmpty()) << "nobody asked to watch";
  EXPECT_THAT(plan.policy.warnings, IsEmpty());
  EXPECT_EQ(parse_plan(to_json(plan), "plan.json").value(), plan);
}

// Its images are published by then, with the new base.
TEST(BaseWatch, PlansAReRunOfAReleaseAsBefore) {
  struct Row {
    std::optional<PublishedImage> before;
    bool is_unknown;
  };
  auto unlabelled = image_on(kOld);
  unlabelled.base_digest.clear();
  for (const Row& row : {Row{image_on(kOld), false}, Row{image_on(kNow), false}, Row{std::nullopt, false},
                         Row{unlabelled, false}, Row{std::nullopt, true}}) {
    Plan first = watching_plan();
    decide_bases(first, std::vector<std::optional<BaseFacts>>(
                            4, BaseFacts{.published = row.before, .now = kNow, .is_unknown = row.is_unknown}));
    const PublishedImage published{.version = first.version,
                                   .revision = first.head_commit,
                                   .base_digest = kNow.text(),
                                   .moved_from = first.cells.front().base_moved_from};
    for (const auto& now : {kNow, oci::Digest::of("moved once more")}) {
      Plan second = watching_plan();
      decide_bases(second, std::vector<std::optional<BaseFacts>>(4, seen(published, now)));
      EXPECT_EQ(second, first);
    }
  }
}

// Whoever may write `latest` does not choose the base of the next release with labels.
TEST(BaseWatch, TakesAnImageOfAMovingTagForAnotherReleaseWhateverItsLabelsSay) {
  Plan plan = watching_plan();
  const PublishedImage forged{.version = plan.version,
                              .revision = plan.head_commit,
                              .base_digest = kOld.text(),
                              .moved_from = {},
                              .by_moving_tag = true};
  decide_bases(plan, std::vector<std::optional<BaseFacts>>(4, seen(forged, kNow)));
  EXPECT_EQ(plan.cells.front().base_digest, kNow);
  EXPECT_EQ(plan.cells.front().base_moved_from, kOld.text());
}

// Labels may hold anything: what is no digest reaches neither the plan nor its summary.
TEST(BaseWatch, CountsALabelThatIsNoDigestAsUnknown) {
  for (const std::string& text :
       {std::string("sha256:evil"), std::string("`x` | ![](http://x)"), std::string(1 << 16, 'a')}) {
    auto other = image_on(kOld);
    other.base_digest = text;
    Plan plan = watching_plan();
    const PublishedImage ours{
        .version = plan.version, .revision = plan.head_commit, .base_digest = kNow.text(), .moved_from = text};
    decide_bases(plan, {seen(other, kNow), seen(ours, kNow), std::nullopt, std::nullopt});
    EXPECT_EQ(plan.cells[0].base_moved_from, kUnknownBase);
    EXPECT_EQ(plan.cells[1].base_moved_from, kUnknownBase);
    EXPECT_THAT(to_json(plan), Not(HasSubstr(text.substr(0, 200))));
  }
}

// A schedule publishes the same version of the same commit again and again.
TEST(BaseWatch, DecidesEverySchedulesRunAnew) {
  Plan plan = watching_plan();
  plan.policy.trigger = "schedule";
  const PublishedImage published{
      .version = plan.version, .revision = plan.head_commit, .base_digest = kNow.text(), .moved_from = kOld.text()};
  decide_bases(plan, std::vector<std::optional<BaseFacts>>(4, seen(published, kNow)));
  EXPECT_THAT(fresh_cells(plan), IsEmpty());
}

TEST(BaseWatch, WatchesTagsOfImagesThatABuildTakes) {
  const config::Build replaced{.build_contexts = {"ubuntu:22.04=docker-image://localhost:5000/mine"}};
  const auto watched = [](const char* base, const config::Build& build = {}) {
    Cell cell;
    cell.base = base;
    return is_watched(cell, build);
  };
  for (const char* base : {"ubuntu:22.04", "ubuntu", "localhost:5000/base/os:1"}) EXPECT_TRUE(watched(base)) << base;
  for (const std::string& base :
       {std::string(), std::string("scratch"), std::string("{{other}}"), concat("ubuntu:22.04@", kOld.text())}) {
    EXPECT_FALSE(watched(base.c_str())) << base;
  }
  EXPECT_FALSE(watched("ubuntu:22.04", replaced));
  EXPECT_TRUE(watched("ubuntu", replaced));
}

}  // namespace
}  // namespace crategate::pipeline
