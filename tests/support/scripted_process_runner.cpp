// Matching commands with expectations.
#include "support/scripted_process_runner.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace crategate::test {
namespace {

std::vector<std::string> argv_of(const sys::Command& command) {
  std::vector<std::string> argv{command.program};
  argv.insert(argv.end(), command.arguments.begin(), command.arguments.end());
  return argv;
}

std::string text_of(const std::vector<std::string>& argv) {
  return sys::Command{.program = argv.front(), .arguments = {argv.begin() + 1, argv.end()}}.text();
}

ScriptedProcessRunner::Accepts exactly(std::vector<std::string> argv) {
  return [argv = std::move(argv)](const sys::Command& command) { return argv_of(command) == argv; };
}

}  // namespace

ScriptedProcessRunner::~ScriptedProcessRunner() {
  for (const Expectation& left : expectations_)
    ADD_FAILURE() << "this command was expected and never run: " << left.what;
}

void ScriptedProcessRunner::expect(std::vector<std::string> argv, sys::ProcessOutcome outcome) {
  const std::string what = text_of(argv);
  expect_where(what, exactly(std::move(argv)), [outcome](const auto&, const auto&) { return outcome; });
}

void ScriptedProcessRunner::expect_error(std::vector<std::string> argv, Error error) {
  const std::string what = text_of(argv);
  expect_where(what, exactly(std::move(argv)),
               [error](const auto&, const auto&) -> Result<sys::ProcessOutcome> { return fail(error); });
}

void ScriptedProcessRunner::expect_where(std::string what, Accepts accepts, Answer answer) {
  const std::scoped_lock lock(mutex_);
  expectations_.push_back({std::move(what), std::move(accepts), std::move(answer)});
}

Result<sys::ProcessOutcome> ScriptedProcessRunner::run(const sys::Command& command, const sys::RunOptions& options) {
  Answer answer;
  {
    const std::scoped_lock lock(mutex_);
    commands_.push_back(command);
    const auto found = std::find_if(expectations_.begin(), expectations_.end(),
                                    [&command](const Expectation& expected) { return expected.accepts(command); });
    if (found == expectations_.end()) {
      ADD_FAILURE() << "nobody expected this command: " << command.text();
      return fail(ErrorCode::internal, "unexpected command in a test: " + command.text());
    }
    answer = std::move(found->answer);
    expectations_.erase(found);
  }
  auto outcome = answer(command, options);
  if (outcome && options.on_output) {
    if (!outcome->out.empty()) options.on_output(sys::Stream::out, outcome->out);
    if (!outcome->err.empty()) options.on_output(sys::Stream::err, outcome->err);
  }
  return outcome;
}

std::vector<sys::Command> ScriptedProcessRunner::commands() const {
  const std::scoped_lock lock(mutex_);
  return commands_;
}

}  // namespace crategate::test
