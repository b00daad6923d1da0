// The rules of `.gitignore`, with git as the judge of each.
#include "git/ignore_rules.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "base/strings.h"
#include "support/test_directory.h"
#include "sys/process.h"

namespace crategate::git {
namespace {

const std::vector<std::string> kRules = {
    "*.pyc",
    "build/",
    "/top",
    "a/b",
    "**/deep",
    "logs/**",
    "x/**/z",
    "!kept.pyc",
    "# comment\nreal",
    "\\#hash",
    "\\!bang",
    "trailing   \nspace\\ ",
    "crlf\r\nnext\r",
    "[ab].c",
    "[!ab].c",
    "[^a-c].c",
    "[]x].c",
    "[a\\]].c",
    "unclosed[ab",
    "f?o",
    "a*b*c",
    "*",
    "*\n!*/\n!*.md",
    "**",
    "dir/\n!dir/kept",
    "/",
    "!",
    "!only",
    "/a/*",
    "a/",
    "doc/*.txt",
    "\\a\\b",
    "a**c",
    "/**/mid",
    "é?",
    "\xEF\xBB\xBFmarked",
    "*~\n.*.swp\nnode_modules\n",
};

const std::vector<std::string> kPaths = {"a",         "b",           "top",          "sub/top",   "a/b",
                                         "sub/a/b",   "m.pyc",       "sub/kept.pyc", "build/o",   "sub/build/o",
                                         "deep",      "p/q/deep",    "logs/x/y",     "x/z",       "x/1/2/z",
                                         "real",      "#hash",       "!bang",        "trailing",  "space ",
                                         "crlf",      "next",        "a.c",          "d.c",       "].c",
                                         "x.c",       "unclosed[ab", "unclosedab",   "fao",       "f/o",
                                         "aXbYc",     "abc",         "readme.md",    "sub/n.md",  "dir/kept",
                                         "dir/other", "only",        "a/x",          "doc/t.txt", "doc/s/t.txt",
                                         "ab",        "aXc",         "a/c",          "mid",       "p/q/mid",
                                         "éa",        "marked",      "x~",           "s/.a.swp",  "node_modules/m/i.js",
                                         "build",     "a/x/y"};

class IgnoreRulesTest : public ::testing::Test {
 protected:
  IgnoreRulesTest() { git({"init", "-q"}); }
  std::string git(const std::vector<std::string>& arguments, std::string input = {}) {
    sys::Command command{.program = "git",
                         .arguments = {"-C", directory.path().string()},
                         .environment = {{"PATH", "/usr/bin:/bin"}, {"GIT_CONFIG_GLOBAL", "/dev/null"}},
                         .input = std::move(input)};
    command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
    return processes.run(command, {}).value().out;
  }
  /// What git ignores of these files, none of which exists.
  std::vector<std::string> judged(const std::vector<std::string>& paths) {
    std::string input;
    for (const auto& path : paths) input += path + '\0';
    auto found = split(git({"check-ignore", "--no-index", "--stdin", "-z"}, input), '\0');
    found.pop_back();
    return found;
  }
  static std::vector<std::string> ignored(const IgnoreRules& rules, const std::vector<std::string>& paths) {
    std::vector<std::string> found;
    for (const auto& path : paths)
      if (rules.is_ignored(path, false)) found.push_back(path);
    return found;
  }
  test::TestDirectory directory;
  sys::PosixProcessRunner processes;
};

TEST_F(IgnoreRulesTest, AreThoseOfGit) {
  for (const auto& text : kRules) {
    SCOPED_TRACE(quoted(text));
    directory.write(".gitignore", text);
    IgnoreRules rules;
    rules.add("", text);
    EXPECT_EQ(ignored(rules, kPaths), judged(kPaths));
  }
}

TEST_F(IgnoreRulesTest, OfANearerFileCountFirst) {
  const std::string top = "*.log\n/sub/kept\nshut/\n", inner = "!*.log\n/only.txt\nx/y\n", shut = "!*\n";
  directory.write(".gitignore", top);
  directory.write("sub/.gitignore", inner);
  directory.write("shut/.gitignore", shut);
  IgnoreRules rules;
  rules.add("", top);
  rules.add("sub", inner);
  rules.add("shut", shut);
  const std::vector<std::string> paths = {"a.log",  "sub/a.log",     "sub/d/a.log",    "sub/kept", "only.txt",
                                          "x/y",    "sub/only.txt",  "sub/d/only.txt", "sub/x/y",  "sub/d/x/y",
                                          "shut/a", "shut/deep/a.c", "subs/a.log"};
  EXPECT_EQ(ignored(rules, paths), judged(paths));
}

TEST(IgnoreRules, TakeBoundedTimeWhateverTheySay) {
  IgnoreRules rules;
  std::string text;
  for (int i = 0; i < 50; ++i) text += "*a";
  rules.add("", text + "b\n" + replace_all(text, "*a", "**/"));
  EXPECT_FALSE(rules.is_ignored(std::string(4000, 'a'), false));
}

}  // namespace
}  // namespace crategate::git
