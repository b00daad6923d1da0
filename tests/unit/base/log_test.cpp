// What reaches the sink: redacted, neutralised, one line at a time.
#include "base/log.h"

#include <gmock/gmock.h>

#include <regex>
#include <thread>
#include <vector>

#include "base/secret.h"
#include "base/strings.h"

namespace crategate::log {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Log : public testing::Test {
 protected:
  void use(const Options& options) {
    configure(options, [this](Level level, std::string_view line) {
      levels.push_back(level);
      lines.emplace_back(line);
    });
  }
  void TearDown() override { configure({}); }
  std::vector<Level> levels;
  std::vector<std::string> lines;
};

TEST_F(Log, WritesInformationPlainAndNamesTheOtherLevels) {
  use({.threshold = Level::debug});
  debug("a");
  info("b");
  warning("c");
  error("d");
  EXPECT_THAT(lines, ElementsAre("debug: a", "b", "warning: c", "error: d"));
  EXPECT_THAT(levels, ElementsAre(Level::debug, Level::info, Level::warning, Level::error));
}

TEST_F(Log, LeavesOutWhatIsBelowTheThreshold) {
  use({.threshold = Level::warning});
  debug("a");
  info("b");
  EXPECT_THAT(lines, IsEmpty());
  error("c");
  EXPECT_THAT(lines, ElementsAre("error: c"));
}

TEST_F(Log, SplitsTextOfSeveralLinesAtEveryKindOfLineEnd) {
  use({});
  info("one\ntwo\r\nthree\rfour\n\nsix\n");
  EXPECT_THAT(lines, ElementsAre("one", "two", "three", "four", "", "six"));
}

TEST_F(Log, LetsNoWorkflowCommandThrough) {
  use({});
  info("ok\r::set-output name=a::b");
  info("x ##[add-mask]y");
  EXPECT_THAT(lines, ElementsAre("ok", ": :set-output name=a::b", "x ## [add-mask]y"));
}

TEST_F(Log, TreatsBracesAsText) {
  use({});
  info("{} {0} {:d} %s");
  EXPECT_THAT(lines, ElementsAre("{} {0} {:d} %s"));
}

TEST_F(Log, RedactsAlsoWhatInvisibleCharactersTearApart) {
  const Secret secret("correct-horse-battery");
  use({});
  info("a correct-horse-battery b");
  warning(
      "correct-\x1B[0mhorse-\xE2\x80\x8B"
      "battery");
  EXPECT_THAT(lines, ElementsAre("a *** b", "warning: ***"));
}

TEST_F(Log, RedactsASecretOfSeveralLines) {
  const Secret secret("first-half\nsecond-half");
  use({});
  info("key: first-half\nsecond-half.");
  EXPECT_THAT(lines, ElementsAre("key: ***."));
}

TEST_F(Log, WritesJsonThatHoldsQuotesAndControlCharacters) {
  use({.format = Format::json});
  warning("say \"hi\" \\ \x01\ttab ü");
  ASSERT_EQ(lines.size(), 1u);
  const std::regex form(
      R"re(\{"time":"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z","level":"warning","message":"(.*)"\})re");
  std::smatch match;
  ASSERT_TRUE(std::regex_match(lines[0], match, form)) << lines[0];
  EXPECT_EQ(match[1], R"(say \"hi\" \\  tab ü)");
}

TEST_F(Log, ColoursOnlyTheLabelAndOnlyOnRequest) {
  use({.color = true});
  info("a");
  error("b \x1B[31mred");
  EXPECT_THAT(lines, ElementsAre("a", "\x1B[31merror:\x1B[0m b red"));
}

TEST_F(Log, MayBeUsedAndConfiguredByManyThreads) {
  use({});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 50; ++i) info("line");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(lines.size(), 200u);
}

}  // namespace
}  // namespace crategate::log
