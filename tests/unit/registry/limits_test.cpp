#include "registry/limits.h"

#include <gtest/gtest.h>

#include "base/strings.h"
#include "fuzz/mutator.h"

namespace crategate::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::system_clock;

constexpr std::int64_t kNow = 1795166958;  // 2026-11-20T09:29:18Z
const system_clock::time_point kWhen{seconds(kNow)};
const std::string kDate = "Fri, 20 Nov 2026 09:29:18 GMT";

struct Row {
  const char* name;
  net::Headers headers;
  std::string described;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class RegistryQuota : public testing::TestWithParam<Row> {};

TEST_P(RegistryQuota, IsReadFromTheHeaders) {
  const auto quota = quota_of({200, GetParam().headers, ""});
  EXPECT_EQ(quota ? describe(*quota) : "none", GetParam().described);
}

INSTANTIATE_TEST_SUITE_P(
    Read, RegistryQuota,
    testing::Values(
        Row{"OfDockerHub",
            {{"ratelimit-limit", "100;w=21600"}, {"ratelimit-remaining", "0;w=21600"}},
            "limit 100 in 6 h 00 min, 0 left"},
        Row{"OfThreeHeaders",
            {{"RateLimit-Limit", "60"}, {"RateLimit-Remaining", "59"}, {"RateLimit-Reset", "5"}},
            "limit 60, 59 left, more in 5.0 s"},
        Row{"WithPoliciesBesideTheLimit",
            {{"RateLimit-Limit", "10, 10;w=1;burst=\"a, b\", 50;w=60"}, {"RateLimit-Remaining", "5"}},
            "limit 10 in 1.0 s, 5 left"},
        Row{"WithAUnixTime",
            {{"RateLimit-Remaining", "0"}, {"RateLimit-Reset", "1795166988"}},
            "0 left, more at 2026-11-20T09:29:48Z"},
        Row{"OfOneHeader",
            {{"RateLimit", "limit=100, remaining=50, reset=5"}, {"RateLimit-Policy", "100;w=10"}},
            "limit 100 in 10.0 s, 50 left, more in 5.0 s"},
        Row{"OfOneHeaderInAnyOrder", {{"ratelimit", "reset=5,limit=1,remaining=0"}}, "limit 1, 0 left, more in 5.0 s"},
        Row{"OfAListWithPolicies",
            {{"RateLimit", R"("day";r=9;t=500, "burst";r=0;t=3)"},
             {"RateLimit-Policy", R"("burst";q=10;w=60,"day";q=1000;w=86400)"}},
            "limit 10 in 1 min 00 s, 0 left, more in 3.0 s"},
        Row{"TheLongestOfThoseThatAreUsedUp",
            {{"RateLimit", R"("a";r=0;t=3)"}, {"RateLimit", R"("b";r=0;t=30)"}},
            "0 left, more in 30.0 s"},
        Row{"WithX",
            {{"X-RateLimit-Limit", "60"}, {"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", "1795166988"}},
            "limit 60, 0 left, more at 2026-11-20T09:29:48Z"},
        Row{"OfTheNewestForm",
            {{"X-RateLimit-Remaining", "3"}, {"RateLimit-Remaining", "2"}, {"RateLimit", "limit=9, remaining=1"}},
            "limit 9, 1 left"},
        Row{"OfTheFormThatCanBeRead", {{"RateLimit", "limit=,"}, {"RateLimit-Remaining", "2"}}, "2 left"}),
    [](const auto& each) { return std::string(each.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Ignored, RegistryQuota,
    testing::Values(Row{"Nothing", {}, "none"}, Row{"EmptyValue", {{"RateLimit-Remaining", ""}}, "none"},
                    Row{"NegativeNumber", {{"RateLimit-Remaining", "-1"}}, "none"},
                    Row{"Fraction", {{"RateLimit-Remaining", "0.5"}}, "none"},
                    Row{"Exponent", {{"RateLimit-Reset", "1e3"}}, "none"},
                    Row{"NumberBeyondAllNumbers", {{"RateLimit-Remaining", "99999999999999999999999"}}, "none"},
                    Row{"NumberBeyondStructuredFields", {{"RateLimit-Limit", "1000000000000000"}}, "none"},
                    Row{"ResetInMoreThanAYear", {{"RateLimit-Reset", "31708801"}}, "none"},
                    Row{"ResetIn1999", {{"X-RateLimit-Reset", "915148800"}}, "none"},
                    Row{"ResetIn2500", {{"X-RateLimit-Reset", "16725225600"}}, "none"},
                    Row{"WindowOfNothing", {{"RateLimit-Limit", "1;w=0"}}, "limit 1"},
                    Row{"WindowOfAges", {{"RateLimit-Limit", "1;w=99999999999"}}, "limit 1"},
                    Row{"TwoValuesOfOne", {{"RateLimit-Remaining", "0"}, {"RateLimit-Remaining", "5"}}, "none"},
                    Row{"ListOfNumbers", {{"RateLimit-Remaining", "0, 5"}}, "none"},
                    Row{"TrailingComma", {{"RateLimit-Limit", "5,"}}, "none"},
                    Row{"OpenString", {{"RateLimit", "\"a;r=0;t=9"}}, "none"},
                    Row{"ParameterWithoutName", {{"RateLimit-Remaining", "0;=5"}}, "none"},
                    Row{"ParameterWithoutValue", {{"RateLimit-Remaining", "0;w="}}, "none"},
                    Row{"TooLong", {{"RateLimit-Remaining", std::string(1025, '0')}}, "none"},
                    Row{"TooMany", {{"RateLimit-Limit", concat("1", std::string(16, ','))}}, "none"},
                    Row{"ControlCharacter", {{"RateLimit-Remaining", "0\x1b[31m"}}, "none"},
                    Row{"OtherWords", {{"RateLimit-Remaining", "unlimited"}}, "none"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(RegistryQuota, IsMeasuredByTheAnswersOwnDate) {
  const Quota in{.reset_in = seconds(7)};
  const Quota at{.reset_at = std::chrono::sys_seconds(seconds(kNow + 30))};
  const system_clock::time_point wrong = kWhen - std::chrono::hours(5);
  EXPECT_EQ(until_reset(in, {}, wrong), seconds(7));
  EXPECT_EQ(until_reset(at, {}, kWhen), seconds(30));
  EXPECT_EQ(until_reset(at, {200, {{"Date", kDate}}, ""}, wrong), seconds(30));
  EXPECT_EQ(until_reset(at, {}, kWhen + std::chrono::hours(1)), milliseconds(0)) << "has passed";
  EXPECT_EQ(until_reset({.remaining = 0}, {}, kWhen), std::nullopt);
}

struct PauseRow {
  const char* name;
  int status;
  net::Headers headers;
  std::optional<milliseconds> pause;
};

TEST(RegistryPause, B06IsWhatTheAnswerSays) {
  const std::string reset = std::to_string(kNow + 20);
  const PauseRow rows[] = {
      {"Retry-After counts first", 429, {{"Retry-After", "5"}, {"RateLimit-Reset", "9"}}, seconds(5)},
      {"a reset", 429, {{"RateLimit-Remaining", "0"}, {"RateLimit-Reset", "9"}}, seconds(9)},
      {"a reset alone", 429, {{"RateLimit-Reset", "9"}}, seconds(9)},
      {"a reset as a time", 429, {{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", reset}}, seconds(20)},
      {"Retry-After that is none", 429, {{"Retry-After", "soon"}, {"RateLimit-Reset", "9"}}, seconds(9)},
      {"a limit that is not the one", 429, {{"RateLimit-Remaining", "7"}, {"RateLimit-Reset", "9"}}, std::nullopt},
      {"a reset that is now", 429, {{"RateLimit-Reset", "0"}}, std::nullopt},
      {"a window is no reset", 429, {{"RateLimit-Remaining", "0;w=21600"}}, std::nullopt},
      {"not of a limit", 503, {{"RateLimit-Remaining", "0"}, {"RateLimit-Reset", "9"}}, std::nullopt},
      {"no header", 429, {}, std::nullopt},
  };
  for (const PauseRow& row : rows) EXPECT_EQ(asked_pause({row.status, row.headers, ""}, kWhen), row.pause) << row.name;
}

/// Whatever a header holds: no pause is negative or longer than a year, and no text carries it on.
TEST(RegistryQuota, SurvivesMutations) {
  fuzz::Mutator mutator;
  int read = 0;
  for (const char* name : {"RateLimit", "RateLimit-Limit", "RateLimit-Remaining", "X-RateLimit-Reset"}) {
    for (int i = 0; i < 3000; ++i) {
      const std::string text = mutator.mutate(R"("a b";r=0;t=30, 100;w=21600, limit=1, remaining=0, reset=1795166988)");
      const net::Response response{429, {{name, text}, {"RateLimit-Policy", text}}, ""};
      const auto quota = quota_of(response);
      if (!quota) continue;
      ++read;
      EXPECT_EQ(neutralise(describe(*quota)), describe(*quota));
      EXPECT_LT(describe(*quota).size(), 120U);
      const auto pause = asked_pause(response, kWhen).value_or(milliseconds(0));
      EXPECT_TRUE(pause >= milliseconds(0) && pause <= std::chrono::hours(24 * 366)) << quoted(text);
    }
  }
  EXPECT_GT(read, 100);
}

}  // namespace
}  // namespace crategate::registry
