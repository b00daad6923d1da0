// plan.json: equal facts give equal bytes, and nothing but those bytes is read back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "golden/golden.h"
#include "pipeline/event.h"
#include "pipeline/plan.h"
#include "pipeline/policy.h"
#include "unit/pipeline/sample.h"
#include "unit/pipeline/scan_sample.h"

namespace crategate::pipeline {
namespace {

using ::testing::HasSubstr;

Plan sample_plan() { return *compute_plan(sample::facts(), sample::configuration()); }

TEST(PlanJson, CarriesWhatIsAskedOfScans) {
  const auto plan = sample::scanned_plan("HIGH");
  const auto text = to_json(plan);
  EXPECT_NE(text.find(R"("scan":{"ignore_unfixed":false,"severity":"HIGH"})"), std::string::npos);
  const auto read = parse_plan(text, "plan.json");
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(*read, plan);
  EXPECT_NE(plan.plan_id, sample::scanned_plan("LOW").plan_id);
  EXPECT_EQ(to_json(sample_plan()).find("\"scan\""), std::string::npos) << "a plan without scans is as it was";
}

TEST(PlanJson, IsCanonical) { golden::expect("plan-release.json", to_json(sample_plan())); }

// A05
TEST(PlanJson, OfAPullRequestWhoseForkWasDeletedIsThatOfAnyOtherFork) {
  const auto plan_of = [](const std::string& head_repository) {
    const auto event = parse_event(
        {.name = "pull_request",
         .ref = "refs/pull/7/merge",
         .sha = sample::kCommit,
         .base_ref = "main",
         .payload = concat(R"({"number":7,"pull_request":{"number":7,"head":{"ref":"fix","repo":)", head_repository,
                           R"(},"base":{"ref":"main"}},"repository":{"id":1,"default_branch":"main"}})")});
    EXPECT_TRUE(event && event->from_fork) << head_repository;
    auto facts = sample::facts();
    facts.event = event.value();
    facts.policy = decide_policy({.event = *event}, sample::configuration());
    facts.version_released = false;
    return to_json(*compute_plan(facts, sample::configuration()));
  };
  EXPECT_EQ(plan_of("null"), plan_of(R"({"id":2})"));
  golden::expect("plan-deleted-fork.json", plan_of("null"));
}

// Moving tags follow the version tags of their cell; without one they would follow what anybody says was published.
TEST(PlanJson, IsOfCellsThatHaveAVersionTag) {
  auto plan = sample_plan();
  plan.cells.front().tags.clear();
  plan.plan_id = plan_id_of(plan);
  const auto read = parse_plan(to_json(plan), "plan.json");
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("at least one tag"));
}

TEST(PlanJson, ReadsBackWhatItWrote) {
  const auto plan = sample_plan();
  const auto read = parse_plan(to_json(plan), "plan.json");
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(*read, plan);
  EXPECT_EQ(to_json(*read), to_json(plan));
}

TEST(PlanJson, ReadsAPlanWithoutItsLineFeed) {
  const auto text = to_json(sample_plan());
  EXPECT_TRUE(parse_plan(trim(text), "--plan"));
}

TEST(PlanJson, GivesOtherContentAnotherIdentity) {
  const auto plan = sample_plan();
  auto other = plan;
  other.cells[2].base = "ubuntu:24.04";
  EXPECT_NE(plan_id_of(other), plan.plan_id);
  EXPECT_EQ(plan_id_of(plan), plan.plan_id);
  EXPECT_TRUE(plan.plan_id.starts_with("sha256:"));
}

struct Tampering {
  std::string what, from, to, message;
};

void PrintTo(const Tampering& row, std::ostream* out) { *out << row.what; }

class TamperedPlans : public ::testing::TestWithParam<Tampering> {};

TEST_P(TamperedPlans, AreRefused) {
  const auto& row = GetParam();
  const auto text = to_json(sample_plan());
  ASSERT_THAT(text, HasSubstr(row.from));
  const auto plan = parse_plan(replace_all(text, row.from, row.to), "plan.json");
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::bad_input);
  EXPECT_THAT(describe(plan.error()), AllOf(HasSubstr("plan.json"), HasSubstr(row.message)));
  EXPECT_FALSE(plan.error().hint.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Table, TamperedPlans,
    ::testing::Values(Tampering{"image", "opencrate-cuda-py3.13\"", "opencrate-evil\"", "plan_id"},
                      Tampering{"push", R"("push":true)", R"("push":false)", "plan_id"},
                      Tampering{"fresh of the cells", R"("fresh":false,"image")", R"("fresh":true,"image")",
                                "cells[0].fresh: expected false as the rest of it says"},
                      Tampering{"schema", R"("schema":1)", R"("schema":2)", "schema"},
                      Tampering{"no schema", R"("schema":1)", R"("scheme":1)", "schema"},
                      Tampering{"unknown member", R"({"cells")", R"({"a":1,"cells")",
                                "plan.json: a: expected no such member in schema 1, found the number 1"},
                      Tampering{"missing member", R"("commit":)", R"("comit":)", "commit"},
                      Tampering{"wrong type", R"("layout":false)", R"("layout":"false")", "layout"},
                      Tampering{"wrong platform", "linux/amd64", "linux", "platform"},
                      Tampering{"duplicate key", R"("layout":false)", R"("layout":false,"layout":true)", "layout"},
                      Tampering{"plan id", R"("plan_id":"sha256:)", R"("plan_id":"sha256:0)", "plan_id"}));

TEST(PlanJson, RefusesWhatIsNoDocument) {
  for (const std::string text : {"", "null", "[]", "{", "{}", "\xEF\xBB\xBF{}"}) {
    const auto plan = parse_plan(text, "plan.json");
    ASSERT_FALSE(plan) << text;
    EXPECT_EQ(plan.error().code, ErrorCode::bad_input);
  }
}

}  // namespace
}  // namespace crategate::pipeline
