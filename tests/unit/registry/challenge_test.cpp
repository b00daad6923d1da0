#include "registry/challenge.h"

#include <gmock/gmock.h>

#include "base/strings.h"

namespace crategate::registry {
namespace {

TEST(Challenge, OfABearerRegistryIsRead) {
  const auto parsed = parse_challenges(
      R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push")");
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->size(), 1U);
  EXPECT_EQ(parsed->front().scheme, "bearer");
  EXPECT_EQ(parsed->front().parameter("realm"), "https://auth.docker.io/token");
  EXPECT_EQ(parsed->front().parameter("service"), "registry.docker.io");
  EXPECT_EQ(parsed->front().parameter("absent"), "");
}

TEST(Challenge, MayBeOneOfSeveral) {
  const auto parsed = parse_challenges(R"(Basic realm="x", BEARER Realm = "y" , service=z, Negotiate)");
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->size(), 3U);
  EXPECT_EQ(parsed->at(0).parameter("realm"), "x");
  EXPECT_EQ(parsed->at(1).scheme, "bearer");
  EXPECT_EQ(parsed->at(1).parameter("realm"), "y");
  EXPECT_EQ(parsed->at(1).parameter("service"), "z");
  EXPECT_EQ(parsed->at(2).scheme, "negotiate");
}

TEST(Challenge, KeepsEscapedQuotesAndTheFirstOfTwoEqualNames) {
  const auto parsed = parse_challenges(R"(Bearer realm="a\"b",realm="evil")");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->front().parameter("realm"), "a\"b");
}

struct BadRow {
  const char* name;
  std::string header;
};

class BadChallenge : public testing::TestWithParam<BadRow> {};

TEST_P(BadChallenge, IsRefused) {
  const auto parsed = parse_challenges(GetParam().header);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, ErrorCode::integrity);
  EXPECT_LT(parsed.error().message.size(), 300U);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BadChallenge,
    testing::Values(BadRow{"Unterminated", R"(Bearer realm="https://x)"}, BadRow{"ParameterFirst", R"(realm="x")"},
                    BadRow{"OnlyAQuote", "\""}, BadRow{"ControlCharacter", "Bearer realm=\"a\rb\""},
                    BadRow{"NotAToken", "Bearer realm=\"x\", {json}"},
                    BadRow{"TooLong", concat("Bearer realm=\"", std::string(1U << 20U, 'a'), "\"")},
                    BadRow{"TooMany", "a,b,c,d,e,f,g,h,i"}),
    [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace crategate::registry
