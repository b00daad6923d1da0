// Path globs.
#include <gtest/gtest.h>

#include "base/strings.h"

namespace crategate {
namespace {

TEST(Glob, MatchesWholePathsBySegments) {
  const struct {
    std::string_view pattern, path;
    bool matches;
  } rows[] = {
      {"VERSION", "VERSION", true},
      {"VERSION", "docs/VERSION", false},
      {"VERSION", "VERSIONS", false},
      {"src/**", "src/a", true},
      {"src/**", "src/a/b", true},
      {"src/**", "src", false},
      {"src/**", "source/a", false},
      {"src/*", "src/a", true},
      {"src/*", "src/a/b", false},
      {"**/a", "a", true},
      {"**/a", "x/y/a", true},
      {"**/a", "x/ya", false},
      {"a/**/b", "a/b", true},
      {"a/**/b", "a/x/y/b", true},
      {"a/**/b", "a/x/y/c", false},
      {"**", "anything/at/all", true},
      {"**/*.py", "a/b/c.py", true},
      {"**/*.py", "c.py", true},
      {"*.py", "a/c.py", false},
      {"Docker*", "Dockerfile", true},
      {"a?c", "abc", true},
      {"a?c",
       "a\xC3\xBC"
       "c",
       true},
      {"a?c", "a/c", false},
      {"a*b*c", "axxbyyc", true},
      {"a*b*c", "axxbyy", false},
      {"*", "", true},
      {"", "", true},
      {"", "a", false},
      {"a/**/**/b", "a/b", true},
      {"a.b", "axb", false},
      {"[ab]", "a", false},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(glob_matches(row.pattern, row.path), row.matches) << row.pattern << " on " << row.path;
  }
}

TEST(Glob, HostilePatternsEndSoon) {
  std::string pattern, path;
  for (int i = 0; i < 60; ++i) {
    pattern += "**/a*a*a*a*a*b/";
    path += "aaaaaaaaaaaaaaaaaaaaaaaa/";
  }
  EXPECT_FALSE(glob_matches(pattern, path));
}

}  // namespace
}  // namespace crategate
