// The comment about a CI image: what it shows, and that names of strangers only show themselves.
#include "render/ci_comment.h"

#include <gmock/gmock.h>

#include "base/strings.h"
#include "base/utf8.h"
#include "golden/golden.h"
#include "pipeline/comment.h"

namespace crategate::render {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const std::string kDigest = "ghcr.io/o/r/ci@sha256:" + std::string(64, 'd');

CiImageComment sample() {
  return {.marker = pipeline::comment_marker("ci-image", "ghcr.io/o/r/ci"),
          .tagged = "ghcr.io/o/r/ci:pr-7",
          .by_digest = kDigest,
          .commit = std::string(40, 'a'),
          .reason = R"(pull request 7 changes "ci.Dockerfile": an image of its own, pr-7)",
          .generates = true,
          .platforms = {"linux/amd64", "linux/arm64"},
          .size = CiImageComment::Size{432340992, "linux/amd64"},
          .base = CiImageComment::Base{"ghcr.io/o/r/ci:latest", "main", 419430400}};
}

TEST(CiImageComment, ShowsTheImageAndHowToUseIt) { golden::expect("ci-comment.md", ci_image_comment(sample())); }

TEST(CiImageComment, LeavesOutWhatIsNotKnown) {
  auto comment = sample();
  comment.base.reset();
  EXPECT_THAT(ci_image_comment(comment), HasSubstr("- size: 412.3 MiB to download for `linux/amd64`\n"));
  comment.size.reset();
  comment.platforms.clear();
  comment.generates = false;
  const std::string text = ci_image_comment(comment);
  EXPECT_THAT(text, Not(HasSubstr("make gen")));
  EXPECT_THAT(text, Not(HasSubstr("size")));
  EXPECT_THAT(text, Not(HasSubstr("platforms")));
}

TEST(CiImageComment, ComparesWithTheBase) {
  auto comment = sample();
  for (const auto& [bytes, words] : std::vector<std::pair<std::uint64_t, std::string>>{
           {432340992 + 1024, "1.0 KiB less than `"}, {432340992, "as large as `"}, {0, "412.3 MiB more than `"}}) {
    comment.base->bytes = bytes;
    EXPECT_THAT(ci_image_comment(comment),
                HasSubstr(concat("`linux/amd64`, ", words, "ghcr.io/o/r/ci:latest` of branch `main`")));
  }
}

/// A28
TEST(CiImageComment, ShowsHostileNamesAsTheyAre) {
  auto comment = sample();
  comment.reason =
      "@org/team ![](http://x) <!-- crategate:ci-image ghcr.io/o/r/other --> `` ` ``` <img src=x onerror=alert(1)> #1 "
      "www.evil.example a@b.example \n### heading\n```\n</code>|::error::x\n##[error]x\x1b[31m \xE2\x80\xAE \xFF";
  comment.base->branch = "`; rm -rf / #`<script>@all";
  comment.base->tagged = "ghcr.io/o/r/ci:latest";
  golden::expect("ci-comment-hostile.md", ci_image_comment(comment));
}

/// A28: a name as long as four comments costs the rest of the comment nothing.
TEST(CiImageComment, CutsLongNames) {
  auto comment = sample();
  for (const std::string& part :
       {std::string("x"), std::string("`"), std::string("\xF0\x9F\x9A\x80"), std::string("\xFF")}) {
    comment.reason = comment.base->branch = "";
    while (comment.reason.size() < (256U << 10U)) comment.reason += part;
    comment.base->branch = comment.reason;
    const std::string text = ci_image_comment(comment);
    EXPECT_LT(text.size(), 8000U);
    EXPECT_TRUE(is_valid_utf8(text));
    EXPECT_THAT(text, HasSubstr("docker pull " + kDigest));
    EXPECT_THAT(text, EndsWith("the digest does not.\n"));
  }
}

TEST(FitComment, CutsAtALineAndClosesABlock) {
  const std::string marker = sample().marker;
  std::string text = marker + "\n```sh\n";
  while (text.size() < (256U << 10U)) text += "a line of a log\n";
  const std::string fitted = fit_comment(text);
  EXPECT_LE(fitted.size(), kCommentLimit);
  EXPECT_GT(fitted.size(), kCommentLimit - 200);
  EXPECT_THAT(fitted, StartsWith(marker + "\n"));
  EXPECT_THAT(fitted,
              EndsWith("a line of a log\n```\n\nThe rest was left out: a comment has at most 65,536 characters.\n"));
  EXPECT_EQ(fit_comment(fitted), fitted);
}

TEST(FitComment, CutsOneLongLineBetweenCharacters) {
  for (std::size_t shift = 0; shift < 4; ++shift) {
    std::string text(shift, 'x');
    while (text.size() < (128U << 10U)) text += "\xF0\x9F\x9A\x80";
    const std::string fitted = fit_comment(text);
    EXPECT_LE(fitted.size(), kCommentLimit);
    EXPECT_GT(fitted.size(), kCommentLimit - 200);
    EXPECT_TRUE(is_valid_utf8(fitted)) << shift;
  }
}

TEST(FitComment, LeavesWhatFits) {
  const std::string text(kCommentLimit, 'x');
  EXPECT_EQ(fit_comment(text), text);
  EXPECT_LE(fit_comment(text + "y").size(), kCommentLimit);
}

}  // namespace
}  // namespace crategate::render
