// Scans: the threshold, the document, and reports that are no proof of anything (A89).
#include "pipeline/scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "unit/pipeline/scan_sample.h"

namespace crategate::pipeline {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct ThresholdCase {
  std::string what;
  std::array<std::int64_t, 5> counts;  // unknown, low, medium, high, critical
  std::string threshold;
  ScanVerdict verdict;
};

TEST(Scan, IsJudgedByItsThreshold) {
  using enum ScanVerdict;
  const ThresholdCase rows[] = {{"nothing", {}, "UNKNOWN", passed},
                                {"nothing, report only", {}, "none", passed},
                                {"below", {9, 9, 9, 9, 0}, "CRITICAL", below_threshold},
                                {"at", {0, 0, 0, 0, 1}, "CRITICAL", failed},
                                {"at the middle", {0, 0, 1, 0, 0}, "MEDIUM", failed},
                                {"above", {0, 0, 0, 0, 1}, "LOW", failed},
                                {"just below", {0, 1, 0, 0, 0}, "MEDIUM", below_threshold},
                                {"unknown counts least", {1, 0, 0, 0, 0}, "LOW", below_threshold},
                                {"unknown at its own", {1, 0, 0, 0, 0}, "UNKNOWN", failed},
                                {"report only", {1, 1, 1, 1, 1}, "none", below_threshold}};
  for (const auto& row : rows) {
    EXPECT_EQ(to_string(judge_scan({row.counts}, row.threshold)), to_string(row.verdict)) << row.what;
  }
}

TEST(Scan, SaysWhatWasFoundWorstFirst) {
  EXPECT_EQ(counts_text({{1, 0, 2, 0, 3}}), "3 critical, 2 medium, 1 unknown");
  EXPECT_EQ(counts_text({}), "no findings");
}

TEST(ScanResult, ReadsBackWhatItWrote) {
  const auto text = to_json(sample::scan(sample::scanned_plan()));
  const auto read = parse_scan_result(text, "scan.json");
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(to_json(*read), text);
  EXPECT_EQ(read->counts.of(Severity::low), 2);
}

TEST(ScanResult, IsRefusedWhenAnythingIsUnclear) {
  const auto text = to_json(sample::scan(sample::scanned_plan()));
  const std::pair<std::string, std::string> rows[] = {{R"("low":2)", R"("low":-2)"},
                                                      {R"("low":2)", R"("low":2,"severe":1)"},
                                                      {R"("findings-below-threshold")", R"("clean")"},
                                                      {R"("threshold":"CRITICAL")", R"("threshold":"critical")"},
                                                      {R"("report_digest":"sha256:)", R"("report_digest":"sha256)"},
                                                      {R"("schema":1)", R"("schema":2)"}};
  for (const auto& [from, to] : rows) {
    ASSERT_THAT(text, HasSubstr(from));
    EXPECT_FALSE(parse_scan_result(replace_all(text, from, to), "scan.json")) << to;
  }
}

TEST(TrivyReport, GivesEveryKindOfFindingWorstFirst) {
  const auto report = read_trivy_report(sample::trivy_report(), "report.json", sample::artifact());
  ASSERT_TRUE(report) << describe(report.error());
  ASSERT_THAT(report->findings, SizeIs(4));
  EXPECT_EQ(report->scanner_version, "0.68.1");
  EXPECT_EQ(report->findings[0],
            (ScanFinding{Severity::critical, "vulnerability", "CVE-2026-2", "libc6", "2.36-9", "2.36-10",
                         "glibc: a flaw", "https://avd.aquasec.com/nvd/cve-2026-2", "image (debian 12.9)"}));
  EXPECT_EQ(report->findings[1].id, "CVE-2026-1");
  EXPECT_EQ(report->findings[2].kind, "secret");
  EXPECT_EQ(report->findings[3].id, "DS002") << "a check that passed is no finding";
  EXPECT_EQ(counts_text(count_findings(report->findings)), "1 critical, 2 high, 1 low");
}

struct BrokenReport {
  std::string what, from, to, expected;
};

class BrokenReports : public ::testing::TestWithParam<BrokenReport> {};
void PrintTo(const BrokenReport& row, std::ostream* out) { *out << row.what; }

TEST_P(BrokenReports, AreNeverTakenForClean) {
  const auto& row = GetParam();
  const auto text = sample::trivy_report();
  ASSERT_THAT(text, HasSubstr(row.from));
  const auto report = read_trivy_report(replace_all(text, row.from, row.to), "report.json", sample::artifact());
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::integrity);
  EXPECT_THAT(report.error().message, AllOf(HasSubstr("report.json"), HasSubstr(row.expected)));
  EXPECT_FALSE(report.error().hint.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Table, BrokenReports,
    ::testing::Values(
        BrokenReport{"another schema", R"("SchemaVersion":2)", R"("SchemaVersion":3)", "expected 2"},
        BrokenReport{"no schema", R"("SchemaVersion":2,)", "", "SchemaVersion"},
        BrokenReport{"another image's file", R"("ArtifactName":"in/image.tar")", R"("ArtifactName":"alpine")",
                     R"(ArtifactName: expected in/image.tar, found "alpine")"},
        BrokenReport{"a file system", "container_image", "filesystem", "expected container_image"},
        BrokenReport{"another image", R"("ImageID":"sha256:)", R"("ImageID":"sha256:0)", "ImageID: expected sha256:"},
        BrokenReport{"no image", R"("ImageID":)", R"("ImageIDs":)", "ImageID"},
        BrokenReport{"no metadata", R"("Metadata":{)", R"("MetaData":{)", "Metadata"},
        BrokenReport{"no results", R"("Results":)", R"("Result":)", "Results: expected what was found"},
        BrokenReport{"no packages of the distribution", R"("Class":"os-pkgs")", R"("Class":"other")", R"("debian")"},
        BrokenReport{"results of another type", R"("Results":[)", R"("Results":3,"R":[)", "Results"},
        BrokenReport{"findings of another type", R"("Vulnerabilities":[)", R"("Vulnerabilities":{},"V":[)",
                     "Vulnerabilities"},
        BrokenReport{"an unknown severity", R"("Severity":"CRITICAL")", R"("Severity":"NEGLIGIBLE")",
                     "UNKNOWN, LOW, MEDIUM"},
        BrokenReport{"a severity in other letters", R"("Severity":"CRITICAL")", R"("Severity":"critical")", "Severity"},
        BrokenReport{"no severity", R"("Severity":"CRITICAL",)", "", "Severity"},
        BrokenReport{"no id", R"("VulnerabilityID":"CVE-2026-2",)", "", "VulnerabilityID"},
        BrokenReport{"two schemas", R"({"SchemaVersion":2)", R"({"SchemaVersion":3,"SchemaVersion":2)",
                     "SchemaVersion"}));

TEST(TrivyReport, IsNoneWhenItIsCutOrNoDocument) {
  const auto text = sample::trivy_report();
  for (std::size_t length = 0; length < text.size(); length += 7) {
    const auto report = read_trivy_report(text.substr(0, length), "report.json", sample::artifact());
    ASSERT_FALSE(report) << length;
    EXPECT_EQ(report.error().code, ErrorCode::integrity);
  }
  for (const std::string other : {" \n", "null", "[]", "{}", "\xFF", "No vulnerabilities found"})
    EXPECT_FALSE(read_trivy_report(other, "report.json", sample::artifact())) << quoted(other);
}

TEST(TrivyReport, MayBeOfAnImageWithoutPackagesWhereNothingIsDecided) {
  const std::string text = R"({"SchemaVersion":2,"ArtifactName":"in/image.tar","ArtifactType":"container_image",)"
                           R"("Metadata":{"ImageID":")" +
                           oci::Digest::of("config").text() + R"("}})";
  auto expected = sample::artifact();
  EXPECT_THAT(read_trivy_report(text, "r", expected).error().hint, HasSubstr("scan.severity: none"));
  expected.needs_packages = false;
  ASSERT_TRUE(read_trivy_report(text, "r", expected));
  EXPECT_THAT(read_trivy_report(text, "r", expected)->findings, IsEmpty());
}

}  // namespace
}  // namespace crategate::pipeline
