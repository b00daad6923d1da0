// Grammar, precedence and spelling of versions.
#include "base/version.h"

#include <gmock/gmock.h>

#include <random>

#include "base/strings.h"

namespace crategate {
namespace {

using testing::HasSubstr;

Version version(std::string_view text) {
  auto parsed = parse_version(text);
  if (!parsed) throw std::runtime_error(parsed.error().message);
  return *std::move(parsed);
}

TEST(Version, IsReadAsSemverOrElseAsPep440) {
  const struct {
    std::string_view text, canonical;
    bool prerelease;
  } rows[] = {
      {"v1.0.0", "1.0.0", false},
      {"1.2.3", "1.2.3", false},
      {"V1.2.3", "1.2.3", false},
      {"0.0.0", "0.0.0", false},
      {"v18446744073709551615.0.0", "18446744073709551615.0.0", false},
      {"v0.1.0-rc", "0.1.0rc0", true},
      {"v0.1.0rc3", "0.1.0rc3", true},
      {"v0.1.0-rc3", "0.1.0rc3", true},
      {"v0.1.0-rc.3", "0.1.0rc3", true},
      {"v0.1.0-RC-3", "0.1.0rc3", true},
      {"v0.1.0_rc_03", "0.1.0rc3", true},
      {"0.1.0.rc.3", "0.1.0rc3", true},
      {"0.1.0c3", "0.1.0rc3", true},
      {"0.1.0-preview3", "0.1.0rc3", true},
      {"v2.3.1-beta", "2.3.1b0", true},
      {"1.0.0a1", "1.0.0a1", true},
      {"1.0.0-alpha.1", "1.0.0a1", true},
      {"1.0.0-alpha.beta", "1.0.0-alpha.beta", true},
      {"1.0.0-rc3.x", "1.0.0-rc.3.x", true},
      {"v1.0.0-1", "1.0.0-1", true},
      {"1.0.0-0.3.7", "1.0.0-0.3.7", true},
      {"1.0.0-x.7.z.92", "1.0.0-x.7.z.92", true},
      {"1.0.0--", "1.0.0--", true},
      {"1.0.0-x-y-z", "1.0.0-x-y-z", true},
      {"1.0.0-rc-", "1.0.0-rc-", true},
      {"1.0.0rc_", "1.0.0rc0", true},
      {"1.0.0.dev4", "1.0.0.dev4", true},
      {"1.0.0-dev4", "1.0.0.dev4", true},
      {"1.0.0.post1", "1.0.0.post1", false},
      {"1.0.0r2", "1.0.0.post2", false},
      {"1.0.0.post1.dev2", "1.0.0.post1.dev2", true},
      {"1.0.0a1.post2.dev3", "1.0.0a1.post2.dev3", true},
      {"1.0.0rc1.dev2", "1.0.0rc1.dev2", true},
      {"01.002.3", "1.2.3", false},
  };
  for (const auto& row : rows) {
    const auto parsed = parse_version(row.text);
    ASSERT_TRUE(parsed.has_value()) << row.text << ": " << parsed.error().message;
    EXPECT_EQ(parsed->text, row.text);
    EXPECT_EQ(parsed->canonical(), row.canonical) << row.text;
    EXPECT_EQ(parsed->is_prerelease, row.prerelease) << row.text;
  }
}

// A10, A11, A12
TEST(Version, RefusesWhatIsNoVersionAndQuotesIt) {
  const std::string too_long = concat("1.0.0-", std::string(123, 'a'));
  const struct {
    std::string_view name, text, message;
  } rows[] = {
      {"nothing", "", "found nothing"},
      {"one number", "1", "found only 1"},
      {"two numbers", "1.2", "expected three numeric components, found only 2"},
      {"two numbers and a suffix", "v1.2-rc1", "found only 2"},
      {"four numbers", "1.2.3.4", "found more"},
      {"A11: build metadata", "v1.0.0+meta", "found '+'"},
      {"local version", "1.0.0+cu124", "found '+'"},
      {"shell", "v1.2.3; rm -rf /", "\"v1.2.3; rm -rf /\""},
      {"substitution", "v1.0.0$(id)", "found \"$\""},
      {"backticks", "v1.0.0`id`", "found \"`\""},
      {"expression", "v1.0.0${{ github.token }}", "found \"$\""},
      {"command in a second line", "v1.0.0\n::error::x", R"(\n::error::x)"},
      {"line feed", "v1.0.0\n", R"("v1.0.0\n")"},
      {"CR", "v1.0.0\r", R"("v1.0.0\r")"},
      {"leading space", " v1.0.0", "\" v1.0.0\""},
      {"NUL", std::string_view("v1.0.0\0x", 8), R"(\x00)"},
      {"byte-order mark", "\xEF\xBB\xBFv1.0.0", R"(\xef\xbb\xbf)"},
      {"line separator", "v1.0.0\xE2\x80\xA8", R"(\xe2\x80\xa8)"},
      {"fullwidth digits", "１.０.０", "expected letters"},
      {"Arabic digits", "\xD9\xA1.0.0", "expected letters"},
      {"A11: reserved", "latest", "found none"},
      {"A11: like an option", "-rc", "found none"},
      {"A11: like a long option", "--privileged", "found none"},
      {"A11: dot", ".", "found none"},
      {"A11: dots", "..", "found none"},
      {"path", "../../etc", "found \"/\""},
      {"two v", "vv1.0.0", "found none"},
      {"A11: 129 characters", too_long, "at most 128 characters, found 129"},
      {"number beyond 64 bits", "18446744073709551616.0.0", "below 2^64"},
      {"empty identifier", "1.0.0-", "suffix"},
      {"empty identifier inside", "1.0.0-a..b", "suffix"},
      {"leading zero in semver only", "1.0.0-foo.01", "suffix"},
      {"word without separator", "1.0.0foo", "suffix"},
      {"underscore", "1.0.0_foo", "suffix"},
      {"dot at the end", "1.0.0.", "suffix"},
      {"epoch", "1!1.0.0", "found \"!\""},
      {"empty component", "1..0", "found only 1"},
      {"wildcard", "1.0.x", "found only 2"},
      {"range", "~1.0.0", "found \"~\""},
  };
  for (const auto& row : rows) {
    const auto parsed = parse_version(row.text);
    ASSERT_FALSE(parsed.has_value()) << row.name;
    EXPECT_EQ(parsed.error().code, ErrorCode::bad_input) << row.name;
    EXPECT_THAT(parsed.error().message, HasSubstr(row.message)) << row.name;
    EXPECT_FALSE(parsed.error().hint.empty()) << row.name;
  }
  EXPECT_TRUE(parse_version(std::string_view(too_long).substr(0, 128)).has_value());
}

TEST(Version, OrdersByPrecedence) {
  const std::vector<std::vector<std::string_view>> chains = {
      // https://semver.org/#spec-item-11
      {"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",
       "1.0.0", "2.0.0", "2.1.0", "2.1.1"},
      {"1.0.0-1", "1.0.0-2", "1.0.0-10", "1.0.0-10.a", "1.0.0-a", "1.0.0-a.a", "1.0.0-a.b", "1.0.0-b"},
      {"1.0.0-99999999999999999999998", "1.0.0-99999999999999999999999", "1.0.0-100000000000000000000000"},
      // https://packaging.python.org/specifications/version-specifiers/#summary-of-permitted-suffixes-and-relative-ordering
      {"1.0.0.dev1", "1.0.0a1.dev1", "1.0.0a1", "1.0.0a1.post1.dev2", "1.0.0a1.post1", "1.0.0a2", "1.0.0b1",
       "1.0.0rc1.dev1", "1.0.0rc1", "1.0.0rc2", "1.0.0rc10", "1.0.0", "1.0.0.post1.dev1", "1.0.0.post1", "1.0.0.post2",
       "1.0.1.dev0"},
      {"v0.1.0-rc9", "v0.1.0rc10", "v0.1.0-rc.11", "v0.1.0", "v0.9.0", "v0.10.0"},
  };
  for (const auto& chain : chains) {
    for (std::size_t i = 0; i < chain.size(); ++i) {
      for (std::size_t j = 0; j < chain.size(); ++j) {
        EXPECT_TRUE(compare(version(chain[i]), version(chain[j])) == (i <=> j)) << chain[i] << " and " << chain[j];
      }
    }
  }
}

TEST(Version, IsTheSameInEverySpelling) {
  for (const std::string_view other : {"v0.1.0-rc3", "0.1.0rc3", "V0.1.0RC3", "0.1.0-rc.3", "0.1.0.pre3"}) {
    EXPECT_TRUE(compare(version("v0.1.0rc3"), version(other)) == 0) << other;
    EXPECT_EQ(version("v0.1.0rc3").canonical(), version(other).canonical());
  }
  EXPECT_NE(version("v1.0.0-1").canonical(), version("v1.0.0.post1").canonical());
  EXPECT_NE(version("v1.0.0-1").canonical(), version("v1.0.0").canonical());
}

std::string random_version(std::mt19937& random) {
  static const std::vector<std::string> parts{"-", ".",    "_",  "0",     "1",   "2",    "10",   "a", "alpha",
                                              "b", "beta", "rc", "c",     "pre", "dev",  "post", "r", "rev",
                                              "x", "7z",   "--", "post1", "rc2", ".dev", "-rc.", "01"};
  std::string text = concat(random() % 2 == 0 ? "v" : "", random() % 2, ".0.", random() % 2);
  for (auto count = random() % 6; count > 0; --count) text += parts[random() % parts.size()];
  return text;
}

std::vector<Version> random_versions(std::size_t count) {
  std::mt19937 random(440);  // NOLINT: the same versions on every run
  std::vector<Version> versions;
  while (versions.size() < count) {
    if (auto parsed = parse_version(random_version(random))) versions.push_back(*std::move(parsed));
  }
  return versions;
}

TEST(Version, CanonicalFormIsAVersionAndItsOwnCanonicalForm) {
  for (const Version& any : random_versions(4000)) {
    const auto again = parse_version(any.canonical());
    ASSERT_TRUE(again.has_value()) << any.text << " gives " << any.canonical();
    EXPECT_EQ(again->canonical(), any.canonical()) << any.text;
    EXPECT_TRUE(compare(*again, any) == 0) << any.text << " gives " << any.canonical();
    EXPECT_EQ(again->is_prerelease, any.is_prerelease) << any.text;
  }
}

TEST(Version, OrderIsTotalAndAgreesWithTheCanonicalForm) {
  const std::vector<Version> all = random_versions(90);
  for (const Version& a : all) {
    for (const Version& b : all) {
      ASSERT_TRUE((compare(a, b) < 0) == (compare(b, a) > 0)) << a.text << " and " << b.text;
      ASSERT_EQ(compare(a, b) == 0, a.canonical() == b.canonical()) << a.text << " and " << b.text;
      for (const Version& c : all) {
        if (compare(a, b) <= 0 && compare(b, c) <= 0) {
          ASSERT_TRUE(compare(a, c) <= 0) << a.text << ", " << b.text << ", " << c.text;
        }
      }
    }
  }
}

TEST(DottedVersion, ComparesByComponentAndNeverAsText) {
  using Order = std::strong_ordering;
  const struct {
    std::string_view a, b;
    std::optional<Order> order;
  } rows[] = {
      {"3.9", "3.10", Order::less},       {"3.10", "3.1", Order::greater}, {"3.10", "3.10", Order::equal},
      {"3", "3.0", Order::equal},         {"3.9", "3.9.1", Order::less},   {"22.04", "22.10", Order::less},
      {"12.4.1", "12.4", Order::greater}, {"cpu", "3.9", std::nullopt},    {"3.9", "3.x", std::nullopt},
      {"3.", "3.0", std::nullopt},        {"", "", std::nullopt},          {"-1", "1", std::nullopt},
      {"3.9 ", "3.9", std::nullopt},      {"4.x", "3.1", std::nullopt},    {"99999999999999999999", "1", std::nullopt},
  };
  for (const auto& row : rows) EXPECT_TRUE(compare_dotted(row.a, row.b) == row.order) << row.a << " and " << row.b;
}

}  // namespace
}  // namespace crategate
