// A process runner that starts nothing: each command must have been expected.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "sys/process.h"

namespace crategate::test {

/// The first unused expectation that accepts a command answers it. A command that nobody expected, and an expectation
/// that nothing used, fail the test. Output is handed to `on_output` as well. Thread-safe.
class ScriptedProcessRunner final : public sys::ProcessRunner {
 public:
  using Accepts = std::function<bool(const sys::Command&)>;
  using Answer = std::function<Result<sys::ProcessOutcome>(const sys::Command&, const sys::RunOptions&)>;

  ScriptedProcessRunner() = default;
  ScriptedProcessRunner(const ScriptedProcessRunner&) = delete;
  ScriptedProcessRunner& operator=(const ScriptedProcessRunner&) = delete;
  ~ScriptedProcessRunner() override;

  /// Exactly this program with exactly these arguments.
  void expect(std::vector<std::string> argv, sys::ProcessOutcome outcome = {});
  void expect_error(std::vector<std::string> argv, Error error);
  /// `what` is printed when nothing used it.
  void expect_where(std::string what, Accepts accepts, Answer answer);

  Result<sys::ProcessOutcome> run(const sys::Command& command, const sys::RunOptions& options) override;
  std::vector<sys::Command> commands() const;

 private:
  struct Expectation {
    std::string what;
    Accepts accepts;
    Answer answer;
  };
  mutable std::mutex mutex_;
  std::vector<Expectation> expectations_;
  std::vector<sys::Command> commands_;
};

}  // namespace crategate::test
