// What the redactor finds, and what it leaves alone.
#include "base/secret.h"

#include <gmock/gmock.h>

#include <thread>
#include <vector>

#include "base/strings.h"

namespace crategate {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Secret, IsReplacedInEveryFormInWhichItTurnsUp) {  // A80
  const std::string plain = "p\"ss w<rd/\\&42";
  const Secret secret(plain);
  const struct {
    std::string name, text;
  } rows[] = {
      {"plain", plain},
      {"JSON", R"(p\"ss w<rd/\\&42)"},
      {"JSON of Go", R"(p\"ss w\u003crd/\\\u002642)"},
      {"URL", "p%22ss%20w%3Crd%2F%5C%2642"},
      {"URL, lower case", "p%22ss%20w%3crd%2f%5c%2642"},
      {"form", "p%22ss+w%3Crd%2F%5C%2642"},
      {"hex", "702273732077"},
      {"hex, upper case", "7022737320773C72642F5C263432"},
  };
  for (const auto& row : rows) {
    const std::string text = row.name == "hex" ? "7022737320773c72642f5c263432" : row.text;
    EXPECT_EQ(redact(concat("<<", text, ">>")), "<<***>>") << row.name;
  }
}

TEST(Secret, IsFoundInsideLongerBase64) {
  const std::string plain = "tok-3f9a77c1e5";
  const Secret secret(plain);
  for (const std::string_view user : {"", "a", "ab", "abc", "user:"}) {
    for (const std::string_view tail : {"", "x", "yz", "\n"}) {
      const std::string encoded = base64(concat(user, plain, tail));
      const std::string redacted = redact(encoded);
      EXPECT_THAT(redacted, HasSubstr("***")) << user << tail;
      EXPECT_LE(redacted.size(), base64(user).size() + base64(tail).size() + 3 + 4) << redacted;
    }
  }
}

TEST(Secret, OfSeveralLinesIsReplacedLineByLineToo) {
  const Secret key("-----BEGIN KEY-----\r\nQUJDREVGRw\n  c2Vjb25k\n-----END KEY-----\n");
  EXPECT_EQ(redact("x QUJDREVGRw y"), "x *** y");
  EXPECT_EQ(redact("c2Vjb25k"), "***");
}

TEST(Secret, ShorterThanSixCharactersIsNotRegistered) {  // A81
  for (const char* plain : {"", "1", "zq", "zqj", "zqjx", "zqjxk"}) {
    const Secret secret(plain);
    EXPECT_EQ(secret.reveal(), plain);
    EXPECT_EQ(redact("a zqjxk b"), "a zqjxk b") << plain;
  }
  const Secret long_enough("zqjxkw");
  EXPECT_EQ(redact("a zqjxkw b"), "a *** b");
}

TEST(Secret, LongerSecretWinsOverItsOwnPart) {
  const Secret part("hunter22"), whole("hunter22-and-more");
  EXPECT_EQ(redact("hunter22-and-more"), "***");
  EXPECT_EQ(redact("hunter22"), "***");
}

TEST(Secret, StaysRegisteredAfterItsLifeAndLeavesOtherTextAlone) {
  std::make_unique<Secret>("gone-but-not-forgotten").reset();
  EXPECT_EQ(redact("gone-but-not-forgotten"), "***");
  EXPECT_EQ(redact("gone but not forgotten"), "gone but not forgotten");
  EXPECT_EQ(redact(""), "");
}

TEST(Secret, MayBeCreatedWhileOthersRedact) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 20; ++i) {
        const std::string plain = concat("thread-", t, "-secret-", i);
        const Secret secret(plain);
        EXPECT_EQ(redact(plain), "***");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace crategate
