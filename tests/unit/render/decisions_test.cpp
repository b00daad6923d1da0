// Plans, verdicts and change sets as people see them.
#include "render/decisions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "golden/golden.h"
#include "unit/render/sample_report.h"

namespace crategate::render {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

namespace base = pipeline::sample;

pipeline::Verdict refused_verdict() {
  const auto plan = base::plan();
  auto record = base::record(plan);
  record.tests.failed = 1;
  pipeline::Verdict verdict;
  verdict.cells.push_back(pipeline::judge(plan, plan.cells[0], base::record(plan), base::observed(), base::demands()));
  verdict.cells.push_back(pipeline::judge(plan, plan.cells[0], record, std::nullopt, base::demands()));
  verdict.cells.push_back(pipeline::judge(plan, plan.cells[2], std::nullopt, std::nullopt, base::demands()));
  return verdict;
}

TEST(PolicyText, ShowsThePlan) { golden::expect("plan-release.txt", policy_table(base::plan())); }

TEST(PolicyText, ShowsARowOnItsOwn) {
  const auto policy = pipeline::decide_policy({.event = base::pull_request()}, base::configuration());
  EXPECT_THAT(policy_table(policy),
              AllOf(HasSubstr("runs         yes\n"), HasSubstr("push         no\n"), HasSubstr("reason: pull request"),
                    HasSubstr("warning: the changes of the pull request cannot be computed")));
}

TEST(PolicyText, ShowsWhichCellsStandOnABaseThatMoved) {
  auto plan = base::plan();
  plan.policy.watch_base = true;
  plan.cells[0].base_moved_from = "sha256:old";
  plan.cells[1].base_moved_from = pipeline::kUnknownBase;
  EXPECT_THAT(policy_table(plan), AllOf(HasSubstr("v1.2.3  fresh\n"), HasSubstr("where the base image has moved\n")));
  EXPECT_THAT(plan_summary_markdown(plan),
              AllOf(HasSubstr(" has moved: built fresh"), HasSubstr(" may have moved: built fresh")));
  EXPECT_THAT(policy_json(plan.policy), HasSubstr("\"watch_base\": true"));
}

TEST(PlanSummary, ShowsThePlan) { golden::expect("plan-release.md", plan_summary_markdown(base::plan())); }

TEST(PlanSummary, EscapesWhatPeopleChose) {
  auto plan = base::plan();
  plan.ref = "refs/heads/`id`|<img src=x>@org/team";
  plan.policy.warnings = {"branch @org/team | [x](http://evil) www.evil.com\n# heading"};
  const auto summary = plan_summary_markdown(plan);
  for (const std::string raw : {"`", "<img", "@org", "[x]", "http:", "www.evil", "\n# "})
    EXPECT_THAT(summary, Not(HasSubstr(raw)));
  for (const auto& line : split(summary, '\n')) {
    if (!line.starts_with("| ref ")) continue;
    EXPECT_EQ(std::count(line.begin(), line.end(), '|'), 3) << line;
  }
}

TEST(GateText, ShowsWhatWasExpectedAndFound) { golden::expect("gate-refused.txt", gate_table(refused_verdict())); }

TEST(GateMarkdown, ShowsWhatWasExpectedAndFound) {
  golden::expect("gate-refused.md", gate_markdown(refused_verdict()));
}

TEST(GateText, SaysWhenEverythingIsAdmitted) {
  pipeline::Verdict verdict{{{"a", true, {}}}};
  EXPECT_THAT(gate_table(verdict), HasSubstr("gate: 1 of 1 cells admitted\n"));
  EXPECT_THAT(gate_markdown(verdict), Not(HasSubstr("nothing is published")));
  EXPECT_THAT(gate_table({}), HasSubstr("0 of 0 cells admitted: nothing is published"));
}

TEST(ChangeSetText, ListsEveryWrite) {
  const auto to = oci::Digest::of("to");
  const auto from = oci::Digest::of("from");
  const pipeline::ChangeSet changes{
      {{"b", "a/stage", "a/b", to}, {"", "", "localhost:5000/a/set", from}},
      {
          {.repository = "a/b", .tag = "v1", .from = std::nullopt, .to = to},
          {.repository = "localhost:5000/a/b",
           .tag = "latest",
           .from = from,
           .to = to,
           .note = "moved by a manual run"},
          {.repository = "ghcr.io/a/b", .tag = "v2", .from = from, .to = to, .needed = false, .note = "kept"},
      }};
  EXPECT_EQ(change_set_text(changes, "journal.json"),
            concat("COPY a/b@", to.text(), " (from a/stage)\nPUT localhost:5000/a/set@", from.text(),
                   " (the index of the release)\nJOURNAL journal.json\nPUT a/b:v1 ", to.text(), " (was absent)\n",
                   "PUT localhost:5000/a/b:latest ", to.text(), " (was ", from.text(), "; moved by a manual run)\n",
                   "KEEP ghcr.io/a/b:v2 ", from.text(), " (kept)\n"));
  EXPECT_EQ(change_set_text({}, "journal.json"), "");
}

}  // namespace
}  // namespace crategate::render
