// Bodies of the small fakes.
#include "support/fakes.h"

namespace crategate::test {

std::optional<std::string> FakeEnvironment::get(std::string_view name) const {
  const auto found = variables_.find(std::string(name));
  if (found == variables_.end()) return std::nullopt;
  return found->second;
}

void FakeClock::sleep(std::chrono::milliseconds duration) {
  {
    const std::lock_guard lock(mutex_);
    sleeps_.push_back(duration);
  }
  advance(duration);
  if (on_sleep) on_sleep();
}

void FakeClock::advance(std::chrono::milliseconds duration) {
  const std::lock_guard lock(mutex_);
  monotonic_ += duration;
  now_ += duration;
}

Result<void> RecordingWorkflow::set_output(std::string_view name, std::string_view value) {
  outputs[std::string(name)] = value;
  return {};
}

Result<void> RecordingWorkflow::add_summary(std::string_view markdown) {
  summary += markdown;
  return {};
}

}  // namespace crategate::test
