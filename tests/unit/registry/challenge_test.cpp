// Challenges of registries: threat A52.
#include "registry/challenge.h"

#include <gmock/gmock.h>

#include "base/strings.h"

namespace crategate::registry {
namespace {

using Parameters = std::map<std::string, std::string>;

TEST(Challenge, OfABearerRegistryIsRead) {
  const auto parsed = parse_challenges(
      R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push")");
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->size(), 1U);
  EXPECT_EQ(parsed->front().scheme, "bearer");
  EXPECT_EQ(parsed->front().parameter("realm"), "https://auth.docker.io/token");
  EXPECT_EQ(parsed->front().parameter("scope"), "repository:a/b:pull,push");
  EXPECT_EQ(parsed->front().parameter("absent"), "");
}

struct GoodRow {
  const char* name;
  std::string header;
  std::vector<Challenge> expected;
};

class GoodChallenge : public testing::TestWithParam<GoodRow> {};

TEST_P(GoodChallenge, IsReadAsRfc9110Says) {
  const auto parsed = parse_challenges(GetParam().header);
  ASSERT_TRUE(parsed) << describe(parsed.error());
  EXPECT_EQ(*parsed, GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, GoodChallenge,
    testing::Values(GoodRow{"None", "", {}}, GoodRow{"OnlyEmptyElements", " ,, ,", {}},
                    GoodRow{"OnlyAScheme", "Negotiate", {{"negotiate", "", {}}}},
                    GoodRow{"Several",
                            R"(Basic realm="x", BEARER Realm = "y" , service=z, Negotiate)",
                            {{"basic", "", {{"realm", "x"}}},
                             {"bearer", "", {{"realm", "y"}, {"service", "z"}}},
                             {"negotiate", "", {}}}},
                    GoodRow{"EmptyElements",
                            R"(, Basic realm="x",, ,charset="UTF-8",)",
                            {{"basic", "", {{"realm", "x"}, {"charset", "UTF-8"}}}}},
                    GoodRow{"EmptyFirstParameter", R"(Basic ,realm="x")", {{"basic", "", {{"realm", "x"}}}}},
                    GoodRow{"Token68", "Negotiate YIIB+/._~-==", {{"negotiate", "YIIB+/._~-==", {}}}},
                    GoodRow{"Token68ThenAnother",
                            R"(NTLM abc=, Basic realm="x")",
                            {{"ntlm", "abc=", {}}, {"basic", "", {{"realm", "x"}}}}},
                    GoodRow{"Token68WithoutPadding", "Basic abc", {{"basic", "abc", {}}}},
                    GoodRow{"NameWithPaddingOnly", "Bearer realm=", {{"bearer", "realm=", {}}}},
                    GoodRow{"QuotedPairs", R"(Basic realm="a\"b\\c\d")", {{"basic", "", {{"realm", "a\"b\\cd"}}}}},
                    GoodRow{"CommaInQuotes",
                            R"(Basic realm="a, Bearer realm=\"b\"")",
                            {{"basic", "", {{"realm", "a, Bearer realm=\"b\""}}}}},
                    GoodRow{"EmptyQuotes", R"(Basic realm="")", {{"basic", "", {{"realm", ""}}}}},
                    GoodRow{"TabsAndSpaces", "Basic  \trealm\t=\t\"x\" \t", {{"basic", "", {{"realm", "x"}}}}},
                    GoodRow{"TabInQuotes", "Basic realm=\"a\tb\"", {{"basic", "", {{"realm", "a\tb"}}}}},
                    GoodRow{
                        "BeyondAsciiInQuotes", "Basic realm=\"\xC3\xA9\"", {{"basic", "", {{"realm", "\xC3\xA9"}}}}},
                    GoodRow{"SameNameInTwoChallenges",
                            R"(Basic realm="x", Digest realm="y")",
                            {{"basic", "", {{"realm", "x"}}}, {"digest", "", {{"realm", "y"}}}}},
                    GoodRow{"Eight",
                            "a,b,c,d,e,f,g,h",
                            {{"a", "", {}},
                             {"b", "", {}},
                             {"c", "", {}},
                             {"d", "", {}},
                             {"e", "", {}},
                             {"f", "", {}},
                             {"g", "", {}},
                             {"h", "", {}}}}),
    [](const auto& each) { return std::string(each.param.name); });

