// A02: our JSON against Python's, over ten thousand documents. What both take is the same value; what stands twice in
// an object is refused by us, where json.loads takes the last; nothing else is told apart.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "base/strings.h"
#include "fuzz/mutator.h"
#include "json/value.h"
#include "sys/process.h"

namespace crategate {
namespace {

constexpr std::size_t kDocuments = 10'000;
constexpr std::size_t kOfEachVerdictAtLeast = 1'000;

/// Sound documents of few keys, some of them written in another way, so that many stand twice.
class Writer {
 public:
  std::string document() { return value(4); }

 private:
  std::size_t below(std::size_t limit) { return random_() % limit; }

  std::string value(std::size_t depth) {
    static const std::vector<std::string> scalars = {"0",
                                                     "-0",
                                                     "7",
                                                     "1.50",
                                                     "5e-324",
                                                     "-2e3",
                                                     "123456789012345678901234567890",
                                                     "18446744073709551615",
                                                     "18446744073709551615999",
                                                     "true",
                                                     "false",
                                                     "null",
                                                     R"("")",
                                                     R"("refs/tags/v9.9.9")",
                                                     R"("\ud83d\ude00\n")",
                                                     R"("\u0000")",
                                                     "\"\xC3\xA9\"",
                                                     "NaN",
                                                     "1e400",
                                                     "1e-400",
                                                     R"("\ud800")"};
    const std::size_t sound = scalars.size() - (below(200) == 0 ? 0 : 4);
    const std::size_t kind = depth == 0 ? 9 : below(10);
    if (kind < 6) return list('{', '}', [this, depth] { return concat(key(), space(), ":", value(depth - 1)); });
    if (kind < 8) return list('[', ']', [this, depth] { return value(depth - 1); });
    return scalars[below(sound)];
  }

  template <class Item>
  std::string list(char open, char close, const Item& item) {
    std::string text(1, open);
    for (std::size_t i = 0, count = below(6); i < count; ++i) text += concat(i == 0 ? "" : ",", space(), item());
    return text + close;
  }

  std::string key() {
    static const std::vector<std::string> keys = {R"("ref")",    R"("r\u0065f")",    R"("Ref")", R"("pull_request")",
                                                  R"("number")", R"("\u006eumber")", R"("")",    "\"\xC3\xA9\"",
                                                  R"("\u00e9")", R"("a")",           R"("b")",   R"("c\"")"};
    return keys[below(keys.size())];
  }

  std::string space() {
    static const std::vector<std::string> spaces = {"", "", " ", "\n", "\t\r\n"};
    return spaces[below(spaces.size())];
  }

  std::mt19937 random_{20261121};
};

std::vector<std::string> documents() {
  Writer writer;
  fuzz::Mutator mutator;
  const std::string seeds[] = {fuzz::seed("values.json"), fuzz::seed("event.json")};
  std::vector<std::string> all = {R"({"ref":"a","ref":"refs/tags/v9.9.9"})"};
  while (all.size() < kDocuments) {
    const bool written = all.size() % 4 != 0;
    std::string text = written ? writer.document() : seeds[all.size() / 4 % 2];
    all.push_back(all.size() % 4 > 1 ? text : mutator.mutate(std::move(text)));
  }
  return all;
}

std::string python(const std::string& input) {
  const char* path = std::getenv("PATH");
  const sys::Command command{.program = "python3",
                             .arguments = {concat(CRATEGATE_SOURCE_DIR, "/tests/fuzz/json_verdicts.py")},
                             .environment = {{"PATH", path == nullptr ? "/usr/bin:/bin" : path}},
                             .input = input};
  const auto outcome = sys::PosixProcessRunner().run(command, {.timeout = std::chrono::seconds(50)});
  EXPECT_TRUE(outcome) << "python3, which tools/lint needs as well, does not start";
  if (!outcome) return {};
  EXPECT_EQ(outcome->exit_code, 0) << outcome->err;
  return outcome->out;
}

TEST(JsonAndPython, AgreeOnTenThousandDocumentsExceptThatNoKeyMayStandTwice) {
  const std::vector<std::string> all = documents();
  std::string input;
  std::vector<std::string> refusals;
  for (const auto& text : all) {
    const auto parsed = json::Document::parse(text, "doc.json");
    const std::string canonical = parsed ? parsed->root().dump() : "";
    input += concat(text.size(), " ", canonical.size(), "\n", text, canonical);
    refusals.push_back(parsed ? "" : parsed.error().message);
  }
  const auto verdicts = split(trim(python(input)), '\n');
  ASSERT_EQ(verdicts.size(), all.size());
  std::map<std::string, std::size_t> counts;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string verdict(verdicts[i]);
    ++counts[verdict];
    const bool twice = refusals[i].find(": duplicate key ") != std::string::npos;
    const bool agreed = refusals[i].empty()      ? verdict == "sound, the same"
                        : verdict == "duplicate" ? twice
                                                 : verdict == "invalid";
    EXPECT_TRUE(agreed) << "A02: Python says " << verdict << ", we say " << quoted(refusals[i], 200) << " of "
                        << quoted(all[i], 2000);
  }
  EXPECT_EQ(verdicts.front(), "duplicate");
  EXPECT_EQ(counts.size(), 3U);
  for (const auto& [verdict, count] : counts) EXPECT_GE(count, kOfEachVerdictAtLeast) << verdict;
}

}  // namespace
}  // namespace crategate
