// The pause that a server asks for goes before our own.
#include "actions/patience.h"

#include <algorithm>

#include "sys/cancel.h"

namespace crategate::actions {

using std::chrono::milliseconds;

bool may_recover(const Result<net::Response>& outcome) {
  return outcome ? net::may_recover(outcome->status) : net::may_recover(outcome.error());
}

void Patience::made_progress() {
  const std::scoped_lock lock(mutex_);
  deadline_.renew();
}

std::optional<milliseconds> Patience::pause_after(int tried, const Result<net::Response>& outcome) const {
  if (!may_recover(outcome)) return std::nullopt;
  const auto own = net::backoff(limits_.policy, tried, limits_.random());
  if (!own || !outcome) return own;
  const auto asked = net::requested_pause(*outcome, clock_.now());
  if (!asked) return own;
  if (*asked > limits_.longest_asked) return std::nullopt;
  return std::max(*asked, std::min(*own, limits_.policy.first));
}

Result<bool> Patience::wait(int tried, const Result<net::Response>& outcome) {
  const auto pause = pause_after(tried, outcome);
  if (!pause) return false;
  {
    const std::scoped_lock lock(mutex_);
    if (*pause > deadline_.left()) return false;
  }
  clock_.sleep(*pause);
  CG_CHECK(sys::check_cancelled());
  return true;
}

}  // namespace crategate::actions
