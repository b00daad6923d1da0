// A comment that is updated in place: which one, and whether at all.
#include "pipeline/comment.h"

#include <gtest/gtest.h>

#include "base/strings.h"

namespace crategate::pipeline {
namespace {

using Action = CommentAction;

constexpr std::int64_t kSelf = 41898282, kStranger = 7;
const std::string kMarker = comment_marker("ci-image", "ghcr.io/o/r/ci");
const std::string kText = concat(kMarker, "\nan image\n");
const std::string kOlder = concat(kMarker, "\nan older image\n");

TEST(CommentMarker, HasOneForEachKindAndSubject) {
  EXPECT_EQ(kMarker, "<!-- crategate:ci-image ghcr.io/o/r/ci -->");
  EXPECT_NE(comment_marker("ci-image", "ghcr.io/o/r/ci2"), kMarker);
  EXPECT_NE(comment_marker("release", "ghcr.io/o/r/ci"), kMarker);
  for (const std::string name : {"ghcr.io/o/a--b", "ghcr.io/o/a---b", "ghcr.io/o/a----b"}) {
    const std::string marker = comment_marker("ci-image", name);
    EXPECT_EQ(marker.find("--", 4), marker.size() - 3) << marker;
  }
  EXPECT_NE(comment_marker("x", "a---b"), comment_marker("x", "a--b"));
}

TEST(CommentMarker, CountsAsTheFirstLineOnly) {
  EXPECT_TRUE(has_marker(kMarker, kMarker));
  EXPECT_TRUE(has_marker(kText, kMarker));
  EXPECT_TRUE(has_marker(kMarker + "\r\nedited", kMarker));
  for (const std::string& body :
       {std::string(), "> " + kText, " " + kText, "\n" + kText, "quotes\n" + kText, kMarker + " and more",
        comment_marker("ci-image", "ghcr.io/o/r/ci2") + "\nx", kMarker.substr(0, kMarker.size() - 1)})
    EXPECT_FALSE(has_marker(body, kMarker)) << body;
}

struct Row {
  const char* name;
  std::vector<SeenComment> seen;
  std::optional<std::int64_t> self;
  CommentDecision expected;
};

class A39Comment : public testing::TestWithParam<Row> {};

TEST_P(A39Comment, IsOursByMarkerAndAuthor) {
  CommentDecision expected = GetParam().expected;
  expected.text = kText;
  EXPECT_EQ(decide_comment(
                {.seen = GetParam().seen, .self = GetParam().self, .marker = kMarker, .text = kText, .lasting = {}}),
            expected);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, A39Comment,
    testing::Values(
        Row{"NoneYet", {}, kSelf, {Action::create, 0, 0}},
        Row{"OurOwnIsUpdated", {{1, kSelf, kOlder}}, kSelf, {Action::update, 1, 0}},
        Row{"OurOwnThatSaysTheSameIsKept", {{1, kSelf, kText}}, kSelf, {Action::keep, 1, 0}},
        Row{"LineEndsAreNoDifference",
            {{1, kSelf, replace_all(kText, "\n", "\r\n") + " \r\n\r\n"}},
            kSelf,
            {Action::keep, 1, 0}},
        Row{"AStrangersIsNeverTouched", {{1, kStranger, kOlder}}, kSelf, {Action::create, 0, 0}},
        Row{"AStrangersIsPassedOver", {{1, kSelf, kOlder}, {2, kStranger, kText}}, kSelf, {Action::update, 1, 0}},
        Row{"ADeletedAccountsIsNotOurs", {{1, std::nullopt, kOlder}}, kSelf, {Action::create, 0, 0}},
        Row{"OursOfAnotherKindStays",
            {{1, kSelf, comment_marker("ci-image", "ghcr.io/o/r/other") + "\nx"}},
            kSelf,
            {Action::create, 0, 0}},
        Row{"OursThatQuotesOneStays", {{1, kSelf, "> " + kOlder}}, kSelf, {Action::create, 0, 0}},
        Row{"TheNewestOfSeveralCounts",
            {{3, kSelf, kText}, {9, kSelf, kOlder}, {5, kSelf, kOlder}},
            kSelf,
            {Action::update, 9, 2}},
        Row{"TheNewestOfSeveralIsKept", {{3, kSelf, kOlder}, {9, kSelf, kText}}, kSelf, {Action::keep, 9, 1}},
        Row{"WithoutAnAccountNoneIsEdited", {{1, kSelf, kOlder}}, std::nullopt, {Action::leave, 1, 0}},
        Row{"WithoutAnAccountTheSameIsKept", {{1, kSelf, kText}}, std::nullopt, {Action::keep, 1, 0}},
        Row{"WithoutAnAccountOneIsMade", {{1, kSelf, "hello"}}, std::nullopt, {Action::create, 0, 0}}),
    [](const auto& each) { return std::string(each.param.name); });

/// A later answer does not lose the link to what was done before.
TEST(Comment, KeepsALineOfTheOlderOne) {
  const std::string line = "Last: [a](https://x/a)", newer = "Last: [b](https://x/b)";
  const auto text = [](std::string body, std::string older, std::string lasting = "Last: ") {
    return decide_comment({.seen = {{1, kSelf, concat(kMarker, older)}},
                           .self = kSelf,
                           .marker = kMarker,
                           .text = concat(kMarker, body),
                           .lasting = std::move(lasting)})
        .text;
  };
  EXPECT_EQ(text("\nrefused\n", concat("\nx\n", line, "\ny")), concat(kMarker, "\nrefused\n\n", line, "\n"));
  EXPECT_EQ(text("\nrefused\n", concat("\r\nx\r\n", line, "\r\n")), concat(kMarker, "\nrefused\n\n", line, "\n"));
  EXPECT_EQ(text(concat("\n", newer), concat("\n", line)), concat(kMarker, "\n", newer));
  EXPECT_EQ(text("\nrefused", "\nLater: x"), concat(kMarker, "\nrefused"));
  EXPECT_EQ(text("\nrefused", concat("\n", line), ""), concat(kMarker, "\nrefused"));
  EXPECT_EQ(text("\nrefused", concat("\nLast: ", std::string(1000, 'x'))), concat(kMarker, "\nrefused"));
}

}  // namespace
}  // namespace crategate::pipeline
