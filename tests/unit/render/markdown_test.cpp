// Markdown of untrusted text: it shows itself and forms nothing.
#include "render/markdown.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "render/line.h"

namespace crategate::render {
namespace {

TEST(MarkdownText, EscapesWhatWouldBeMarkup) {
  const std::pair<std::string, std::string> rows[] = {
      {"plain words, v1.2.3: 4 cells", "plain words, v1.2.3: 4 cells"},
      {"a|b", "a&#124;b"},
      {"`x`", "&#96;x&#96;"},
      {"<!-- crategate -->", "&#60;!-- crategate --&#62;"},
      {"![](http://x)", "!&#91;&#93;(http&#58;//x)"},
      {"@org/team", "&#64;&#8203;org/team"},
      {"www.evil.com", "www&#8203;.evil.com"},
      {"&#64;org", "&#38;&#35;64;org"},
      {"# heading", "&#35; heading"},
      {"- item", "&#45; item"},
      {"1. item", "1&#46; item"},
      {"12 cells", "12 cells"},
      {"a\nb", "a b"},
      {"", ""},
  };
  for (const auto& [text, expected] : rows) EXPECT_EQ(markdown_text(text), expected);
}

TEST(MarkdownCode, HoldsPipesBackticksAndTags) {
  EXPECT_EQ(markdown_code("a|`b`</code>"), "<code>a&#124;&#96;b&#96;&#60;/code&#62;</code>");
  EXPECT_EQ(markdown_code("sha256:ab"), "<code>sha256:ab</code>");
}

TEST(MarkdownSpan, HoldsBackticksOfAnyLength) {
  const std::pair<std::string, std::string> rows[] = {
      {"@org/team #1 <b>", "`@org/team #1 <b>`"},
      {"a`b", "``a`b``"},
      {"`", "`` ` ``"},
      {"``a", "``` ``a ```"},
      {"a ``` b", "````a ``` b````"},
      {" a", "`  a `"},
      {"a\nb", "`a b`"},
      {"", "`  `"},
  };
  for (const auto& [text, expected] : rows) EXPECT_EQ(markdown_span(text), expected);
}

TEST(MarkdownTable, HasARowForEach) {
  EXPECT_EQ(markdown_table({"a", "b"}, {{"1", "2"}, {"", "3"}}), "| a | b |\n| --- | --- |\n| 1 | 2 |\n|  | 3 |\n");
}

TEST(Lines, AlignByCodePoints) {
  EXPECT_EQ(align({{"é", "x"}, {"ab", "y"}, {"c"}}), (std::vector<std::string>{"é   x", "ab  y", "c"}));
  EXPECT_TRUE(align({}).empty());
}

TEST(Lines, AreCutAtCodePoints) {
  EXPECT_EQ(cut("héllo", 0), "héllo");
  EXPECT_EQ(cut("héllo", 5), "héllo");
  EXPECT_EQ(cut("héllo", 3), "hé…");
  EXPECT_EQ(cut("héllo", 1), "…");
}

}  // namespace
}  // namespace crategate::render
