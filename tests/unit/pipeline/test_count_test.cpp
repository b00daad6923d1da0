// How many tests ran, from the closing lines that the runners really print.
#include "pipeline/test_count.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "base/strings.h"

namespace crategate::pipeline {
namespace {

using ::testing::HasSubstr;

/// The count of `output`, which comes in pieces.
Result<std::optional<TestCount>> count_tests(std::string_view output, const std::string& pattern) {
  CG_TRY(TestCounter counter, TestCounter::create(pattern));
  for (; output.size() > 1000; output.remove_prefix(1000)) counter.feed(output.substr(0, 1000));
  counter.feed(output);
  return counter.finish();
}

struct CountCase {
  std::string what, output;
  std::optional<TestCount> expected;
};

void PrintTo(const CountCase& row, std::ostream* out) { *out << row.what; }

class KnownRunners : public ::testing::TestWithParam<CountCase> {};

TEST_P(KnownRunners, AreRead) {
  const auto& row = GetParam();
  for (const std::string& output :
       {row.output, "some output\n" + row.output + "bye\n", replace_all(row.output, "\n", "\r\n")}) {
    const auto count = count_tests(output, "");
    ASSERT_TRUE(count) << describe(count.error());
    ASSERT_EQ(count->has_value(), row.expected.has_value());
    if (!row.expected) continue;
    EXPECT_EQ((*count)->total, row.expected->total);
    EXPECT_EQ((*count)->failed, row.expected->failed);
    EXPECT_EQ((*count)->skipped, row.expected->skipped);
    EXPECT_EQ((*count)->runner, row.expected->runner);
  }
}

TestCount counted(const std::string& runner, std::int64_t total, std::int64_t failed = 0, std::int64_t skipped = 0) {
  return {total, failed, skipped, runner};
}

INSTANTIATE_TEST_SUITE_P(
    Pytest, KnownRunners,
    ::testing::Values(
        CountCase{"passed", "============================== 24 passed in 0.41s ==============================\n",
                  counted("pytest", 24)},
        CountCase{"mixed", "=== 3 failed, 21 passed, 2 skipped, 1 warning in 12.34s ===\n",
                  counted("pytest", 24, 3, 2)},
        CountCase{"quiet", "24 passed in 0.41s\n", counted("pytest", 24)},
        CountCase{"quiet, failed first", "1 failed, 2 passed in 0.41s\n", counted("pytest", 3, 1)},
        CountCase{"long", "===== 1 failed, 9 passed in 75.21s (0:01:15) =====\n", counted("pytest", 10, 1)},
        CountCase{"errors are failures", "=== 2 passed, 3 errors in 0.10s ===\n", counted("pytest", 5, 3)},
        CountCase{"one error", "=== 1 error in 0.10s ===\n", counted("pytest", 1, 1)},
        CountCase{"expected failures ran", "=== 1 passed, 2 xfailed, 3 xpassed in 0.10s ===\n", counted("pytest", 6)},
        CountCase{"only skipped", "=== 4 skipped in 0.01s ===\n", counted("pytest", 0, 0, 4)},
        CountCase{"deselected", "=== 2 passed, 7 deselected in 0.01s ===\n", counted("pytest", 2)},
        CountCase{"only deselected", "=== 7 deselected in 0.01s ===\n", counted("pytest", 0)},
        CountCase{"none", "============ no tests ran in 0.01s ============\n", counted("pytest", 0)},
        CountCase{"twice", "=== 2 passed in 1.00s ===\nagain\n=== 3 passed in 1.00s ===\n", counted("pytest", 5)},
        CountCase{
            "colours",
            "\x1b[32m\x1b[1m======= \x1b[32m\x1b[1m24 passed\x1b[0m\x1b[32m in 0.41s\x1b[0m\x1b[32m =======\x1b[0m\n",
            counted("pytest", 24)},
        CountCase{"colours, failed",
                  "\x1b[31m=== \x1b[31m\x1b[1m1 failed\x1b[0m, \x1b[32m2 passed\x1b[0m\x1b[31m in 0.02s\x1b[0m\x1b[31m "
                  "===\x1b[0m\n",
                  counted("pytest", 3, 1)},
        CountCase{"a test that talks of counts", "note: 5 passed the exam\n", std::nullopt}));

INSTANTIATE_TEST_SUITE_P(
    Unittest, KnownRunners,
    ::testing::Values(
        CountCase{"ok", "----\nRan 24 tests in 0.412s\n\nOK\n", counted("unittest", 24)},
        CountCase{"one", "Ran 1 test in 0.000s\n\nOK\n", counted("unittest", 1)},
        CountCase{"skipped", "Ran 24 tests in 0.412s\n\nOK (skipped=3)\n", counted("unittest", 21, 0, 3)},
        CountCase{"only skipped", "Ran 3 tests in 0.412s\n\nOK (skipped=3)\n", counted("unittest", 0, 0, 3)},
        CountCase{"failures, errors, skipped", "Ran 24 tests in 0.4s\n\nFAILED (failures=1, errors=2, skipped=3)\n",
                  counted("unittest", 21, 3, 3)},
        CountCase{"expected failures", "Ran 4 tests in 0.4s\n\nOK (expected failures=2)\n", counted("unittest", 4)},
        CountCase{"failures beside expected ones", "Ran 9 tests in 0.4s\n\nFAILED (failures=1, expected failures=5)\n",
                  counted("unittest", 9, 1)},
        CountCase{"unexpected success", "Ran 4 tests in 0.4s\n\nFAILED (unexpected successes=1)\n",
                  counted("unittest", 4, 1)},
        CountCase{"none", "Ran 0 tests in 0.000s\n\nOK\n", counted("unittest", 0)},
        CountCase{"none (Python 3.12)", "Ran 0 tests in 0.000s\n\nNO TESTS RAN\n", counted("unittest", 0)}));

INSTANTIATE_TEST_SUITE_P(
    Compiled, KnownRunners,
    ::testing::Values(
        CountCase{"ctest", "100% tests passed, 0 tests failed out of 12\n", counted("ctest", 12)},
        CountCase{"ctest, failed", "83% tests passed, 2 tests failed out of 12\n", counted("ctest", 12, 2)},
        CountCase{"cargo",
                  "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n",
                  counted("cargo test", 5, 0, 1)},
        CountCase{"cargo, several binaries",
                  "test result: FAILED. 4 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n"
                  "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n",
                  counted("cargo test", 7, 1)},
        CountCase{"cargo, none", "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n",
                  counted("cargo test", 0)},
        CountCase{"go test -v",
                  "=== RUN   TestA\n--- PASS: TestA (0.00s)\n=== RUN   TestB\n--- FAIL: TestB (0.00s)\n"
                  "--- SKIP: TestC (0.00s)\nFAIL\n",
                  counted("go test", 2, 1, 1)},
        CountCase{"go test -v, subtests", "--- PASS: TestA (0.00s)\n    --- PASS: TestA/one (0.00s)\n",
                  counted("go test", 2)},
        CountCase{"go test without -v names no number", "ok  \texample.org/app\t0.004s\n", std::nullopt}));

INSTANTIATE_TEST_SUITE_P(
    Script, KnownRunners,
    ::testing::Values(
        CountCase{"jest",
                  "Test Suites: 1 failed, 2 passed, 3 total\n"
                  "Tests:       1 failed, 2 skipped, 5 passed, 8 total\nSnapshots:   0 total\n",
                  counted("jest", 6, 1, 2)},
        CountCase{"jest, todo", "Tests:       1 todo, 5 passed, 6 total\n", counted("jest", 5, 0, 1)},
        CountCase{"jest, only skipped", "Tests:       2 skipped, 2 total\n", counted("jest", 0, 0, 2)},
        CountCase{"jest, colours", "\x1b[1mTests:       \x1b[22m\x1b[1m\x1b[32m5 passed\x1b[39m\x1b[22m, 5 total\n",
                  counted("jest", 5)},
        CountCase{"mocha", "  12 passing (34ms)\n  1 pending\n  2 failing\n", counted("mocha", 14, 2, 1)},
        CountCase{"mocha, none", "  0 passing (1ms)\n", counted("mocha", 0)},
        CountCase{"TAP", "TAP version 13\n1..4\nok 1 - a\nnot ok 2 - b\nok 3 # SKIP no network\nok 4\n",
                  counted("TAP", 3, 1, 1)},
        CountCase{"TAP, an unfinished feature", "1..2\nok 1 a\nnot ok 2 b # TODO later\n", counted("TAP", 2)},
        CountCase{"bats", "1..2\nok 1 adds\nok 2 adds # skip on this machine\n", counted("TAP", 1, 0, 1)},
        CountCase{"TAP, everything skipped", "1..0 # SKIP no tests here\n", std::nullopt}));

INSTANTIATE_TEST_SUITE_P(Nothing, KnownRunners,
                         ::testing::Values(CountCase{"empty", "", std::nullopt},
                                           CountCase{"words", "All good.\n", std::nullopt},
                                           CountCase{"ok without a number", "ok\nnot ok\n", std::nullopt},
                                           CountCase{"a number that does not fit",
                                                     "Ran 99999999999999999999 tests in 1s\n", counted("unittest", 0)},
                                           CountCase{"a closing line knows better than counted lines",
                                                     "--- PASS: TestA (0.00s)\nok 1\n=== 3 passed in 1.00s ===\n",
                                                     counted("pytest", 3)}));

TEST(OwnPattern, SumsItsOneGroupOverAllLines) {
  const auto count = count_tests("checks: 7\nother: 9\nchecks: 5\r\n", "^checks: ([0-9]+)$");
  EXPECT_EQ(**count, (TestCount{12, 0, 0, "test.count"}));
  EXPECT_EQ(count_tests("nothing", "checks: ([0-9]+)").value(), std::nullopt);
  EXPECT_EQ(count_tests("checks: 0", "checks: ([0-9]+)").value()->total, 0);
  EXPECT_EQ(count_tests("checks: many", "checks: ([a-z]+)").value()->total, 0);
  EXPECT_EQ(count_tests("=== 3 passed in 1s ===", "checks: ([0-9]+)").value(), std::nullopt);
}

TEST(OwnPattern, MustBeARegularExpressionWithOneGroup) {
  for (const std::string pattern : {"(", "[", "*", "no group", "(a)(b)", "((a))", "(?<n>a)", R"((a)\1)"}) {
    const auto count = count_tests("a", pattern);
    ASSERT_FALSE(count) << pattern;
    EXPECT_EQ(count.error().code, ErrorCode::bad_input);
    EXPECT_THAT(count.error().message, HasSubstr("test.count"));
    EXPECT_FALSE(count.error().hint.empty());
  }
  EXPECT_TRUE(count_tests("a", "(?:a|b)([0-9]+)"));
}

TEST(HostileOutput, EndsSoonAndInNoCrash) {
  const auto began = std::chrono::steady_clock::now();
  std::vector<std::string> outputs;
  for (const std::string piece : {"1", " ", "=", "1 passed", "1 passed, ", "Tests: ", "not ok 1 ", "\x1b[", "\x1b[1m",
                                  "\r", "FAILED (failures=1, ", "\xff", "--- PASS: "}) {
    std::string line;
    while (line.size() < (64u << 10)) line += piece;
    outputs.push_back(line);
    outputs.push_back(line.substr(0, 1990));
    outputs.push_back(line + " in 1s\n");
    std::string lines;
    while (lines.size() < (64u << 10)) lines += piece + "\n";
    outputs.push_back(lines);
  }
  outputs.push_back(std::string(64u << 10, '\0'));
  for (const auto& output : outputs) {
    EXPECT_TRUE(count_tests(output, ""));
    EXPECT_TRUE(count_tests(output, "([0-9]+) passed"));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
}

TEST(HostileOutput, IsBoundedForEveryPattern) {
  const auto began = std::chrono::steady_clock::now();
  for (const std::string pattern : {"(?:a+)+(b)", "(?:a|a|b)*([0-9]+)x", "(?:(?:a*)*)*([0-9]+)", "(.*.*.*)x"}) {
    std::string output(1u << 20, 'a');
    output += "\n" + std::string(1999, 'a') + "\n";
    EXPECT_EQ(count_tests(output, pattern).value(), std::nullopt) << pattern;
  }
  EXPECT_EQ(count_tests(std::string(1u << 20, 'a') + "\nchecks: 7\n", "^checks: ([0-9]+)$").value()->total, 7);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(60));
}

TEST(KnownRunner, IsCountedOverAllOutput) {
  std::string output;
  for (int i = 1; i <= 20'000; ++i) output += concat("ok ", i, " - a test with a name\n");
  EXPECT_EQ(**count_tests("not ok 1 - early\n" + output, ""), counted("TAP", 20'001, 1));
}

TEST(HostileOutput, DoesNotReadNumbersFromOneEndlessLine) {
  EXPECT_EQ(count_tests(std::string(3000, 'x') + " 5 passed in 1s", "").value(), std::nullopt);
}

}  // namespace
}  // namespace crategate::pipeline
