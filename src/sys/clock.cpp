// The system's clocks, and how times are written.
#include "sys/clock.h"

#include <poll.h>

#include <algorithm>
#include <climits>
#include <ctime>

#include "sys/cancel.h"

namespace crategate::sys {
namespace {

std::string padded(long long value, std::size_t width) {
  const std::string digits = std::to_string(value);
  return digits.size() < width ? std::string(width - digits.size(), '0') + digits : digits;
}

std::string date(std::chrono::system_clock::time_point time, const char* separator) {
  const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(time)};
  return padded(static_cast<int>(day.year()), 4) + separator + padded(unsigned{day.month()}, 2) + separator +
         padded(unsigned{day.day()}, 2);
}

}  // namespace

Instant SystemClock::monotonic() const { return std::chrono::steady_clock::now(); }

std::chrono::system_clock::time_point SystemClock::now() const { return std::chrono::system_clock::now(); }

void SystemClock::sleep(std::chrono::milliseconds duration) {
  const Instant end = monotonic() + duration;
  while (!cancellation()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - monotonic()).count();
    if (left <= 0) return;
    pollfd waiting{cancellation_descriptor(), POLLIN, 0};
    ::poll(&waiting, 1, static_cast<int>(std::min<long long>(left, INT_MAX)));
  }
}

std::string rfc3339(std::chrono::system_clock::time_point time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const std::chrono::hh_mm_ss clock{seconds - std::chrono::floor<std::chrono::days>(seconds)};
  return date(time, "-") + "T" + padded(clock.hours().count(), 2) + ":" + padded(clock.minutes().count(), 2) + ":" +
         padded(clock.seconds().count(), 2) + "Z";
}

std::optional<std::chrono::system_clock::time_point> parse_rfc3339(const std::string& text) {
  std::tm fields{};
  const char* const end = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &fields);
  if (end == nullptr || *end != 0) return std::nullopt;
  const auto time = std::chrono::system_clock::from_time_t(::timegm(&fields));
  return rfc3339(time) == text ? std::optional(time) : std::nullopt;
}

std::string compact_date(std::chrono::system_clock::time_point time) { return date(time, ""); }

}  // namespace crategate::sys
