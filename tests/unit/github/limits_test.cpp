#include "github/limits.h"

#include <gtest/gtest.h>

#include "base/strings.h"

namespace crategate::github {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int64_t kNow = 1795166958;  // Fri, 20 Nov 2026 09:29:18 GMT
const std::string kSecondary = R"({"message":"You have exceeded a secondary rate limit. Please wait."})";
const std::string kNotAccessible = R"({"message":"Resource not accessible by integration"})";

struct LimitRow {
  const char* name;
  int status;
  net::Headers headers;
  std::string body;
  std::optional<milliseconds> pause;
  bool is_primary = false;
  int before = 0;
};

class RateLimits : public testing::TestWithParam<LimitRow> {};

TEST_P(RateLimits, SayHowLongToWait) {
  const LimitRow& row = GetParam();
  const auto limit =
      rate_limit({row.status, row.headers, row.body}, std::chrono::system_clock::time_point(seconds(kNow)), row.before);
  ASSERT_EQ(limit.has_value(), row.pause.has_value());
  if (!limit) return;
  EXPECT_EQ(limit->pause, *row.pause);
  EXPECT_EQ(limit->is_primary, row.is_primary);
}

net::Headers used_up(std::int64_t reset) {
  return {{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", concat(reset)}};
}

INSTANTIATE_TEST_SUITE_P(
    Rows, RateLimits,
    testing::Values(
        LimitRow{"Success", 200, used_up(kNow + 60), "", std::nullopt},
        LimitRow{"ServerError", 503, {{"Retry-After", "7"}}, "", std::nullopt},
        LimitRow{"MissingPermission", 403, {{"X-RateLimit-Remaining", "12"}}, kNotAccessible, std::nullopt},
        LimitRow{"MissingPermissionWithTheLastRequest", 403, used_up(kNow + 60), kNotAccessible, std::nullopt},
        LimitRow{"NotFound", 404, used_up(kNow + 60), "", std::nullopt},
        LimitRow{"RetryAfterSeconds", 429, {{"Retry-After", "7"}}, "", seconds(7)},
        LimitRow{"RetryAfterOn403", 403, {{"retry-after", "90"}}, "", seconds(90)},
        LimitRow{"RetryAfterDate", 429, {{"Retry-After", "Fri, 20 Nov 2026 09:30:18 GMT"}}, "", seconds(60)},
        LimitRow{"RetryAfterZeroStillWaits", 429, {{"Retry-After", "0"}}, "", seconds(1)},
        LimitRow{"RetryAfterComesBeforeTheReset",
                 403,
                 {{"Retry-After", "7"}, {"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", concat(kNow + 600)}},
                 "",
                 seconds(7),
                 true},
        LimitRow{"PrimaryUntilTheReset", 403, used_up(kNow + 600), "", seconds(601), true},
        LimitRow{"PrimaryAs429", 429, used_up(kNow + 600), "", seconds(601), true},
        LimitRow{"ByTheServersClock",
                 403,
                 {{"X-RateLimit-Remaining", "0"},
                  {"X-RateLimit-Reset", concat(kNow + 600)},
                  {"Date", "Fri, 20 Nov 2026 09:28:18 GMT"}},
                 "",
                 seconds(661),
                 true},
        LimitRow{"ResetInThePast", 403, used_up(kNow - 5), "", seconds(60), true},
        LimitRow{"ResetThatIsNoNumber",
                 403,
                 {{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", "later"}},
                 "",
                 seconds(60),
                 true},
        LimitRow{"ResetBeyondAllTimes", 403, used_up(999999999999999999), "", seconds(60), true},
        LimitRow{"SomeRemaining",
                 429,
                 {{"X-RateLimit-Remaining", "5"}, {"X-RateLimit-Reset", concat(kNow + 600)}},
                 "",
                 seconds(60)},
        LimitRow{"SecondaryByItsMessage", 403, {}, kSecondary, seconds(60)},
        LimitRow{"SecondaryAgain", 403, {}, kSecondary, seconds(120), false, 1},
        LimitRow{"SecondaryAThirdTime", 403, {}, kSecondary, seconds(240), false, 2},
        LimitRow{"SecondaryHasAnEndOfDoubling", 403, {}, kSecondary, seconds(3840), false, 40},
        LimitRow{"AbuseDetection",
                 403,
                 {},
                 R"({"message":"You have triggered an abuse detection mechanism."})",
                 seconds(60)},
        LimitRow{"GarbageInRetryAfter", 429, {{"Retry-After", "soon"}}, "", seconds(60)}),
    [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace crategate::github
