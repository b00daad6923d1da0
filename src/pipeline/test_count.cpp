#include "pipeline/test_count.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"

namespace crategate::pipeline {
namespace {

constexpr std::size_t kLineLimit = 2000;      // std::regex recurses by length; closing lines are short
constexpr std::size_t kRawLimit = 64u << 10;  // with the colours that are taken out before

std::int64_t number(const std::string& digits) {
  const auto value = parse_unsigned(digits);
  return value && *value < 1'000'000'000 ? static_cast<std::int64_t>(*value) : 0;
}

// Every reader looks for a word before it searches by expression: most lines are none of theirs.
bool mentions(const std::string& line, std::string_view text) { return line.find(text) != std::string::npos; }

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
  if (!mentions(line, " in ")) return std::nullopt;
  static const std::regex closing(
      R"((^|[ =])\d+ (passed|failed|errors?|skipped|xfailed|xpassed|deselected)\b.* in [0-9.]+s)");
  if (!std::regex_search(line, closing)) {
    if (mentions(line, "no tests ran in ")) return TestCount{0, 0, 0, "pytest"};
    return std::nullopt;
  }
  const auto failed = find_number(line, R"((\d+) failed)") + find_number(line, R"((\d+) errors?\b)");
  const auto passed = find_number(line, R"((\d+) passed)");
  const auto expected = find_number(line, R"((\d+) xfailed)") + find_number(line, R"((\d+) xpassed)");
  return TestCount{passed + failed + expected, failed, find_number(line, R"((\d+) skipped)"), "pytest"};
}

std::optional<TestCount> unittest(const std::string& line) {
  if (!line.starts_with("Ran ")) return std::nullopt;
  static const std::regex ran(R"(^Ran (\d+) tests? in )");
  std::smatch match;
  if (!std::regex_search(line, match, ran)) return std::nullopt;
  return TestCount{number(match[1]), 0, 0, "unittest"};
}

/// "FAILED (failures=1, errors=2, skipped=3)" or "OK (skipped=3)", below the "Ran" line, which counts skipped ones, too.
std::optional<TestCount> unittest_verdict(const std::string& line) {
  if (!line.starts_with("OK (") && !line.starts_with("FAILED (")) return std::nullopt;
  static const std::regex verdict(
      R"(^(FAILED|OK) \(((failures|errors|skipped|expected failures|unexpected successes)=\d+(, )?)+\)$)");
  if (!std::regex_search(line, verdict)) return std::nullopt;
  const auto failed = find_number(line, R"([(]failures=(\d+))") + find_number(line, R"(errors=(\d+))") +
                      find_number(line, R"(unexpected successes=(\d+))");
  const auto skipped = find_number(line, R"(skipped=(\d+))");
  return TestCount{-skipped, failed, skipped, "unittest"};
}

std::optional<TestCount> ctest(const std::string& line) {
  if (!mentions(line, "% tests passed, ")) return std::nullopt;
  static const std::regex closing(R"(^\d+% tests passed, (\d+) tests failed out of (\d+))");
  std::smatch match;
  if (!std::regex_search(line, match, closing)) return std::nullopt;
  return TestCount{number(match[2]), number(match[1]), 0, "ctest"};
}

std::optional<TestCount> cargo(const std::string& line) {
  if (!line.starts_with("test result: ")) return std::nullopt;
  static const std::regex closing(R"(^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored)");
  std::smatch match;
  if (!std::regex_search(line, match, closing)) return std::nullopt;
  return TestCount{number(match[1]) + number(match[2]), number(match[2]), number(match[3]), "cargo test"};
}

std::optional<TestCount> jest(const std::string& line) {
  if (!mentions(line, "Tests:")) return std::nullopt;
  static const std::regex closing(R"(^\s*Tests:\s.*?(\d+) total)");
  std::smatch match;
  if (!std::regex_search(line, match, closing)) return std::nullopt;
  const auto skipped = find_number(line, R"((\d+) skipped)") + find_number(line, R"((\d+) todo)");
  return TestCount{std::max<std::int64_t>(0, number(match[1]) - skipped), find_number(line, R"((\d+) failed)"), skipped,
                   "jest"};
}

/// "    --- PASS: TestA (0.00s)"
std::optional<TestCount> go_test(const std::string& line) {
  if (!mentions(line, "--- ")) return std::nullopt;
  static const std::regex verdict(R"(^\s*--- (PASS|FAIL|SKIP): )");
  std::smatch match;
  if (!std::regex_search(line, match, verdict)) return std::nullopt;
  return TestCount{match[1] == "SKIP" ? 0 : 1, match[1] == "FAIL" ? 1 : 0, match[1] == "SKIP" ? 1 : 0, "go test"};
}

/// "not ok 2 - b", "ok 3 # SKIP no network"
std::optional<TestCount> tap(const std::string& line) {
  if (!line.starts_with("ok ") && !line.starts_with("not ok ")) return std::nullopt;
  static const std::regex verdict(R"(^(not )?ok \d+\b(?:.*# (?:([Ss][Kk][Ii][Pp])|([Tt][Oo][Dd][Oo])))?)");
  std::smatch match;
  if (!std::regex_search(line, match, verdict)) return std::nullopt;
  const bool skipped = match[2].matched;
  const bool failed = match[1].matched && !match[3].matched;  // what is to do may fail
  return TestCount{skipped ? 0 : 1, failed ? 1 : 0, skipped ? 1 : 0, "TAP"};
}

/// "  12 passing (34ms)"
std::optional<TestCount> mocha(const std::string& line) {
  if (!mentions(line, " passing") && !mentions(line, " failing") && !mentions(line, " pending")) return std::nullopt;
  static const std::regex closing(R"(^\s+(\d+) (passing|failing|pending)\b)");
  std::smatch match;
  if (!std::regex_search(line, match, closing)) return std::nullopt;
  const auto count = number(match[1]);
  const bool skipped = match[2] == "pending";
  return TestCount{skipped ? 0 : count, match[2] == "failing" ? count : 0, skipped ? count : 0, "mocha"};
}

/// One line per test or suite: these are counted, not read.
std::optional<TestCount> single(const std::string& line) {
  for (const auto& reader : {go_test, tap, mocha}) {
    if (auto found = reader(line)) return found;
  }
  return std::nullopt;
}

void add(std::optional<TestCount>& sum, const TestCount& found) {
  if (!sum) sum = TestCount{0, 0, 0, found.runner};
  sum->total = std::max<std::int64_t>(0, sum->total + found.total);
  sum->failed += found.failed;
  sum->skipped += found.skipped;
}

/// A closing line of any known runner.
std::optional<TestCount> closing_line(const std::string& line) {
  // cargo says "in 0.00s", too
  for (const auto& reader : {cargo, pytest, unittest, unittest_verdict, ctest, jest}) {
    if (auto found = reader(line)) return found;
  }
  return std::nullopt;
}

}  // namespace

