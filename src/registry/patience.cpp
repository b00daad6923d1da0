#include "registry/patience.h"

#include <algorithm>

#include "base/strings.h"
#include "sys/cancel.h"

namespace crategate::registry {
namespace {

using std::chrono::milliseconds;

/// How soon a waiting request looks for its turn and for a cancellation.
constexpr milliseconds kSlice{100};

}  // namespace

bool RetryBudget::take() {
  const std::lock_guard lock(mutex_);
  if (tenths_ < 10) return false;
  tenths_ -= 10;
  return true;
}

void RetryBudget::earn() {
  const std::lock_guard lock(mutex_);
  tenths_ = std::min(tenths_ + 1, most_);
}

Result<bool> Pacing::enter(const std::string& registry, net::Deadline& deadline, bool may_probe) {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto gate = gates_.find(registry);
    if (gate == gates_.end()) return false;
    CG_CHECK(sys::check_cancelled());
    const auto left = std::chrono::ceil<milliseconds>(gate->second.closed_until - clock_.monotonic());
    if (left <= milliseconds(0) && !gate->second.probing) {
      gate->second.probing = may_probe;
      return may_probe;
    }
    const milliseconds pause = left > milliseconds(0) ? left : kSlice;
    if (pause > std::min(deadline.left(), longest_)) return too_early(registry, gate->second, pause);
    if (left > milliseconds(0)) {
      lock.unlock();
      clock_.sleep(left);
      lock.lock();
    } else {
      changed_.wait_for(lock, kSlice);
    }
  }
}

Failure Pacing::too_early(const std::string& registry, const Gate& gate, milliseconds left) const {
  return fail(ErrorCode::rate_limited,
              concat("registry ", registry, ": expected an end of its pause, found ", format_duration(left.count()),
                     " more, until ", sys::rfc3339(clock_.now() + left),
                     gate.limit.empty() ? std::string() : concat(" (", gate.limit, ")")),
              "run again after that time; logging in raises most limits");
}

void Pacing::leave(const std::string& registry, bool probing, std::optional<milliseconds> pause,
                   const std::string& limit) {
  const std::lock_guard lock(mutex_);
  if (pause) {
    Gate& gate = gates_[registry];
    const sys::Instant until = clock_.monotonic() + *pause;
    if (until >= gate.closed_until) {
      gate.closed_until = until;
      gate.limit = limit;
    }
    if (probing) gate.probing = false;
  } else if (probing) {
    gates_.erase(registry);
  }
  if (probing) changed_.notify_all();
}

}  // namespace crategate::registry
