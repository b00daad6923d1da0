// What one operation spends on waiting: its requests, of several threads too, share one deadline.
// Belongs here: the service's limits.  Not here: the rules themselves (net/retry).
#pragma once

#include <mutex>

#include "net/http.h"
#include "net/retry.h"

namespace crategate::actions {

struct PatienceLimits {
  net::RetryPolicy policy{.tries = 6};
  std::chrono::milliseconds longest_asked{120'000};  ///< a server that asks for more is not waited for
  std::chrono::milliseconds total{600'000};          ///< without progress
  net::Random random = net::kernel_random;
};

/// Thread-safe as far as the clock is.
class Patience {
 public:
  Patience(sys::Clock& clock, PatienceLimits limits)
      : clock_(clock), limits_(std::move(limits)), deadline_(clock, limits_.total) {}
  /// After try number `tried`, from 1, brought `outcome`: true = it has waited, try again.
  /// Effects: sleeps. Errors: interrupted, terminated.
  Result<bool> wait(int tried, const Result<net::Response>& outcome);
  /// Something was achieved: the deadline begins anew.
  void made_progress();

 private:
  std::optional<std::chrono::milliseconds> pause_after(int tried, const Result<net::Response>& outcome) const;
  sys::Clock& clock_;
  PatienceLimits limits_;
  std::mutex mutex_;
  net::Deadline deadline_;
};

/// Whether another try may be answered better.
bool may_recover(const Result<net::Response>& outcome);

}  // namespace crategate::actions
