// How often a registry is asked again, and who waits while it wants a pause.
// Belongs here: pauses, the shared budget, the one request that probes.  Not here: what an answer means (failure).
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/result.h"
#include "net/retry.h"
#include "sys/clock.h"

namespace crategate::registry {

/// Limits of one invocation against registries.
struct Patience {
  net::RetryPolicy retry{.tries = 4, .first = std::chrono::milliseconds(200), .longest = std::chrono::seconds(5)};
  /// All requests and pauses of one operation; an upload or download has it anew whenever it got ahead.
  std::chrono::milliseconds operation = std::chrono::minutes(2);
  /// The longest pause that a registry may ask for; a longer one ends the operation with `rate_limited`.
  std::chrono::milliseconds longest_pause = std::chrono::minutes(1);
  /// For what was accepted but is not served yet.
  std::chrono::milliseconds lag = std::chrono::minutes(1);
  /// Further tries of all operations together; ten answers of any kind earn one more, up to this number.
  int budget = 40;
  net::Random random = net::kernel_random;
};

/// The further tries that all operations of one invocation share: an outage is not multiplied by our parallelism.
class RetryBudget {
 public:
  explicit RetryBudget(int most) : tenths_(most * 10), most_(most * 10) {}
  /// False when nothing is left.
  bool take();
  void earn();

 private:
  std::mutex mutex_;
  int tenths_, most_;
};

/// Holds requests back while their registry wants a pause; afterwards one goes first, and the others follow its success.
class Pacing {
 public:
  /// `longest`: nobody waits longer for a registry.
  explicit Pacing(sys::Clock& clock, std::chrono::milliseconds longest = Patience{}.longest_pause)
      : clock_(clock), longest_(longest) {}

  /// Waits for the turn of a request to `registry`. `may_probe`: it can be answered without any other request, which
  /// would wait for it; what cannot goes when no probe is under way.
  /// Returns: whether it is the probe.  Errors: rate_limited when the pause is too long for `deadline`, or for anybody;
  /// interrupted.
  Result<bool> enter(const std::string& registry, net::Deadline& deadline, bool may_probe = true);
  /// After every request that entered. `pause`: what the answer asked for; `limit`: why, in words, for the errors of
  /// those who come too early.
  void leave(const std::string& registry, bool probing, std::optional<std::chrono::milliseconds> pause,
             const std::string& limit = {});

 private:
  struct Gate {
    sys::Instant closed_until;
    bool probing = false;
    std::string limit;
  };
  Failure too_early(const std::string& registry, const Gate& gate, std::chrono::milliseconds left) const;

  sys::Clock& clock_;
  const std::chrono::milliseconds longest_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Gate> gates_;  ///< of registries that asked for a pause and have not answered well since
};

}  // namespace crategate::registry
