// The runner's protocol, with a port of the runner's own parser as judge.
#include "actions/workflow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "actions/names.h"
#include "base/secret.h"
#include "base/strings.h"
#include "support/fakes.h"
#include "support/test_directory.h"

namespace crategate::actions {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using Entries = std::vector<std::pair<std::string, std::string>>;

/// The grammar of the runner's EnvFileKeyValuePairs on Linux; nullopt where the runner fails the step.
std::optional<Entries> runner_reads(std::string_view text) {
  Entries entries;
  while (!text.empty()) {
    const auto take_line = [&text] {
      const std::size_t end = text.find('\n');
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      return line;
    };
    const std::string_view line = take_line();
    if (line.empty()) continue;
    const std::size_t equals = line.find('='), heredoc = line.find("<<");
    if (equals < heredoc) {
      entries.emplace_back(line.substr(0, equals), line.substr(equals + 1));
      continue;
    }
    if (heredoc == std::string_view::npos) return std::nullopt;
    const std::string_view name = line.substr(0, heredoc), delimiter = line.substr(heredoc + 2);
    if (name.empty() || delimiter.empty()) return std::nullopt;
    std::string value;
    bool first = true, closed = false;
    while (!text.empty() && !closed) {
      const std::string_view content = take_line();
      closed = content == delimiter;
      if (closed) break;
      value += concat(first ? "" : "\n", content);
      first = false;
    }
    if (!closed) return std::nullopt;
    entries.emplace_back(name, value);
  }
  return entries;
}

TEST(EncodeEntry, IsReadBackByTheRunner) {
  const std::string rows[] = {"",
                              "plain",
                              "a=b",
                              "a<<EOF",
                              "line\nline",
                              "\n",
                              "\n\n",
                              "ends\n",
                              "\rcr\r\n",
                              "=",
                              "<<",
                              "name<<x\nv\nx\n",
                              "ghadelimiter_1",
                              "::set-output name=a::b",
                              std::string(2u << 20, 'x'),
                              "\xef\xbb\xbf",
                              "${{ x }}"};
  for (const std::string& value : rows) {
    const auto text = encode_entry("plan", value, "ghadelimiter_0123");
    ASSERT_TRUE(text) << value.substr(0, 40);
    EXPECT_EQ(runner_reads(concat("before=1\n", *text, "after=2\n")).value(),
              (Entries{{"before", "1"}, {"plan", value}, {"after", "2"}}))
        << value.substr(0, 40);
  }
}

TEST(EncodeEntry, IsReadBackByTheRunnerForRandomValues) {  // A79
  std::mt19937 random(20261120);
  const std::vector<std::string> parts = {"\n", "\r", "=", "<<", "ghadelimiter_", "EOF", "a",
                                          " ",  "::", "D", "\t", "\xc3\xbc"};
  for (int round = 0; round < 3000; ++round) {
    std::string value;
    for (std::size_t i = random() % 12; i > 0; --i) value += parts[random() % parts.size()];
    const auto text = encode_entry("name", value, "D-e-l-i-m");
    ASSERT_TRUE(text);
    EXPECT_EQ(runner_reads(*text).value(), (Entries{{"name", value}})) << quoted(value);
  }
}

TEST(EncodeEntry, RefusesNamesAndDelimitersThatBreakOut) {
  for (const std::string name : {"", "a b", "a=b", "a<<b", "a\nb", "1a", "-a", "a.b", "\xc3\xbc", "a:"})
    EXPECT_EQ(encode_entry(name, "v", "D").error().code, ErrorCode::bad_input) << name;
  for (const char* name : {"a", "_a", "python_versions_json", "cache-update", "A1"})
    EXPECT_TRUE(encode_entry(name, "v", "D"));
  EXPECT_EQ(encode_entry("a", "x\nD\nevil=1", "D").error().code, ErrorCode::internal);
  EXPECT_FALSE(encode_entry("a", "v", ""));
  EXPECT_FALSE(encode_entry("a", "v", "D\nE"));
}

constexpr std::string_view kWhole = "in a file";

TEST(CutSummary, CutsAtALineAndSaysSo) {
  EXPECT_EQ(cut_summary("short\n", 100, kWhole), "short\n");
  std::string text;
  for (int i = 0; i < 1000; ++i) text += concat("| row ", i, " |\n");
  const std::string cut = cut_summary(text, 1000, kWhole);
  EXPECT_LE(cut.size(), 1000u);
  EXPECT_THAT(cut, HasSubstr(" |\n\n\n_The summary is cut here"));
  const std::string endless = cut_summary(std::string(3000, 'x') + "\xc3\xbc", 1000, kWhole);
  EXPECT_LE(endless.size(), 1000u);
  std::string umlauts;
  for (int i = 0; i < 1000; ++i) umlauts += "\xc3\xbc";
  for (std::size_t limit = 0; limit < 300; ++limit) {
    EXPECT_LE(cut_summary(umlauts, limit, kWhole).size(), limit);
    EXPECT_TRUE(is_valid_utf8(cut_summary(umlauts, limit, kWhole))) << limit;
  }
}

TEST(EncodeAnnotation, EscapesAndOrders) {
  const Annotation full{.severity = Severity::error,
                        .title = "a,b:c",
                        .message = "100%\nof it\r\nfails",
                        .location = Location{"src/a,b.yml", 3, 7}};
  EXPECT_THAT(encode_annotation(full),
              MatchesRegex("::error file=src/a%2Cb.yml,line=3,col=7,title=a%2Cb%3Ac::100%25%0Aof it *%0Afails"));
  EXPECT_EQ(encode_annotation({.severity = Severity::warning, .message = "m", .location = Location{"f", 0, 7}}),
            "::warning file=f::m");
  EXPECT_EQ(encode_annotation({.severity = Severity::notice, .message = "m"}), "::notice::m");
  EXPECT_EQ(encode_annotation({.message = "m", .location = Location{"", 5, 5}}), "::error::m");
  EXPECT_EQ(encode_annotation({.message = "%0A"}), "::error::%250A");
}

TEST(EncodeAnnotation, IsOneHarmlessLine) {
  const std::string rows[] = {"\n::set-output name=x::y", "\r::error::x", "##[error]x", "\x1b[31mred",
                              "a\xe2\x80\xa8::stop-commands::t"};
  for (const std::string& row : rows) {
    const std::string line = encode_annotation({.title = row, .message = row, .location = Location{row, 1, 1}});
    EXPECT_EQ(line.find_first_of("\r\n\x1b"), std::string::npos) << quoted(line);
    EXPECT_THAT(line, ::testing::StartsWith("::error "));
  }
  const std::string longest = encode_annotation({.message = std::string(10000, 'x')});
  EXPECT_LE(longest.size(), 4096u);
}

class RunnerWorkflowTest : public ::testing::Test {
 protected:
  RunnerWorkflow workflow() {
    return RunnerWorkflow(environment_, files_, [this](std::string_view line) { printed_.emplace_back(line); });
  }
  test::TestDirectory directory_;
  test::FakeEnvironment environment_{{{std::string(kActions), "true"},
                                      {std::string(kOutput), (directory_ / "output").string()},
                                      {std::string(kSummary), (directory_ / "summary").string()}}};
  sys::PosixFileSystem files_;
  std::vector<std::string> printed_;
};

TEST_F(RunnerWorkflowTest, AppendsOutputsWithFreshDelimiters) {
  directory_.write("output", "");
  RunnerWorkflow runner = workflow();
  EXPECT_TRUE(runner.set_output("a", "1"));
  EXPECT_TRUE(runner.set_output("b", "2\n3"));
  EXPECT_EQ(runner_reads(directory_.read("output")).value(), (Entries{{"a", "1"}, {"b", "2\n3"}}));
  EXPECT_THAT(split(directory_.read("output"), '\n').at(0), MatchesRegex("a<<ghadelimiter_[0-9a-f]{32}"));
  EXPECT_NE(split(directory_.read("output"), '\n').at(2), split(directory_.read("output"), '\n').at(6));
  EXPECT_EQ(runner.set_output("bad name", "1").error().code, ErrorCode::bad_input);
}

TEST_F(RunnerWorkflowTest, ReportsAnOutputFileThatCannotBeWritten) {
  environment_.set(std::string(kOutput), "/dev/full");
  const auto written = workflow().set_output("a", "1");
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().context, ElementsAre("writing the output a"));
}

