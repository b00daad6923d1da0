#include "pipeline/test_count.h"

#include <algorithm>
#include <array>
#include <regex>
#include <vector>

#include "base/strings.h"

namespace crategate::pipeline {
namespace {

constexpr std::size_t kLineLimit = 2000;  // std::regex recurses by length; closing lines are short

std::int64_t number(const std::string& digits) {
  const auto value = parse_unsigned(digits);
  return value && *value < 1'000'000'000 ? static_cast<std::int64_t>(*value) : 0;
}

std::int64_t find_number(const std::string& line, const std::string& pattern) {
  std::smatch match;
  return std::regex_search(line, match, std::regex(pattern)) ? number(match[1]) : 0;
}

/// Colours stand between the words that are looked for (FORCE_COLOR, --color=yes).
std::string without_colours(const std::string& line) {
  std::string plain;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line.compare(i, 2, "\x1b[") != 0) {
      plain += line[i];
      continue;
    }
    i = line.find_first_not_of("0123456789;", i + 2);  // the letter that ends the sequence
    if (i == std::string::npos) break;
  }
  return plain;
}

/// "=== 3 failed, 21 passed, 2 skipped in 0.41s ===", also without the bars (-q).
std::optional<TestCount> pytest(const std::string& line) {
  static const std::regex closing(
      R"((^|[ =])\d+ (passed|failed|errors?|skipped|xfailed|xpassed|deselected)\b.* in [0-9.]+s)");
  if (!std::regex_search(line, closing)) {
    if (line.find("no tests ran in ") != std::string::npos) return TestCount{0, 0, 0, "pytest"};
    return std::nullopt;
  }
  const auto failed = find_number(line, R"((\d+) failed)") + find_number(line, R"((\d+) errors?\b)");
  const auto passed = find_number(line, R"((\d+) passed)");
  const auto expected = find_number(line, R"((\d+) xfailed)") + find_number(line, R"((\d+) xpassed)");
  return TestCount{passed + failed + expected, failed, find_number(line, R"((\d+) skipped)"), "pytest"};
}

std::optional<TestCount> unittest(const std::string& line) {
  static const std::regex ran(R"(^Ran (\d+) tests? in )");
  std::smatch match;
  if (!std::regex_search(line, match, ran)) return std::nullopt;
  return TestCount{number(match[1]), 0, 0, "unittest"};
}

/// "FAILED (failures=1, errors=2, skipped=3)" or "OK (skipped=3)", below the "Ran" line, which counts skipped ones, too.
std::optional<TestCount> unittest_verdict(const std::string& line) {
  static const std::regex verdict(
      R"(^(FAILED|OK) \(((failures|errors|skipped|expected failures|unexpected successes)=\d+(, )?)+\)$)");
  if (!std::regex_search(line, verdict)) return std::nullopt;
  const auto failed = find_number(line, R"([(]failures=(\d+))") + find_number(line, R"(errors=(\d+))") +
                      find_number(line, R"(unexpected successes=(\d+))");
  const auto skipped = find_number(line, R"(skipped=(\d+))");
  return TestCount{-skipped, failed, skipped, "unittest"};
}

std::optional<TestCount> ctest(const std::string& line) {
  static const std::regex closing(R"(^\d+% tests passed, (\d+) tests failed out of (\d+))");
  std::smatch match;
  if (!std::regex_search(line, match, closing)) return std::nullopt;
  return TestCount{number(match[2]), number(match[1]), 0, "ctest"};
}

std::optional<TestCount> cargo(const std::string& line) {
  static const std::regex closing(R"(^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored)");
  std::smatch match;
  if (!std::regex_search(line, match, closing)) return std::nullopt;
  return TestCount{number(match[1]) + number(match[2]), number(match[2]), number(match[3]), "cargo test"};
}