struct BadRow {
  const char* name;
  std::string header;
};

class BadChallenge : public testing::TestWithParam<BadRow> {};

TEST_P(BadChallenge, A52IsRefused) {
  const auto parsed = parse_challenges(GetParam().header);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, ErrorCode::integrity);
  EXPECT_LT(parsed.error().message.size(), 300U);
}

INSTANTIATE_TEST_SUITE_P(
    A52, BadChallenge,
    testing::Values(
        BadRow{"Unterminated", R"(Bearer realm="https://x)"}, BadRow{"EndsInABackslash", "Basic realm=\"x\\"},
        BadRow{"ParameterFirst", R"(realm="x")"}, BadRow{"OnlyAQuote", "\""},
        BadRow{"ControlCharacter", "Bearer realm=\"a\rb\""}, BadRow{"LineFeed", "Bearer realm=\"a\nX: y\""},
        BadRow{"EscapedControlCharacter", "Bearer realm=\"a\\\nb\""},
        BadRow{"Nul", std::string("Bearer realm=\"a\0b\"", 17)}, BadRow{"Delete", "Bearer realm=\"\x7f\""},
        BadRow{"NotAToken", "Bearer realm=\"x\", {json}"}, BadRow{"ParameterTwice", R"(Bearer realm="a",realm="b")"},
        BadRow{"ParameterTwiceInOtherCase", R"(Bearer realm="a",REALM="b")"},
        BadRow{"UrlWithoutQuotes", "Bearer realm=https://x/token,service=y"},
        BadRow{"NoCommaBetweenParameters", R"(Bearer realm="x" service="y")"},
        BadRow{"NoCommaBetweenChallenges", R"(Basic realm="x" Bearer realm="y")"},
        BadRow{"NoSpaceAfterTheScheme", R"(Bearer,realm="x")"}, BadRow{"SchemeGluedToAQuote", R"(Bearer"x")"},
        BadRow{"Semicolon", R"(Bearer realm="x"; service="y")"}, BadRow{"TextBehindQuotes", R"(Bearer realm="x"y)"},
        BadRow{"ValueMissing", R"(Bearer realm="x",service=)"},
        BadRow{"ParameterOfAToken68", R"(NTLM abc=, realm="x")"}, BadRow{"TwoWords", "Basic abc def"},
        BadRow{"BeyondAsciiName", "B\xC3\xA9"}, BadRow{"OnlyEquals", "="}, BadRow{"TooMany", "a,b,c,d,e,f,g,h,i"},
        BadRow{"FiveHundred", join(std::vector<std::string>(500, "Basic realm=x"), ",")},
        BadRow{"JustTooLong", concat("Bearer realm=\"", std::string(8192 - 14, 'a'), "\"")},
        BadRow{"OneMebibyte", concat("Bearer realm=\"", std::string(1U << 20U, 'a'), "\"")}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(Challenge, A52MayBeAsLongAsItsLimit) {
  EXPECT_TRUE(parse_challenges(concat("Bearer realm=\"", std::string(8192 - 15, 'a'), "\"")));
}

TEST(Challenge, A52HeadersOfOneAnswerShareTheLimits) {
  const net::Headers two{{"WWW-Authenticate", "Negotiate"}, {"Date", "x"}, {"www-authenticate", R"(Basic realm="x")"}};
  EXPECT_EQ(challenges_of(two).value(),
            (std::vector<Challenge>{{"negotiate", "", {}}, {"basic", "", Parameters{{"realm", "x"}}}}));
  EXPECT_FALSE(challenges_of(net::Headers(9, {"WWW-Authenticate", "Basic"})));
  EXPECT_FALSE(
      challenges_of(net::Headers(3, {"WWW-Authenticate", concat("Basic realm=\"", std::string(4000, 'x'), "\"")})));
  EXPECT_TRUE(challenges_of({})->empty());
}

}  // namespace
}  // namespace crategate::registry