TEST_F(RunnerWorkflowTest, KeepsTheSummaryWithinWhatTheRunnerShows) {
  const Secret secret("hunter2-and-more");
  RunnerWorkflow runner = workflow();
  EXPECT_TRUE(runner.add_summary("# Title hunter2-and-more"));
  EXPECT_EQ(directory_.read("summary"), "# Title ***\n");
  std::string rows;
  while (rows.size() < 700000) rows += "| a row of a table |\n";
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(runner.add_summary(rows));
  const std::string summary = directory_.read("summary");
  EXPECT_LT(summary.size(), kSummaryLimit);
  EXPECT_GT(summary.size(), kSummaryLimit - 8192);
  EXPECT_THAT(summary, EndsWith("All of it: the log of this step._\n"));
}

TEST_F(RunnerWorkflowTest, KeepsTheWholeOfALongSummaryInAFile) {
  RunnerWorkflow runner = workflow();
  runner.keep_long_summaries(directory_ / "state", ".crategate/summary.md");
  std::string rows;
  while (rows.size() < 700000) rows += "| a row of a table |\n";
  EXPECT_TRUE(runner.add_summary(rows));
  EXPECT_FALSE(directory_.exists("state/summary.md")) << "it fits";
  EXPECT_TRUE(runner.add_summary(rows));
  EXPECT_TRUE(runner.add_summary("the end"));
  EXPECT_THAT(directory_.read("summary"), EndsWith("All of it: .crategate/summary.md._\n"));
  EXPECT_EQ(directory_.read("state/summary.md"), concat(rows, rows, "the end\n"));
}

