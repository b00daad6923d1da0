// The report's three faces, against golden files, and what they must never let through.
#include "render/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "golden/golden.h"
#include "json/value.h"
#include "render/line.h"
#include "unit/render/sample_report.h"

namespace crategate::render {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(TerminalTable, ShowsARelease) {
  golden::expect("report-released.txt", terminal_table(sample::released(), false, 0));
}

TEST(TerminalTable, SaysWhichBaseHasMoved) {
  auto report = sample::released();
  report.plan.cells[0].base_moved_from = "sha256:old";
  report.plan.cells[0].base_digest = oci::Digest::of("new");
  report.plan.cells[1].base_moved_from = pipeline::kUnknownBase;
  EXPECT_THAT(terminal_table(report, false, 0),
              AllOf(HasSubstr(concat(": built fresh, for its base ubuntu:22.04 has moved from sha256:old to ",
                                     oci::Digest::of("new").text(), "\n")),
                    HasSubstr(": built fresh, for nobody could tell whether its base ")));
}

TEST(TerminalTable, ShowsAFailureInEightyColumns) {
  const auto table = terminal_table(sample::failed(), false, 80);
  for (const auto& line : split(table, '\n')) EXPECT_LE(length(line), 80u) << line;
  golden::expect("report-failed.txt", table);
}

TEST(TerminalTable, ColoursStatesAndNothingElse) {
  auto report = sample::failed();
  report.cells[0].key = "passed-failed";
  const auto table = terminal_table(report, true, 0);
  EXPECT_THAT(table, HasSubstr("\x1b[31mfailed\x1b[0m"));
  EXPECT_THAT(table, HasSubstr("passed-failed"));
  std::string bare = table;
  for (const std::string code : {"\x1b[0m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[36m"})
    bare = replace_all(bare, code, "");
  EXPECT_EQ(bare, terminal_table(report, false, 0));
}

TEST(TerminalTable, ShowsNoStateOfStagesThatItKnowsNothingOf) {
  auto report = sample::released();
  report.check = report.generate = {};
  EXPECT_THAT(terminal_table(report, false, 0), AllOf(Not(HasSubstr("  check")), Not(HasSubstr("  generate"))));
  EXPECT_THAT(markdown_summary(report), AllOf(Not(HasSubstr("| check |")), Not(HasSubstr("| generate |"))));
  report.generate.state = StageState::passed;
  EXPECT_THAT(terminal_table(report, false, 0), AllOf(Not(HasSubstr("  check")), HasSubstr("\n  generate passed\n")));
  EXPECT_THAT(markdown_summary(report), HasSubstr("| generate | ✅ passed |"));
}

TEST(TerminalTable, FitsEveryWidth) {
  for (std::size_t width = 10; width < 160; width += 7) {
    for (const auto& report : {sample::released(), sample::failed()}) {
      for (const auto& line : split(terminal_table(report, false, width), '\n')) {
        ASSERT_LE(length(line), width) << line;
        ASSERT_TRUE(is_valid_utf8(line));
      }
    }
  }
}

TEST(TerminalTable, LetsNoControlCharactersOfOthersThrough) {
  auto report = sample::failed();
  report.cells[2].failure = "\x1b[2Jgone\r\n::error::x ##[command]y";
  report.verdict = "\n::set-output name=x::y";
  const auto table = terminal_table(report, false, 0);
  EXPECT_THAT(table, Not(HasSubstr("\x1b")));
  EXPECT_THAT(table, Not(HasSubstr("\r")));
  EXPECT_THAT(table, Not(HasSubstr("##[")));
  EXPECT_THAT(table, Not(HasSubstr("\n::")));
}

TEST(MarkdownSummary, ShowsARelease) { golden::expect("report-released.md", markdown_summary(sample::released())); }

TEST(MarkdownSummary, ShowsAFailureWithoutMarkupOfOthers) {
  const auto summary = markdown_summary(sample::failed());
  EXPECT_THAT(summary, Not(HasSubstr("<b>")));
  EXPECT_THAT(summary, Not(HasSubstr("@org")));
  EXPECT_THAT(summary, Not(HasSubstr("`")));
  golden::expect("report-failed.md", summary);
}

TEST(ReleaseJson, ShowsARelease) { golden::expect("release.json", release_json(sample::released())); }

TEST(ReleaseJson, NamesWhatTheTagsNameAtTheEnd) {
  const auto report = sample::released();
  const auto document = json::Document::parse(release_json(report), "release.json");
  ASSERT_TRUE(document);
  const auto published = document->root().string_map("published");
  ASSERT_TRUE(published);
  EXPECT_EQ(published->at("braindotai/opencrate-cpu-py3.11:v1.2.3"), report.cells[0].record->manifest_digest.text());
  EXPECT_EQ(published->at("braindotai/opencrate-cuda-py3.11:v1.2.3"), sample::kBefore.text()) << "kept by policy";
  EXPECT_EQ(document->root().at("moved")->items()->size(), 3u) << "a tag that was there already did not move";
}

TEST(ReleaseJson, HasNoEvidenceWhereThereIsNone) {
  const auto document = json::Document::parse(release_json(sample::failed()), "release.json");
  ASSERT_TRUE(document);
  const auto cells = document->root().at("cells")->items();
  EXPECT_EQ(cells->size(), 4u);
  EXPECT_FALSE(*cells->at(0).find("manifest_digest"));
  EXPECT_EQ(*cells->at(2).at("tests")->string("verdict"), "failed");
  EXPECT_TRUE(document->root().string_map("published")->empty());
}

TEST(StageState, ReadsBackItsWords) {
  for (const auto state : {StageState::pending, StageState::running, StageState::passed, StageState::failed,
                           StageState::skipped, StageState::cached}) {
    EXPECT_EQ(parse_stage_state(to_string(state)), state);
  }
  EXPECT_EQ(parse_stage_state("Passed"), std::nullopt);
  EXPECT_EQ(parse_stage_state(""), std::nullopt);
}

}  // namespace
}  // namespace crategate::render
