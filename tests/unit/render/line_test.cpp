// Text of others on standard output: harmless, and JSON still says the same.
#include "render/line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "json/value.h"

namespace crategate::render {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(HarmlessLines, BreakUpWhatTheRunnerOrATerminalWouldObey) {
  EXPECT_EQ(harmless_lines("write a\x1b[2J\r\n::error::x\n\xC2\x9B"
                           "31m##[group]\n"),
            "write a \n: :error::x\n## [group]\n");
  EXPECT_EQ(harmless_lines("plain\n  indented ä\n"), "plain\n  indented ä\n");
}

TEST(HarmlessJson, SaysTheSame) {
  for (const std::string text : {"##[error]x", "#\xE2\x80\x8B#[error]x",
                                 "\xC2\x9B"
                                 "31m",
                                 "\x7f", "\x1b[2J", "a\r\n::error::x", "\xE2\x80\xAE abc", "\xF0\x9F\x98\x80 ##[x]",
                                 "\\##[x]", "\\\\u0023", "ä \xF0\x9F\x98\x80"}) {
    const auto value = json::Value::object({{text, json::Value::object({{"a", text}})}, {"z", 1}});
    for (const std::string& given : {value.pretty(), value.canonical()}) {
      const std::string shown = harmless_json(given);
      for (const auto& line : split(shown, '\n')) EXPECT_EQ(neutralise(line), line) << text;
      const auto document = json::Document::parse(shown, "shown");
      ASSERT_TRUE(document) << shown;
      EXPECT_EQ(document->root().at(text).value().string("a").value(), text);
    }
  }
}

TEST(HarmlessJson, LeavesOtherLinesAsTheyAre) {
  const std::string text = json::Value::object({{"a", "ä"}, {"b", "##[x]"}}).pretty();
  EXPECT_THAT(harmless_json(text), AllOf(HasSubstr("ä"), HasSubstr(R"("#\u0023[x]")"), Not(HasSubstr("##["))));
}

}  // namespace
}  // namespace crategate::render
