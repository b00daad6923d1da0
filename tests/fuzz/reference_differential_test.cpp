// A92: our references against docker's grammar, written down a second time in Python, over ten thousand of them.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/strings.h"
#include "fuzz/mutator.h"
#include "oci/reference.h"
#include "sys/process.h"

namespace crategate {
namespace {

constexpr std::size_t kReferences = 10'000;
constexpr std::size_t kOfEachVerdictAtLeast = 1'500;

// Hosts, paths, tags and digests that are easily taken for each other; the sound ones in front.
const std::vector<std::string> kHosts = {"",
                                         "docker.io/",
                                         "index.docker.io/",
                                         "registry-1.docker.io/",
                                         "Docker.io/",
                                         "localhost/",
                                         "LOCALHOST/",
                                         "localhost:5000/",
                                         "localhost.:5000/",
                                         "127.0.0.1/",
                                         "[::1]:80/",
                                         "[fe80::1%25e]/",
                                         "h/",
                                         "H/",
                                         "h.io/",
                                         "h_x.io/",
                                         "-h.io/",
                                         "h-.io/",
                                         "xn--80ak6aa92e.com/",
                                         "h.io:/",
                                         "h.io:99999/",
                                         "h..io/"};
const std::vector<std::string> kPaths = {"a",
                                         "library/a",
                                         "library/a/b",
                                         "a/b",
                                         "a__b",
                                         "a___b",
                                         "a.b",
                                         "a..b",
                                         "a-_b",
                                         "a--b",
                                         "localhost",
                                         "A",
                                         "a/B",
                                         "a//b",
                                         "",
                                         "a/",
                                         "docker.io",
                                         concat("d\xD0\xBE", "cker"),
                                         "0",
                                         "a/index.docker.io/b"};
const std::vector<std::string> kEnds = {"",
                                        ":t",
                                        ":T-.x",
                                        ":.t",
                                        ":",
                                        ":t:u",
                                        ":v1+x",
                                        concat(":", std::string(128, 't')),
                                        concat(":", std::string(129, 't')),
                                        concat("@sha256:", std::string(64, 'a')),
                                        concat(":t@sha256:", std::string(64, '0')),
                                        concat("@sha256:", std::string(64, 'A')),
                                        concat("@sha512:", std::string(128, 'f')),
                                        concat("@sha512:", std::string(64, 'f')),
                                        "@sha256:",
                                        "@"};

/// They are put together in all ways.
class Composer {
 public:
  std::string reference() { return concat(one_of(kHosts), one_of(kPaths), one_of(kEnds)); }

 private:
  const std::string& one_of(const std::vector<std::string>& words) {
    // Half of the time one of the sound ones in front.
    const std::size_t from = random_() % 2 == 0 ? 3 : words.size();
    return words[random_() % from];
  }
  std::mt19937 random_{20261121};
};

std::vector<std::string> references() {
  Composer composer;
  fuzz::Mutator mutator;
  std::vector<std::string> all = {std::string(64, 'a'), std::string(63, 'a'), std::string(255, 'a'),
                                  std::string(248, 'a'), concat("h.io/", std::string(256, 'a'))};
  while (all.size() < kReferences) {
    std::string text = all.size() % 20 == 0 ? fuzz::seed("reference.txt") : composer.reference();
    all.push_back(all.size() % 3 == 0 ? mutator.mutate(std::move(text)) : std::move(text));
  }
  return all;
}

std::string judged(const std::string& input) {
  const char* path = std::getenv("PATH");
  const sys::Command command{.program = "python3",
                             .arguments = {concat(CRATEGATE_SOURCE_DIR, "/tests/fuzz/reference_verdicts.py")},
                             .environment = {{"PATH", path == nullptr ? "/usr/bin:/bin" : path}},
                             .input = input};
  const auto outcome = sys::PosixProcessRunner().run(command, {.timeout = std::chrono::seconds(50)});
  EXPECT_TRUE(outcome) << "python3, which tools/lint needs as well, does not start";
  if (!outcome) return {};
  EXPECT_EQ(outcome->exit_code, 0) << outcome->err;
  return outcome->out;
}

TEST(ReferencesAndDockersGrammar, AgreeOnTenThousandTexts) {
  const std::vector<std::string> all = references();
  std::string input;
  for (const std::string& text : all) input += concat(text.size(), "\n", text);
  const auto verdicts = split(trim(judged(input)), '\n');
  ASSERT_EQ(verdicts.size(), all.size());
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto ours = oci::parse_reference(all[i]);
    accepted += ours ? 1 : 0;
    EXPECT_EQ(ours ? ours->full() : "-", verdicts[i]) << "A92: " << quoted(all[i], 600);
  }
  EXPECT_GE(accepted, kOfEachVerdictAtLeast);
  EXPECT_GE(all.size() - accepted, kOfEachVerdictAtLeast);
}

}  // namespace
}  // namespace crategate