TEST_F(RunnerWorkflowTest, InsistsOnTheRunnersFiles) {
  EXPECT_EQ(workflow().check_files().error().code, ErrorCode::bad_input) << "nothing there";
  EXPECT_FALSE(directory_.exists("output"));
  directory_.write("output", "");
  EXPECT_THAT(workflow().check_files().error().message, HasSubstr("GITHUB_STEP_SUMMARY: expected the runner's file"));
  directory_.write("summary", "");
  EXPECT_TRUE(workflow().check_files());
  environment_.set(std::string(kOutput), directory_.path().string());
  EXPECT_THAT(workflow().check_files().error().message, HasSubstr("found one that cannot be written"));
  environment_.unset(std::string(kActions));
  EXPECT_TRUE(workflow().check_files()) << "anywhere else the file is made";
}

TEST_F(RunnerWorkflowTest, GathersWhatARunnerWouldNotShow) {
  {
    RunnerWorkflow runner = workflow();
    for (int i = 1; i <= 12; ++i) runner.annotate({.severity = Severity::warning, .message = concat("w", i)});
    for (int i = 1; i <= 10; ++i) runner.annotate({.severity = Severity::notice, .message = concat("n", i)});
    runner.annotate({.message = "e1"});
    EXPECT_EQ(printed_.size(), 19U);
    EXPECT_EQ(printed_.back(), "::error::e1");
  }
  ASSERT_EQ(printed_.size(), 21U);
  EXPECT_EQ(printed_[19], "::notice::n10");
  EXPECT_EQ(printed_[20], "::warning title=3 more::w10%0Aw11%0Aw12%0A");
}

TEST_F(RunnerWorkflowTest, MasksWhatIsLongEnough) {  // A81
  RunnerWorkflow runner = workflow();
  runner.mask(Secret("12345"));
  EXPECT_TRUE(printed_.empty());
  runner.mask(Secret("123456%"));
  EXPECT_THAT(printed_, ElementsAre("::add-mask::123456%25"));
  environment_.unset(std::string(kActions));
  workflow().mask(Secret("1234567"));
  EXPECT_EQ(printed_.size(), 1U);
}

TEST_F(RunnerWorkflowTest, PrintsCommandsInsideARunnerOnly) {
  RunnerWorkflow runner = workflow();
  runner.annotate({.message = "m"});
  runner.begin_group("100%\n::error::x");
  runner.end_group();
  EXPECT_THAT(printed_, ElementsAre("::error::m", "::group::100%25%0A: :error::x", "::endgroup::"));
  printed_.clear();
  environment_.unset(std::string(kActions));
  RunnerWorkflow shell = workflow();
  shell.annotate({.message = "m"});
  shell.begin_group("g");
  shell.end_group();
  EXPECT_TRUE(shell.set_output("a", "1")) << "a file that the user names is written anywhere";
  EXPECT_TRUE(printed_.empty());
  EXPECT_TRUE(directory_.exists("output"));
}

TEST_F(RunnerWorkflowTest, IsSilentWithoutFiles) {
  environment_.unset(std::string(kOutput));
  environment_.set(std::string(kSummary), "");
  RunnerWorkflow runner = workflow();
  EXPECT_TRUE(runner.set_output("a", "1"));
  EXPECT_TRUE(runner.add_summary("x"));
}

TEST(ReadInputs, TakesBothSpellingsAndTrims) {
  const test::FakeEnvironment environment({{"INPUT_CACHE-FROM", " a\nb "},
                                           {"INPUT_DRY_RUN", "true"},
                                           {"INPUT_STAGE", ""},
                                           {"INPUT_BUILDER", "x"},
                                           {"INPUT_SAME-THING", "1"},
                                           {"INPUT_SAME_THING", "1 "},
                                           {"HOME", "/"}});
  EXPECT_EQ(read_inputs(environment, {"cache-from", "dry-run", "stage", "builder", "same-thing", "absent"}).value(),
            (std::map<std::string, std::string>{
                {"cache-from", "a\nb"}, {"dry-run", "true"}, {"builder", "x"}, {"same-thing", "1"}}));
}

TEST(ReadInputs, RefusesTwoDifferentValues) {
  const test::FakeEnvironment environment({{"INPUT_DRY-RUN", "true"}, {"INPUT_DRY_RUN", "false"}});
  const auto inputs = read_inputs(environment, {"dry-run"});
  ASSERT_FALSE(inputs);
  EXPECT_EQ(inputs.error().code, ErrorCode::bad_input);
  EXPECT_THAT(inputs.error().message, HasSubstr("INPUT_DRY_RUN"));
}

TEST(FindUnknownInputs, NamesWhatNobodyDeclared) {
  const test::FakeEnvironment environment(
      {{"INPUT_STAGE", "plan"}, {"INPUT_CACHE_FORM", "x"}, {"INPUT_EMPTY", " "}, {"INPUTS", "x"}});
  EXPECT_THAT(find_unknown_inputs(environment, {"stage", "cache-from"}), ElementsAre("cache-form"));
}

}  // namespace
}  // namespace crategate::actions
