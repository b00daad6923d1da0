// Pauses and dates.
#include "net/retry.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/strings.h"
#include "sys/environment.h"

namespace crategate::net {
namespace {

using std::chrono::milliseconds;

constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::uint64_t kLongestPause = 366ULL * 24 * 3600;  // seconds; a longer one is no pause that anybody waits for

/// The two or four digits of `text` from `at`; a number above `limit` is none.
std::optional<int> number_at(std::string_view text, std::size_t at, std::size_t digits, std::uint64_t limit) {
  const auto number = parse_unsigned(text.substr(at, digits));
  if (!number || *number > limit) return std::nullopt;
  return static_cast<int>(*number);
}

}  // namespace

bool may_recover(int status) {
  return status == 408 || status == 429 || (status >= 500 && status < 600 && status != 501 && status != 505);
}

bool may_recover(const Error& error) {
  if (error.code == ErrorCode::unavailable) return true;
  return error.code == ErrorCode::integrity && error.http && error.http->status != 0;
}

std::optional<milliseconds> backoff(const RetryPolicy& policy, int failed, double random) {
  if (failed >= policy.tries) return std::nullopt;
  milliseconds whole = policy.first;
  for (int i = 1; i < failed && whole < policy.longest; ++i) whole *= 2;
  whole = std::min(whole, policy.longest);
  const auto share = static_cast<double>(whole.count()) * (0.5 + random / 2);
  return milliseconds(static_cast<std::int64_t>(share));
}

double kernel_random() {
  std::uint32_t number = 0;
  for (const char digit : sys::random_hex(8))
    number = number << 4 | static_cast<std::uint32_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
  return number / 4294967296.0;
}

std::optional<std::chrono::system_clock::time_point> parse_http_date(std::string_view text) {
  // 0123456789012345678901234567
  // Sun, 06 Nov 1994 08:49:37 GMT
  if (text.size() != 29 || text.substr(3, 2) != ", " || text[7] != ' ' || text[11] != ' ' || text[16] != ' ' ||
      text[19] != ':' || text[22] != ':' || text.substr(25) != " GMT" ||
      std::find(kDays.begin(), kDays.end(), text.substr(0, 3)) == kDays.end())
    return std::nullopt;
  const auto* const month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  const auto day = number_at(text, 5, 2, 31);
  const auto year = number_at(text, 12, 4, 9999);
  const auto hour = number_at(text, 17, 2, 23);
  const auto minute = number_at(text, 20, 2, 59);
  const auto second = number_at(text, 23, 2, 60);
  if (month == kMonths.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  // The clock's range of nanoseconds ends in 2262.
  if (!date.ok() || *year < 1970 || *year > 2200) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

std::optional<milliseconds> parse_retry_after(std::string_view header, std::chrono::system_clock::time_point now) {
  if (const auto seconds = parse_unsigned(header))
    return std::chrono::seconds(static_cast<std::int64_t>(std::min(*seconds, kLongestPause)));
  const auto date = parse_http_date(header);
  if (!date) return std::nullopt;
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(*date - now));
}

std::optional<milliseconds> requested_pause(const Response& response, std::chrono::system_clock::time_point now) {
  return parse_retry_after(response.header("retry-after"), parse_http_date(response.header("date")).value_or(now));
}

milliseconds Deadline::left() const {
  return std::max(milliseconds(0), std::chrono::floor<milliseconds>(end_ - clock_->monotonic()));
}

std::chrono::steady_clock::time_point Deadline::of_request() const { return std::chrono::steady_clock::now() + left(); }

bool Deadline::sleep(milliseconds pause) {
  if (pause > left()) return false;
  clock_->sleep(pause);
  return true;
}

}  // namespace crategate::net
