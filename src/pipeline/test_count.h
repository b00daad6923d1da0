// How many tests a test command ran, read from its output.
#pragma once

#include <cstdint>
#include <optional>
#include <regex>
#include <string>
#include <string_view>

#include "base/result.h"

namespace crategate::pipeline {

struct TestCount {
  std::int64_t total = 0, failed = 0, skipped = 0;
  std::string runner;  ///< who printed it: `pytest`, `unittest`, …
  bool operator==(const TestCount&) const = default;
};

/// Reads a test command's output as it comes and keeps one line at most. Lines that are very long name no number: what
/// a runner prints at its end is short.
class TestCounter {
 public:
  /// `pattern` (setting test.count): empty = the closing lines of known runners (pytest, unittest, go test, cargo test,
  /// ctest, jest, mocha, TAP, bats); else a regular expression (ECMAScript, without back-references) whose one group is
  /// the number of tests run, summed over its matches.
  /// Errors: bad_input for a pattern that is no such expression or has not exactly one group.
  static Result<TestCounter> create(const std::string& pattern);
  void feed(std::string_view bytes);
  /// Ends the last line. nullopt = the output names no number.
  std::optional<TestCount> finish();

 private:
  TestCounter() = default;
  void take_line();
  std::optional<std::regex> own_;
  std::string line_;
  std::optional<TestCount> summary_, counted_;
};

}  // namespace crategate::pipeline
