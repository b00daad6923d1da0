// A16: files made to hurt. Each is refused, soon and with little memory, and for what it is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <string>

#include "base/strings.h"
#include "config/settings.h"
#include "support/peak_memory.h"

namespace crategate::config {
namespace {

constexpr std::size_t kMemory = 32u << 20;
constexpr double kSeconds = 0.5;  ///< ten times what the row demands; each takes about a millisecond

std::string repeated(std::string_view piece, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += piece;
  return out;
}

/// Nine levels of ten: a billion values when they are expanded, in less than a KiB.
std::string billion() {
  std::string text = "a0: &a0 x\n";
  for (int level = 1; level <= 9; ++level) {
    const std::string below = concat("*a", level - 1);
    text += concat("a", level, ": &a", level, " [", below, repeated(concat(", ", below), 9), "]\n");
  }
  return text;
}

struct Bomb {
  std::string name, text, message;
};

std::vector<Bomb> bombs() {
  return {
      {"A16: aliases of aliases", billion(), "found an anchor (&)"},
      {"A16: aliases without anchors", "image: [" + repeated("*a, ", 200) + "*a]\n", "found an alias (*)"},
      {"A16: an alias to itself", "image: &a [*a]\n", "found an anchor (&)"},
      {"A16: merge keys", "image: x\n<<: {image: y}\n", "\"<<\""},
      {"A16: Python object", "image: !!python/object/apply:os.system [\"touch owned\"]\n", "found the tag"},
      {"A16: Python name", "!!python/name:os.system\n", "found the tag"},
      {"A16: binary", "image: !!binary aWQ=\n", "found the tag"},
      {"A16: tab as indentation", "test:\n\ttimeout: 1m\n", "not YAML"},
      {"A16: duplicate key", "image: a\nimage: b\n", "\"image\" again"},
      {"A16: duplicate key, deep", "image: a\ntest: {timeout: 1m, timeout: 2m}\n", "\"timeout\" again"},
      {"A16: unknown key", "image: a\nimages: b\n", "images"},
      {"A16: 1 KiB of lists", "image: " + repeated("[", 1000), "found a list or mapping"},
      {"A16: 1 KiB of mappings", "image: " + repeated("{a: ", 254), "at most 32 levels"},
      {"A16: 1 KiB of keys", repeated("? ", 512), ""},
      {"A16: 1 KiB of items", repeated("- ", 512), "at most 32 levels"},
      {"A16: 1 KiB of quotes", repeated("\"", 1023), ""},
      {"A16: 1 KiB of open quotes", "image: " + repeated("'\n", 508), ""},
      {"A16: 1 KiB of colons", repeated(":", 1024), ""},
      {"A16: a number of 1 KiB", "shards: " + repeated("9", 1015) + "\n", "shards"},
      {"A16: a text of huge indentation", "image: |999999999\n  x\n", "not YAML"},
  };
}

TEST(HostileConfig, IsRefusedSoonAndWithLittleMemory) {
  for (const Bomb& row : bombs()) {
    ASSERT_LE(row.text.size(), 1024U) << row.name;
    const auto found = load(File{"crategate.yml", row.text}, {});
    ASSERT_FALSE(found) << row.name;
    EXPECT_EQ(exit_code(found.error().code), 2) << row.name;
    EXPECT_THAT(describe(found.error()), testing::HasSubstr(row.message)) << row.name;
    EXPECT_THAT(describe(found.error()), testing::StartsWith("crategate.yml")) << row.name;
    const auto growth = test::peak_growth([&row] {
      const std::clock_t began = std::clock();
      const bool refused = !load(File{"crategate.yml", row.text}, {});
      return refused && static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC < kSeconds;
    });
    ASSERT_TRUE(growth) << row.name << ": not refused, or not soon";
    EXPECT_LT(*growth, kMemory) << row.name;
  }
}

}  // namespace
}  // namespace crategate::config