Result<TestCounter> TestCounter::create(const std::string& pattern) {
  TestCounter counter;
  if (pattern.empty()) return counter;
  try {
    // The matcher that never backtracks: its time grows with the line, whatever the expression is.
    counter.own_.emplace(pattern, std::regex_constants::ECMAScript | std::regex_constants::__polynomial);
  } catch (const std::regex_error& error) {
    return fail(
        ErrorCode::bad_input,
        concat("test.count: expected a regular expression, found ", quote(pattern), ": ", error.what()),
        "Write an ECMAScript regular expression with one group and no back-reference, e.g. `Ran ([0-9]+) tests`.");
  }
  if (counter.own_->mark_count() == 1) return counter;
  return fail(ErrorCode::bad_input,
              concat("test.count: expected a regular expression with one group, found ", counter.own_->mark_count(),
                     " groups in ", quote(pattern)),
              "Put the number of tests in parentheses, e.g. `Ran ([0-9]+) tests`.");
}

void TestCounter::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    line_ += bytes.substr(0, std::min(end, kRawLimit - line_.size()));
    if (end == bytes.size()) return;
    take_line();
    bytes.remove_prefix(end + 1);
  }
}

void TestCounter::take_line() {
  std::string line = without_colours(std::exchange(line_, {}));
  if (line.ends_with('\r')) line.pop_back();
  if (line.size() > kLineLimit) return;
  if (own_) {
    std::smatch match;
    if (std::regex_search(line, match, *own_)) add(counted_, {number(match[1]), 0, 0, "test.count"});
    return;
  }
  if (const auto found = closing_line(line)) add(summary_, *found);
  if (const auto found = single(line)) add(counted_, *found);
}

std::optional<TestCount> TestCounter::finish() {
  take_line();
  return summary_ ? summary_ : counted_;  // a closing line knows better than a count of lines
}

}  // namespace crategate::pipeline
