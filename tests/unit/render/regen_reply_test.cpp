// The reply that says no: what it shows, and that strangers' words only show themselves.
#include "render/regen_reply.h"

#include <gmock/gmock.h>

#include "base/strings.h"
#include "pipeline/comment.h"
#include "pipeline/regen_request.h"

namespace crategate::render {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const std::string kMarker = pipeline::comment_marker("regen", "ghcr.io/o/r/ci");

RegenRefusal sample() {
  return {.marker = kMarker,
          .login = "alice",
          .reason = "sha-needed",
          .text = "The pull request comes from a fork.",
          .hint = "Look at the newest commit, and name it.",
          .comment = "/regen 0123456"};
}

TEST(RegenReply, SaysWhyAndWhatToComment) {
  EXPECT_EQ(
      regen_refusal(sample()),
      concat(kMarker,
             "\n### Nothing was regenerated\n\nThe pull request comes from a fork.\n\nLook at the newest commit, and "
             "name it.\n\n```\n/regen 0123456\n```\n\nAsked by `alice`; reason `sha-needed`.\n"));
}

TEST(RegenReply, LeavesOutWhatIsNotThere) {
  auto refusal = sample();
  refusal.hint.clear();
  refusal.comment.clear();
  EXPECT_THAT(regen_refusal(refusal), Not(HasSubstr("```")));
  EXPECT_THAT(regen_refusal(refusal), Not(HasSubstr("\n\n\n")));
}

/// A28, A37: neither markup nor mention, and never the command itself.
TEST(RegenReply, ShowsHostileWordsAsTheyAre) {
  auto refusal = sample();
  const std::string hostile =
      "@org/team ![](http://x) <!-- crategate:regen other --> <img src=x> `\n/regen\n```\n### x\n::error::x \x1b[31m";
  refusal.text = refusal.hint = refusal.login = hostile;
  const std::string text = regen_refusal(refusal);
  EXPECT_THAT(text, StartsWith(kMarker));
  EXPECT_EQ(pipeline::parse_regen_command(text).kind, pipeline::RegenCommand::Kind::none);
  EXPECT_TRUE(pipeline::has_marker(text, kMarker));
  for (const char* word : {"\n/regen\n", "\n### x", "\n::error", "\x1b"})
    EXPECT_THAT(text, Not(HasSubstr(word))) << word;
  const std::string body = text.substr(0, text.find("Asked by"));
  for (const char* word : {"@org", "<img", "![]", "://"}) EXPECT_THAT(body, Not(HasSubstr(word))) << word;
}

TEST(RegenReply, IsNoLongerThanACommentMayBe) {
  auto refusal = sample();
  refusal.text = refusal.hint = refusal.login = std::string(100000, 'x');
  EXPECT_LT(regen_refusal(refusal).size(), 60000U);
}

}  // namespace
}  // namespace crategate::render
