// One decision.
#include "github/limits.h"

#include <algorithm>

#include "base/strings.h"
#include "net/retry.h"

namespace crategate::github {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

constexpr milliseconds kMinute{60000};
constexpr int kDoublings = 6;
constexpr milliseconds kMargin{1000};  // the reset is given in whole seconds

bool says(const net::Response& response, std::string_view words) {
  return to_lower(std::string_view(response.body).substr(0, 4096)).find(words) != std::string::npos;
}

bool speaks_of_limits(const net::Response& response) {
  if (response.status == 429) return true;
  if (response.status != 403 || says(response, "not accessible by")) return false;
  return !response.header("retry-after").empty() || response.header("x-ratelimit-remaining") == "0" ||
         says(response, "rate limit") || says(response, "abuse detection");
}

/// From now to the reset; nullopt = none is given, or it has passed.
std::optional<milliseconds> until_reset(const net::Response& response, system_clock::time_point now) {
  constexpr std::uint64_t kLatest = 7258118400;  // the year 2200
  if (response.header("x-ratelimit-remaining") != "0") return std::nullopt;
  const auto reset = parse_unsigned(response.header("x-ratelimit-reset"));
  if (!reset || *reset > kLatest) return std::nullopt;
  const auto by = net::parse_http_date(response.header("date")).value_or(now);
  const system_clock::time_point at{std::chrono::seconds(static_cast<std::int64_t>(*reset))};
  const auto pause = std::chrono::ceil<milliseconds>(at - by);
  if (pause <= milliseconds(0)) return std::nullopt;
  return pause + kMargin;
}

}  // namespace

std::optional<RateLimit> rate_limit(const net::Response& response, system_clock::time_point now, int before) {
  if (!speaks_of_limits(response)) return std::nullopt;
  const bool is_primary = response.header("x-ratelimit-remaining") == "0";
  if (const auto asked = net::requested_pause(response, now)) return RateLimit{is_primary, std::max(*asked, kMargin)};
  if (const auto reset = until_reset(response, now)) return RateLimit{is_primary, *reset};
  return RateLimit{is_primary, kMinute * (1 << std::min(before, kDoublings))};
}

}  // namespace crategate::github
