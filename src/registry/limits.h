// What a registry says about the requests that are left
// (https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/, its older forms, and those of before).
// Belongs here: headers → limit, rest and pause.  Not here: waiting (patience, session).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "net/http.h"

namespace crategate::registry {

/// The tightest limit that an answer states.
struct Quota {
  std::optional<std::uint64_t> limit, remaining;
  std::optional<std::chrono::seconds> window;  ///< `limit` holds for so long
  // Until there are more: one of the two, or neither.
  std::optional<std::chrono::seconds> reset_in;
  std::optional<std::chrono::sys_seconds> reset_at;
  bool operator==(const Quota&) const = default;
};

/// `RateLimit` (`limit=1, remaining=0, reset=5`, or `"name";r=0;t=5`) with `RateLimit-Policy`, else `RateLimit-Limit`,
/// `-Remaining` and `-Reset`, else the same with `X-`. A reset is a number of seconds or a Unix time.
/// nullopt = none of them, or one that cannot be read: nothing is guessed.
std::optional<Quota> quota_of(const net::Response& response);

/// From the answer to the reset, by the answer's own `Date` where it has one; not negative. nullopt = not known.
std::optional<std::chrono::milliseconds> until_reset(const Quota& quota, const net::Response& response,
                                                     std::chrono::system_clock::time_point now);

/// The pause that an answer asks for: Retry-After; of a 429 without it the time to the reset, where nothing says that
/// requests are left.
std::optional<std::chrono::milliseconds> asked_pause(const net::Response& response,
                                                     std::chrono::system_clock::time_point now);

/// "limit 100 in 6 h, 0 left, more in 5 s"; empty = nothing is known.
std::string describe(const Quota& quota);

}  // namespace crategate::registry
