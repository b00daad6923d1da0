// Scans for people and for code scanning: nothing of a report is trusted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "golden/golden.h"
#include "json/value.h"
#include "render/decisions.h"
#include "render/sarif.h"
#include "unit/pipeline/scan_sample.h"

namespace crategate::render {
namespace {

using pipeline::ScanFinding;
using pipeline::Severity;
using ::testing::HasSubstr;
using ::testing::Not;
namespace base = pipeline::sample;

const std::string kPlace = "docker/dockerfiles/Dockerfile.cpu py3.11";

std::vector<ScanFinding> findings() {
  return pipeline::read_trivy_report(base::trivy_report(), "r", base::artifact())->findings;
}

pipeline::ScanResult result(const std::vector<ScanFinding>& findings) {
  auto made = base::scan(base::scanned_plan());
  made.counts = pipeline::count_findings(findings);
  made.verdict = pipeline::judge_scan(made.counts, made.policy.severity);
  return made;
}

ScanFinding hostile() {
  return {.severity = Severity::high,
          .kind = "vulnerability",
          .id = "CVE-1\n::add-mask::x",
          .package = "a|b`<script>",
          .installed = "\x1b[31m1",
          .fixed = "@org/team",
          .title = "##[error]x [l](http://evil) " + std::string(3000, 'x'),
          .url = "javascript:alert(1)",
          .target = "../../etc"};
}

TEST(ScanTable, ShowsTheWorstFirst) {
  const auto all = findings();
  golden::expect("scan-failed.txt", scan_table(result(all), all, "report.json"));
}

TEST(ScanTable, IsForTheSummaryToo) {
  const auto all = findings();
  golden::expect("scan-failed.md", scan_markdown(result(all), all, "report.json"));
}

TEST(ScanTable, SaysThatNothingWasFound) {
  EXPECT_EQ(scan_table(result({}), {}, "r"),
            "scan of cpu-py3.11: passed, no findings (threshold CRITICAL; trivy 0.65.0)\n");
}

TEST(ScanTable, EndsAndSaysWhereTheRestIs) {
  const std::vector<ScanFinding> many(10'000, hostile());
  const auto text = scan_table(result(many), many, "scans/cpu.report.json");
  EXPECT_LT(text.size(), 50'000U);
  EXPECT_THAT(text, HasSubstr("… and 9950 more: scans/cpu.report.json"));
  EXPECT_LT(scan_markdown(result(many), many, "r").size(), 100'000U);
}

TEST(ScanTable, IsHarmlessWhateverAReportSays) {
  const std::vector<ScanFinding> all = {hostile()};
  const auto text = scan_table(result(all), all, "r");
  for (const auto& line : split(text, '\n')) EXPECT_FALSE(line.starts_with("::")) << line;
  EXPECT_THAT(text, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("##[")), Not(HasSubstr("CVE-1\n"))));
  EXPECT_THAT(scan_markdown(result(all), all, "r"),
              AllOf(Not(HasSubstr("<script>")), Not(HasSubstr("@org")), Not(HasSubstr("](http"))));
}

TEST(Sarif, IsOneRunInTheCellsCategory) {
  const auto all = findings();
  golden::expect("scan.sarif", sarif(result(all), all, kPlace));
}

TEST(Sarif, TakesNothingOnTrust) {
  auto twice = hostile();
  twice.package = "other";
  const std::vector<ScanFinding> all = {hostile(), twice};
  const auto text = sarif(result(all), all, "a b/ü%");
  const auto document = json::Document::parse(text, "sarif");
  ASSERT_TRUE(document);
  EXPECT_THAT(text, AllOf(Not(HasSubstr("javascript")), Not(HasSubstr("helpUri")), HasSubstr("\"a%20b/%C3%BC%25\"")));
  const auto run = document->root().at("runs")->items()->front();
  EXPECT_EQ(run.at("tool")->at("driver")->at("rules")->items()->size(), 1U) << "one rule for one id";
  EXPECT_EQ(run.at("results")->items()->size(), 2U);
  EXPECT_LT(text.size(), 20'000U);
}

TEST(Sarif, HasNoMoreResultsThanAreShown) {
  const std::vector<ScanFinding> many(6000, hostile());
  const auto document = json::Document::parse(sarif(result(many), many, "x"), "sarif");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->root().at("runs")->items()->front().at("results")->items()->size(), 5000U);
}

}  // namespace
}  // namespace crategate::render
