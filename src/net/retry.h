// When a request that failed may be tried again, and after which pause.
// Belongs here: rules as values, on a clock that is given.  Not here: sending, and what a service's own answers mean.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "net/http.h"
#include "sys/clock.h"

namespace crategate::net {

/// 408, 429 and 5xx but 501 and 505: another try may be answered better.
bool may_recover(int status);
/// Nobody answered, or an answer broke off after its head. Not: a certificate, an answer that is not HTTP.
bool may_recover(const Error& error);

struct RetryPolicy {
  int tries = 5;  ///< in all
  std::chrono::milliseconds first{500}, longest{30000};
};

/// The pause after `failed` tries: between half and all of first·2^(failed-1), by `random` in [0, 1).
/// nullopt = no further try.
std::optional<std::chrono::milliseconds> backoff(const RetryPolicy& policy, int failed, double random);

/// Numbers in [0, 1); the default is the kernel's.
using Random = std::function<double()>;
double kernel_random();

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7, the form that is sent). nullopt = anything else.
std::optional<std::chrono::system_clock::time_point> parse_http_date(std::string_view text);

/// Retry-After (RFC 9110 §10.2.3), seconds or a date, as a pause from `now`. nullopt = absent, or neither.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view header,
                                                           std::chrono::system_clock::time_point now);

/// The pause that an answer asks for. A date counts from the answer's own `Date`, where it has one: the clock of this
/// machine may be wrong.
std::optional<std::chrono::milliseconds> requested_pause(const Response& response,
                                                         std::chrono::system_clock::time_point now);

/// The time that all requests and pauses of one operation share.
class Deadline {
 public:
  Deadline(sys::Clock& clock, std::chrono::milliseconds patience)
      : clock_(&clock), patience_(patience), end_(clock.monotonic() + patience) {}
  std::chrono::milliseconds left() const;  ///< not negative
  /// The end of a request that is sent now, on the clock that requests wait by.
  std::chrono::steady_clock::time_point of_request() const;
  /// False, without sleeping, when the pause would end too late. A cancellation ends it early.
  bool sleep(std::chrono::milliseconds pause);
  /// The whole time again: for an operation that got ahead.
  void renew() { end_ = clock_->monotonic() + patience_; }

 private:
  sys::Clock* clock_;
  std::chrono::milliseconds patience_;
  sys::Instant end_;
};

}  // namespace crategate::net
