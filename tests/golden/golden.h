// Golden files: the text that a function is known to give, kept beside the tests.
// CRATEGATE_ACCEPT=1 rewrites the file and reports the test as skipped.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace crategate::golden {

inline std::string path_of(const std::string& name) {
  return std::string(CRATEGATE_SOURCE_DIR) + "/tests/golden/" + name;
}

inline void expect(const std::string& name, const std::string& text) {
  const std::string path = path_of(name);
  const char* accept = std::getenv("CRATEGATE_ACCEPT");
  if (accept != nullptr && std::string(accept) == "1") {
    std::ofstream(path, std::ios::binary) << text;
    FAIL() << "rewrote " << path << "; run again without CRATEGATE_ACCEPT";
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file) << path << " is missing; CRATEGATE_ACCEPT=1 writes it";
  const std::string known{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_EQ(text, known) << path << ": CRATEGATE_ACCEPT=1 accepts the new text";
}

}  // namespace crategate::golden
