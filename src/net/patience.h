// How long one request waits: for a sign of life, for enough bytes, until its deadline, until somebody cancels.
// Belongs here: every wait of a request.  Not here: what is waited for (connection, race).
#pragma once

#include <chrono>

#include "net/http.h"

namespace crategate::net {

class Patience {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  /// `request` outlives it.
  explicit Patience(const Request& request) : request_(request), started_(std::chrono::steady_clock::now()) {}
  const Request& request() const { return request_; }

  /// Errors: interrupted or terminated; unavailable after the deadline.
  Result<void> check();
  /// How long to wait before asking again, when nothing has happened `since`; never 0.
  /// Errors: as check(); unavailable when that was longer than the request allows.
  Result<std::chrono::milliseconds> slice(Instant since);
  /// Until the socket is ready. Errors: as slice(); unavailable when too few bytes have moved.
  Result<void> wait(int socket, bool to_write);

  /// It has ended a wait: there is no use in another try.
  bool exhausted() const { return exhausted_; }

  /// Between the two, bytes have to move at the request's minimum rate.
  void begin_flow();
  void end_flow() { flowing_ = false; }
  void moved(std::size_t bytes) { moved_ += bytes; }

 private:
  Failure give_up(std::string_view what, std::string_view why);
  Result<void> check_rate(std::chrono::nanoseconds waited);

  const Request& request_;
  Instant started_;
  bool flowing_ = false, exhausted_ = false;
  std::uint64_t moved_ = 0;  ///< within the window
  std::chrono::nanoseconds waited_{0};
};

}  // namespace crategate::net
