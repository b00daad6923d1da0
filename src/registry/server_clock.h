// Whether a registry's clock and this machine's agree.
// Belongs here: a warning, once for each host.  Not here: pauses, which count by the server's clock (limits).
#pragma once

#include <chrono>
#include <mutex>
#include <set>
#include <string>

#include "net/http.h"

namespace crategate::registry {

/// More than that is no slow answer.
inline constexpr std::chrono::minutes kClockSkew{5};

/// Thread-safe.
class ServerClocks {
 public:
  /// Warns where the answer's `Date` is more than kClockSkew away from `now`: tokens, certificates and leases go by
  /// clocks. An answer with an `Age` is a cache's, and old by right.
  /// Effects: log.
  void compare(const std::string& host, const net::Response& response, std::chrono::system_clock::time_point now);

 private:
  std::mutex mutex_;
  std::set<std::string> warned_;
};

}  // namespace crategate::registry
