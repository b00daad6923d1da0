// The answer to /regen: what each outcome says, and that names of strangers only show themselves.
#include "render/applied_regen.h"

#include <gmock/gmock.h>

#include "base/strings.h"
#include "golden/golden.h"
#include "pipeline/comment.h"
#include "render/ci_comment.h"

namespace crategate::render {
namespace {

using enum AppliedRegenReply::Outcome;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

AppliedRegenReply sample(AppliedRegenReply::Outcome outcome) {
  AppliedRegenReply reply;
  reply.marker = pipeline::comment_marker("regen", "o/r");
  reply.outcome = outcome;
  reply.request = "https://github.com/o/r/pull/7#issuecomment-1";
  reply.run = "https://github.com/o/r/actions/runs/30";
  reply.pull_request = 7;
  reply.sha = std::string(40, 'a');
  reply.image = concat("ghcr.io/o/r/ci@sha256:", std::string(64, 'd'));
  return reply;
}

AppliedRegenReply committed_sample() {
  auto reply = sample(committed);
  reply.commit = std::string(40, 'c');
  reply.commit_url = concat("https://github.com/o/r/commit/", reply.commit);
  reply.files = {{"gen/a.pb.go", "modified"}, {"gen/b.pb.go", "added"}, {"gen/c.pb.go", "deleted"}};
  return reply;
}

TEST(AppliedRegenReplyText, OfACommit) {
  golden::expect("regen-committed.md", applied_regen_reply(committed_sample()));
}

TEST(AppliedRegenReplyText, OfARefusal) {
  auto reply = sample(refused);
  reply.refusals = {{"protected-path", ".github/workflows/x.yml", "expected a path that no workflow depends on"},
                    {"too-many-files", "", "expected at most 1000, found 1001"}};
  golden::expect("regen-refused.md", applied_regen_reply(reply));
}

TEST(AppliedRegenReplyText, OfAForksPatch) {
  auto reply = sample(patch_only);
  reply.files = {{"gen/a", "modified"}};
  golden::expect("regen-patch.md", applied_regen_reply(reply));
}

TEST(AppliedRegenReplyText, SaysHowChecksStartWhereTheyDoNot) {
  auto reply = committed_sample();
  EXPECT_THAT(applied_regen_reply(reply), HasSubstr("GitHub starts no checks"));
  reply.starts_checks = true;
  EXPECT_THAT(applied_regen_reply(reply), Not(HasSubstr("checks")));
  EXPECT_THAT(applied_regen_reply(sample(unchanged)), Not(HasSubstr("checks")));
}

TEST(AppliedRegenReplyText, SaysWhatToDo) {
  auto reply = sample(failed);
  reply.text = "branch x has moved on";
  reply.hint = "Comment /regen again, @team.";
  EXPECT_THAT(applied_regen_reply(reply), HasSubstr("branch x has moved on\n\nComment /regen again"));
  EXPECT_THAT(applied_regen_reply(reply), Not(HasSubstr(" @team")));
}

TEST(AppliedRegenReplyText, OfAFailure) {
  auto reply = sample(failed);
  reply.text = "artifact regen: expected one that the job generate has named, found none";
  reply.hint = "The log of the job generate says why.";
  reply.said = "ci-image.generate: expected exit 0, found exit 3; last line: \"make: *** [gen] Error 3\"";
  golden::expect("regen-failed.md", applied_regen_reply(reply));
}

TEST(AppliedRegenReplyText, QuotesAStrangerAsOneLineOfCode) {
  struct Row {
    std::string said, line;
  };
  const std::string marker = pipeline::comment_marker("regen", "o/r");
  for (const auto& [said, line] :
       std::vector<Row>{{"@everyone #1 https://evil.example <img src=x onerror=y> ![a](b) www.evil.example",
                         "> `@everyone #1 https://evil.example <img src=x onerror=y> ![a](b) www.evil.example`"},
                        {"a\n\n/regen\r\n# heading\n", "> `a  /regen  # heading`"},
                        {concat("x\n", marker, "\n### /regen: committed 9 files"),
                         concat("> `x ", marker, " ### /regen: committed 9 files`")},
                        {concat("x\n", kLastRegenCommit, "1234567"), concat("> `x ", kLastRegenCommit, "1234567`")},
                        {"a `code` ``` b", "> ````a `code` ``` b````"},
                        {"`", "> `` ` ``"},
                        {"::error::x\x1B[31m\xE2\x80\xAE", "> `: :error::x`"},
                        {"\xFF", "> `\xEF\xBF\xBD`"}}) {
    auto reply = sample(failed);
    reply.said = said;
    const std::string text = applied_regen_reply(reply);
    EXPECT_THAT(text, HasSubstr(concat("\nThe job `generate` says:\n\n", line, "\n\nMade from "))) << said;
    EXPECT_EQ(text.find(marker), 0u);
    EXPECT_THAT(text, Not(HasSubstr(concat("\n", kLastRegenCommit))));
    EXPECT_THAT(text.substr(1), Not(HasSubstr(concat("\n", marker))));
  }
}

TEST(AppliedRegenReplyText, CutsWhatAStrangerSays) {
  for (const std::string part : {"x", "`", "\xF0\x9F\x98\x80", "\n", "@a "}) {
    auto reply = sample(failed);
    for (std::size_t i = 0; i < 100'000 / part.size(); ++i) reply.said += part;
    const std::string text = applied_regen_reply(reply);
    EXPECT_LE(text.size(), 6000U) << part;
    EXPECT_THAT(text, HasSubstr("/actions/runs/30"));
  }
}

TEST(AppliedRegenReplyText, QuotesNobodyWhoSaidNothing) {
  for (const std::string said : {"", " \n\t", "\xE2\x80\x8B"}) {
    auto reply = sample(failed);
    reply.said = said;
    EXPECT_THAT(applied_regen_reply(reply), Not(HasSubstr("says")));
  }
}

TEST(AppliedRegenReplyText, NeutralisesNames) {
  auto reply = committed_sample();
  reply.files = {{"a`b|@everyone <!-- crategate: x -->\n::error::x", "added"}};
  reply.refusals = {{"protected-path", "x`y", "found @someone <img src=x> #1"}};
  reply.commit_url = "javascript:alert(1)";
  const std::string text = applied_regen_reply(reply);
  EXPECT_THAT(text, HasSubstr("- ``a`b|@everyone <!-- crategate: x --> ::error::x`` added\n"));
  EXPECT_THAT(text, Not(HasSubstr("<img")));
  EXPECT_THAT(text, Not(HasSubstr("](javascript")));
}

TEST(AppliedRegenReplyText, SaysOfADryRunWhatWouldBeDone) {
  auto reply = committed_sample();
  reply.outcome = AppliedRegenReply::Outcome::planned;
  reply.commit.clear();
  const std::string text = applied_regen_reply(reply);
  EXPECT_THAT(text, HasSubstr("### /regen: would commit "));
  EXPECT_THAT(text, Not(HasSubstr("committed")));
  EXPECT_THAT(text, Not(HasSubstr("GitHub starts no checks")));
}

TEST(AppliedRegenReplyText, IsCutWhereGitHubWouldRefuseIt) {
  std::string wide;
  for (int i = 0; i < 250; ++i) wide += "\xE6\x96\x87";
  for (const auto& name : {std::string(10, 'x'), std::string(300, 'x'), wide}) {
    auto reply = committed_sample();
    reply.files.assign(5000, {name, "modified"});
    reply.refusals.assign(5000, {"protected-path", name, name});
    const std::string text = applied_regen_reply(reply);
    EXPECT_LE(text.size(), kCommentLimit);
    EXPECT_THAT(text, HasSubstr("committed 5000 files"));
    EXPECT_THAT(text, MatchesRegex("(.|\n)*\n- and 49[0-9][0-9] more\n(.|\n)*"));
    EXPECT_THAT(text, HasSubstr("\nLast commit of /regen: ")) << "a later answer carries it on";
  }
}

}  // namespace
}  // namespace crategate::render
