// Clocks and slices. Only time spent waiting counts against the server: a slow disk of ours is not its fault.
#include "net/patience.h"

#include <algorithm>

#include "base/strings.h"
#include "net/request_error.h"
#include "net/socket.h"
#include "sys/cancel.h"

namespace crategate::net {
namespace {

using std::chrono::milliseconds;

/// How soon a wait notices a cancellation.
constexpr milliseconds kSlice{100};

milliseconds until(Patience::Instant end) {
  return std::chrono::ceil<milliseconds>(end - std::chrono::steady_clock::now());
}

}  // namespace

Failure Patience::give_up(std::string_view what, std::string_view why) {
  exhausted_ = true;
  return no_contact(request_, what, why);
}

Result<void> Patience::check() {
  if (!request_.ignore_cancellation) CG_CHECK(sys::check_cancelled());
  if (!request_.deadline || std::chrono::steady_clock::now() < *request_.deadline) return {};
  const auto allowed = std::chrono::duration_cast<milliseconds>(*request_.deadline - started_);
  return give_up("no complete answer from",
                 concat("it took longer than ", format_duration(std::max<std::int64_t>(0, allowed.count()))));
}

Result<milliseconds> Patience::slice(Instant since) {
  CG_CHECK(check());
  milliseconds slice = kSlice;
  if (request_.timeout.count() > 0) {
    const milliseconds left = until(since + request_.timeout);
    if (left.count() <= 0)
      return give_up("no sign of life from", concat("silent for ", format_duration(request_.timeout.count())));
    slice = std::min(slice, left);
  }
  if (request_.deadline) slice = std::min(slice, until(*request_.deadline));
  return std::max(slice, milliseconds(1));
}

Result<void> Patience::wait(int socket, bool to_write) {
  const Instant since = std::chrono::steady_clock::now();
  Instant before = since;
  while (true) {
    CG_TRY(const milliseconds slice, this->slice(since));
    const bool ready = is_ready(socket, to_write, static_cast<int>(slice.count()));
    const Instant after = std::chrono::steady_clock::now();
    CG_CHECK(check_rate(after - before));
    if (ready) return {};
    before = after;
  }
}

void Patience::begin_flow() {
  if (flowing_ || !request_.unix_socket.empty() || request_.timeout.count() <= 0) return;
  flowing_ = true;
  moved_ = 0;
  waited_ = {};
}

Result<void> Patience::check_rate(std::chrono::nanoseconds waited) {
  if (!flowing_ || request_.minimum_rate == 0) return {};
  waited_ += waited;
  if (waited_ < request_.rate_window) return {};
  const auto wanted = static_cast<double>(request_.minimum_rate) * std::chrono::duration<double>(waited_).count();
  if (static_cast<double>(moved_) < wanted)
    return give_up(
        "too little comes and goes at",
        concat("expected at least ", format_bytes(request_.minimum_rate), " a second, found ", format_bytes(moved_),
               " in ", format_duration(std::chrono::duration_cast<milliseconds>(waited_).count())));
  moved_ = 0;
  waited_ = {};
  return {};
}

}  // namespace crategate::net
