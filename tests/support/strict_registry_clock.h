// A clock that only moves when somebody sleeps, for clients and servers with several threads.
#pragma once

#include <algorithm>
#include <functional>
#include <mutex>
#include <vector>

#include "sys/clock.h"

namespace crategate::test {

/// Starts at 2026-11-20T09:29:18Z.
class SharedClock final : public sys::Clock {
 public:
  sys::Instant monotonic() const override { return sys::Instant(std::chrono::hours(1)) + passed(); }
  std::chrono::system_clock::time_point now() const override {
    return std::chrono::system_clock::time_point(std::chrono::seconds(1795166958)) + passed();
  }
  void sleep(std::chrono::milliseconds duration) override {
    advance(std::max(duration, std::chrono::milliseconds(0)));
    if (on_sleep) on_sleep();
  }
  void advance(std::chrono::milliseconds duration) {
    const std::scoped_lock lock(mutex_);
    passed_ += duration;
  }
  std::chrono::milliseconds passed() const {
    const std::scoped_lock lock(mutex_);
    return passed_;
  }
  /// After each sleep, on the thread that slept.
  std::function<void()> on_sleep;

 private:
  mutable std::mutex mutex_;
  std::chrono::milliseconds passed_{0};
};

}  // namespace crategate::test
