#include "pipeline/regen_result.h"

#include <gmock/gmock.h>

#include "base/strings.h"

namespace crategate::pipeline {
namespace {

using ::testing::HasSubstr;

RegenResult sample() {
  return {.pull_request = 7,
          .sha = std::string(40, 'a'),
          .image = concat("ghcr.io/o/r/ci@sha256:", std::string(64, 'b')),
          .tree = std::string(40, 'c'),
          .patch_sha256 = std::string(64, 'd'),
          .patch_bytes = 12,
          .files = {{"docs/a.md", FileChange::added}, {"src/ü", FileChange::modified}, {"x", FileChange::deleted}}};
}

Result<RegenResult> parse(std::string_view text) { return parse_regen_result(text, "regen.json", 3); }

TEST(RegenResult, SurvivesItsText) {
  EXPECT_EQ(parse(to_json(sample())).value(), sample());
  auto none = sample();
  none.files.clear();
  none.patch_bytes = 0;
  EXPECT_EQ(parse(to_json(none)).value(), none);
  EXPECT_FALSE(none.changed());
}

struct Row {
  const char *name, *from, *to, *message;
};
class HostileRegenResult : public testing::TestWithParam<Row> {};

TEST_P(HostileRegenResult, IsRefused) {
  const auto& row = GetParam();
  std::string text = to_json(sample());
  ASSERT_THAT(text, HasSubstr(row.from));
  text = replace_all(text, row.from, row.to);
  const auto parsed = parse(text);
  ASSERT_FALSE(parsed) << text;
  EXPECT_EQ(parsed.error().code, ErrorCode::bad_input);
  EXPECT_THAT(parsed.error().message, HasSubstr(row.message));
}

const std::string kSha = std::string(40, 'a'), kUpper = std::string(40, 'A'), kRef = concat(std::string(39, 'a'), "/");
const std::string kLong = concat("\"path\":\"", std::string(4097, 'x'), "\"");

INSTANTIATE_TEST_SUITE_P(
    Rows, HostileRegenResult,
    testing::Values(Row{"AnotherSchema", R"("schema":1)", R"("schema":2)", "schema"},
                    Row{"AnUnknownMember", R"("schema":1)", R"("schema":1,"run":"x")", "expected no such member"},
                    Row{"AMissingMember", R"("patch_bytes":12,)", "", "patch_bytes"},
                    Row{"ARefForACommit", kSha.c_str(), kRef.c_str(), "sha: expected 40"},
                    Row{"AnUpperCaseCommit", kSha.c_str(), kUpper.c_str(), "sha: expected 40"},
                    Row{"AnOptionForAnImage", "ghcr.io/o/r/ci@", "--privileged ", "image"},
                    Row{"ANegativeNumber", R"("pull_request":7)", R"("pull_request":-7)", "pull_request"},
                    Row{"AnEmptyPath", R"("path":"x")", R"("path":"")", "files[2].path"},
                    Row{"AnAbsolutePath", R"("path":"x")", R"("path":"/etc/x")", "files[2].path"},
                    Row{"APathWithNul", R"("path":"x")", R"("path":"x\u0000")", "files[2].path"},
                    Row{"ALongPath", R"("path":"x")", kLong.c_str(), "files[2].path"},
                    Row{"APathTwice", R"("path":"x")", R"("path":"docs/a.md")", "each path once"},
                    Row{"AnotherChange", R"("deleted")", R"("renamed")", "added, modified or deleted"},
                    Row{"FilesWithoutAPatch", R"("patch_bytes":12)", R"("patch_bytes":0)", "patch has bytes"},
                    Row{"NoObject", R"({"change":"added","path":"docs/a.md"})", "3", "files[0]"}),
    [](const auto& row) { return row.param.name; });

TEST(RegenResult, HasNoMoreFilesThanOneCommitMay) {
  auto many = sample();
  many.files.push_back({"y", FileChange::added});
  EXPECT_THAT(parse(to_json(many)).error().message, HasSubstr("at most 3"));
  for (const auto* const text : {"", "null", "[]", "{}", "\xff"}) EXPECT_FALSE(parse(text)) << text;
}

}  // namespace
}  // namespace crategate::pipeline