std::optional<TestCount> jest(const std::string& line) {
  static const std::regex closing(R"(^\s*Tests:\s.*?(\d+) total)");
  std::smatch match;
  if (!std::regex_search(line, match, closing)) return std::nullopt;
  const auto skipped = find_number(line, R"((\d+) skipped)") + find_number(line, R"((\d+) todo)");
  return TestCount{std::max<std::int64_t>(0, number(match[1]) - skipped), find_number(line, R"((\d+) failed)"), skipped,
                   "jest"};
}

/// One line per test or suite: these are counted, not read.
std::optional<TestCount> single(const std::string& line) {
  static const std::regex go(R"(^\s*--- (PASS|FAIL|SKIP): )");
  static const std::regex tap(R"(^(not )?ok \d+\b(?:.*# (?:([Ss][Kk][Ii][Pp])|([Tt][Oo][Dd][Oo])))?)");
  static const std::regex mocha(R"(^\s+(\d+) (passing|failing|pending)\b)");
  std::smatch match;
  if (std::regex_search(line, match, go)) {
    return TestCount{match[1] == "SKIP" ? 0 : 1, match[1] == "FAIL" ? 1 : 0, match[1] == "SKIP" ? 1 : 0, "go test"};
  }
  if (std::regex_search(line, match, tap)) {
    const bool skipped = match[2].matched;
    const bool failed = match[1].matched && !match[3].matched;  // what is to do may fail
    return TestCount{skipped ? 0 : 1, failed ? 1 : 0, skipped ? 1 : 0, "TAP"};
  }
  if (std::regex_search(line, match, mocha)) {
    const auto count = number(match[1]);
    const bool skipped = match[2] == "pending";
    return TestCount{skipped ? 0 : count, match[2] == "failing" ? count : 0, skipped ? count : 0, "mocha"};
  }
  return std::nullopt;
}

void add(std::optional<TestCount>& sum, const TestCount& found) {
  if (!sum) sum = TestCount{0, 0, 0, found.runner};
  sum->total = std::max<std::int64_t>(0, sum->total + found.total);
  sum->failed += found.failed;
  sum->skipped += found.skipped;
}

std::optional<TestCount> known_runners(const std::vector<std::string>& lines) {
  std::optional<TestCount> summary, counted;
  for (const auto& line : lines) {
    if (line.size() > kLineLimit) continue;
    constexpr std::array closing = {cargo, pytest, unittest, unittest_verdict,
                                    ctest, jest};  // cargo says "in 0.00s", too
    for (const auto& reader : closing) {
      if (const auto found = reader(line)) {
        add(summary, *found);
        break;
      }
    }
    if (const auto found = single(line)) add(counted, *found);
  }
  return summary ? summary : counted;  // a closing line knows better than a count of lines
}

}  // namespace

Result<std::optional<TestCount>> count_tests(std::string_view output, const std::string& pattern) {
  std::vector<std::string> lines = split(output, '\n');
  for (auto& line : lines) {
    line = without_colours(line);
    if (line.ends_with('\r')) line.pop_back();
  }
  if (pattern.empty()) return known_runners(lines);
  try {
    const std::regex expression(pattern);
    if (expression.mark_count() != 1) {
      return fail(ErrorCode::bad_input,
                  concat("test.count: expected a regular expression with one group, found ", expression.mark_count(),
                         " groups in ", quote(pattern)),
                  "Put the number of tests in parentheses, e.g. `Ran ([0-9]+) tests`.");
    }
    std::optional<TestCount> sum;
    for (const auto& line : lines) {
      std::smatch match;
      if (line.size() <= kLineLimit && std::regex_search(line, match, expression)) {
        add(sum, {number(match[1]), 0, 0, "test.count"});
      }
    }
    return sum;
  } catch (const std::regex_error& error) {
    return fail(ErrorCode::bad_input,
                concat("test.count: expected a regular expression, found ", quote(pattern), ": ", error.what()),
                "Write an ECMAScript regular expression with one group, e.g. `Ran ([0-9]+) tests`.");
  }
}

}  // namespace crategate::pipeline
