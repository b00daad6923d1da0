// Fakes of the small seams: environment, clock, workflow.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "actions/workflow.h"
#include "sys/clock.h"
#include "sys/environment.h"

namespace crategate::test {

class FakeEnvironment final : public sys::Environment {
 public:
  FakeEnvironment() = default;
  explicit FakeEnvironment(std::map<std::string, std::string> variables) : variables_(std::move(variables)) {}
  std::optional<std::string> get(std::string_view name) const override;
  std::map<std::string, std::string> all() const override { return variables_; }
  void set(std::string name, std::string value) { variables_[std::move(name)] = std::move(value); }
  void unset(const std::string& name) { variables_.erase(name); }

 private:
  std::map<std::string, std::string> variables_;
};

/// Time passes only by sleeping or by `advance`. Starts at 2026-11-20T09:29:18Z. Thread-safe.
class FakeClock final : public sys::Clock {
 public:
  sys::Instant monotonic() const override {
    const std::lock_guard lock(mutex_);
    return monotonic_;
  }
  std::chrono::system_clock::time_point now() const override {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  void sleep(std::chrono::milliseconds duration) override;
  void advance(std::chrono::milliseconds duration);
  void set_now(std::chrono::system_clock::time_point now) {
    const std::lock_guard lock(mutex_);
    now_ = now;
  }
  std::vector<std::chrono::milliseconds> sleeps() const {
    const std::lock_guard lock(mutex_);
    return sleeps_;
  }
  /// Since its start.
  std::chrono::milliseconds passed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(monotonic() - kStart);
  }
  /// After each sleep, on the thread that slept; set before there are others.
  std::function<void()> on_sleep;

 private:
  static constexpr sys::Instant kStart{std::chrono::hours(1)};
  mutable std::mutex mutex_;
  sys::Instant monotonic_ = kStart;
  std::chrono::system_clock::time_point now_{std::chrono::seconds(1795166958)};
  std::vector<std::chrono::milliseconds> sleeps_;
};

/// Keeps what a stage told the runner.
class RecordingWorkflow final : public actions::Workflow {
 public:
  Result<void> set_output(std::string_view name, std::string_view value) override;
  Result<void> add_summary(std::string_view markdown) override;
  void annotate(const actions::Annotation& annotation) override { annotations.push_back(annotation); }
  void begin_group(std::string_view title) override { groups.emplace_back(title); }
  void end_group() override { ++ended_groups; }
  void mask(const Secret& secret) override { masked.push_back(secret.reveal()); }

  std::map<std::string, std::string> outputs;  ///< the last value of each
  std::string summary;
  std::vector<actions::Annotation> annotations;
  std::vector<std::string> groups;
  std::size_t ended_groups = 0;
  std::vector<std::string> masked;
};

}  // namespace crategate::test
