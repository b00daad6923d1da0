// Real bare repositories as remotes, and a runner that remembers what it started.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "base/strings.h"
#include "git/ref_store.h"
#include "support/fakes.h"
#include "support/test_directory.h"

namespace crategate::test {

/// Starts everything, and keeps the commands.
class RecordingProcessRunner final : public sys::ProcessRunner {
 public:
  Result<sys::ProcessOutcome> run(const sys::Command& command, const sys::RunOptions& options) override {
    {
      const std::lock_guard lock(mutex_);
      commands.push_back(command);
    }
    return processes_.run(command, options);
  }
  /// All arguments of all commands, and what was typed into them.
  std::string arguments() const {
    std::string text;
    for (const auto& command : commands) text += concat(command.program, " ", join(command.arguments, " "), "\n");
    return text;
  }
  /// The values of all variables of all commands.
  std::string variables() const {
    std::string text;
    for (const auto& command : commands)
      for (const auto& [name, value] : command.environment) text += concat(name, "=", value, "\n");
    return text;
  }
  std::vector<sys::Command> commands;

 private:
  std::mutex mutex_;
  sys::PosixProcessRunner processes_;
};

class GitRemote {
 public:
  GitRemote() { git({"init", "-q", "--bare", path().string()}); }
  sys::Path path() const { return directory_ / "remote.git"; }
  sys::Path checkout() const { return directory_ / "checkout"; }
  const TestDirectory& directory() const { return directory_; }
  /// Runs git as a person would.
  std::string git(std::vector<std::string> arguments) const {
    sys::PosixProcessRunner processes;
    const sys::Command command{
        .program = "git",
        .arguments = std::move(arguments),
        .environment = {{"PATH", "/usr/bin:/bin"}, {"GIT_CONFIG_GLOBAL", "/dev/null"}, {"GIT_CONFIG_NOSYSTEM", "1"}}};
    const auto outcome = processes.run(command, {}).value();
    EXPECT_EQ(outcome.exit_code, 0) << command.text() << "\n" << outcome.err;
    return std::string(trim(outcome.out));
  }
  std::string in_remote(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"-C", path().string()});
    return git(std::move(arguments));
  }
  std::string in_checkout(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"-C", checkout().string()});
    return git(std::move(arguments));
  }
  /// A checkout whose `origin` is that address.
  void check_out(const std::string& origin) const {
    git({"init", "-q", checkout().string()});
    in_checkout({"remote", "add", "origin", origin});
  }
  void hook(const sys::Path& file, const std::string& script) const {
    directory_.write(file, concat("#!/bin/sh\n", script));
    std::filesystem::permissions(directory_ / file, std::filesystem::perms(0755));
  }

 private:
  TestDirectory directory_;
};

/// What a job's process has; no configuration of a person.
inline FakeEnvironment job_environment() {
  return FakeEnvironment({{"PATH", "/usr/bin:/bin"}, {"HOME", "/nonexistent"}, {"GITHUB_ACTIONS", "true"}});
}

}  // namespace crategate::test
