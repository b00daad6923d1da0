// Whole files: each good sample loads, each bad one fails with exactly the recorded words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/strings.h"
#include "config/settings.h"

namespace crategate::config {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<fs::path> samples(std::string_view folder) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(fs::path(CRATEGATE_TEST_DATA) / "config" / folder)) {
    if (entry.path().extension() == ".yml") out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

TEST(ConfigSamples, EveryGoodFileLoads) {
  const auto files = samples("good");
  ASSERT_GE(files.size(), 15U);
  for (const auto& path : files) {
    const auto loaded = load(File{"crategate.yml", read(path)}, {});
    EXPECT_TRUE(loaded.has_value()) << path.filename() << ": " << (loaded ? "" : describe(loaded.error()));
  }
}

TEST(ConfigSamples, EveryBadFileFailsWithTheRecordedWords) {
  const bool accept = std::getenv("CRATEGATE_ACCEPT") != nullptr;
  const auto files = samples("bad");
  ASSERT_GE(files.size(), 100U);
  for (const auto& path : files) {
    const auto loaded = load(File{"crategate.yml", read(path)}, {});
    ASSERT_FALSE(loaded.has_value()) << path.filename() << " loads";
    EXPECT_EQ(loaded.error().code, ErrorCode::bad_input) << path.filename();
    EXPECT_FALSE(loaded.error().hint.empty()) << path.filename() << " does not say what to do";
    const std::string found = concat(describe(loaded.error()), "\n→ ", loaded.error().hint, "\n");
    const fs::path golden = fs::path(path).replace_extension(".out");
    if (accept) std::ofstream(golden, std::ios::binary) << found;
    EXPECT_EQ(read(golden), found) << path.filename();
  }
  if (accept) FAIL() << "rewrote the recorded words; run again without CRATEGATE_ACCEPT";
}

TEST(ConfigSamples, SecretsInTheFileAreRefusedWithoutRepeatingThem) {
  const auto loaded = load(File{"crategate.yml", "password: hunter2-hunter2\n"}, {});
  ASSERT_FALSE(loaded);
  EXPECT_THAT(describe(loaded.error()) + loaded.error().hint, testing::Not(testing::HasSubstr("hunter2")));
}

}  // namespace
}  // namespace crategate::config
