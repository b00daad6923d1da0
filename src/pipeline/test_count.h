// How many tests a test command ran, read from its output.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace crategate::pipeline {

struct TestCount {
  std::int64_t total = 0, failed = 0, skipped = 0;
  std::string runner;  ///< who printed it: `pytest`, `unittest`, …
  bool operator==(const TestCount&) const = default;
};

/// `pattern` (setting test.count): empty = the closing lines of known runners (pytest, unittest, go test, cargo test,
/// ctest, jest, mocha, TAP, bats); else a regular expression (ECMAScript) whose one group is the number of tests run,
/// summed over its matches. nullopt = the output names no number.
/// Errors: bad_input for a pattern that is no regular expression or has not exactly one group.
Result<std::optional<TestCount>> count_tests(std::string_view output, const std::string& pattern);

}  // namespace crategate::pipeline
