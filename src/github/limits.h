// GitHub's rate limits (https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api).
// Belongs here: answer → how long nothing may be asked.  Not here: waiting (session).
#pragma once

#include <chrono>
#include <optional>

#include "net/http.h"

namespace crategate::github {

struct RateLimit {
  bool is_primary = false;  ///< the hour's requests are used up; otherwise too many at once
  std::chrono::milliseconds pause{0};
};

/// nullopt = the answer is not about limits: not 403 or 429, or a refusal for another reason.
///
/// Retry-After counts; else, with nothing remaining, the time of the reset, measured by the answer's own Date; else
/// a minute, doubled with each limit met `before` in this operation.
std::optional<RateLimit> rate_limit(const net::Response& response, std::chrono::system_clock::time_point now,
                                    int before);

}  // namespace crategate::github
