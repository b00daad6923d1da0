// Seeds, and the same mutations of them on every machine.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "base/strings.h"

namespace crategate::fuzz {

inline std::string seed(const std::string& name) {
  std::ifstream file(concat(CRATEGATE_SOURCE_DIR, "/tests/fuzz/seeds/", name), std::ios::binary);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The same mutations on every machine: no distribution of the standard library is used.
class Mutator {
 public:
  std::string mutate(std::string text) {
    for (std::size_t i = 0, changes = 1 + below(4); i < changes; ++i) change(text);
    return text;
  }

 private:
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }

  void change(std::string& text) {
    static const std::vector<std::string> interesting = {"\"",
                                                         "{",
                                                         "}",
                                                         "[",
                                                         "]",
                                                         ":",
                                                         ",",
                                                         "\\u0000",
                                                         "\\ud800",
                                                         "\xed\xa0\x80",
                                                         "\xff",
                                                         std::string(1, '\0'),
                                                         "\n",
                                                         "\r",
                                                         "\t",
                                                         "{{",
                                                         "}}",
                                                         "{{#",
                                                         "{{/",
                                                         "{{>",
                                                         "{{=",
                                                         "0",
                                                         "-1",
                                                         "1e999",
                                                         "99999999999999999999",
                                                         "null",
                                                         "true",
                                                         "::",
                                                         "##[",
                                                         "\x1b[",
                                                         "&a",
                                                         "*a",
                                                         "!!",
                                                         "<<:",
                                                         "- ",
                                                         "|",
                                                         "../",
                                                         "@",
                                                         "sha256:",
                                                         "\xef\xbb\xbf",
                                                         "\xe2\x80\xa8"};
    const std::size_t at = below(text.size() + 1);
    const std::size_t length = below(std::min<std::size_t>(text.size() - at, 40) + 1);
    switch (below(7)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        break;
      case 1:
        if (at < text.size()) text[at] = static_cast<char>(below(256));
        break;
      case 2:
        text.erase(at, length);
        break;
      case 3:
        text.insert(at, text.substr(at, length));
        break;
      case 4:
        text.insert(at, interesting[below(interesting.size())]);
        break;
      case 5:
        text.replace(at, length, interesting[below(interesting.size())]);
        break;
      default:
        if (below(4) == 0) text.resize(at);
        break;
    }
  }

  std::mt19937 random_{20261120};
};

}  // namespace crategate::fuzz
