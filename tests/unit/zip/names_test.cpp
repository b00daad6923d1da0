// Names alone: what is wrong with one, and which two cannot stand beside each other.
#include "zip/names.h"

#include <gmock/gmock.h>

namespace crategate::zip {
namespace {

TEST(Names, SoundOnesHaveNoFault) {
  for (const std::string name : {"a", "a/b", "a/", "a/b/", ".env", "...", "a..b", "..a", "a b", "-",
                                 "\xC3\xA9t\xC3\xA9", "\xF0\x9F\x93\xA6", "con", "ab:c", "1:", "\xE2\x80\xA8"})
    EXPECT_EQ(fault_of_name(name, 64), std::nullopt) << name;
  EXPECT_EQ(fault_of_name(std::string(255, 'x'), 64), std::nullopt);
}

TEST(Names, DepthIsCountedInComponents) {
  EXPECT_EQ(fault_of_name("a/b/c", 3), std::nullopt);
  EXPECT_EQ(fault_of_name("a/b/c/", 3), std::nullopt);
  EXPECT_TRUE(fault_of_name("a/b/c/d", 3));
}

std::string added(const std::vector<std::string>& names) {
  NameTree tree;
  for (const auto& name : names) {
    if (const auto result = tree.add(name); !result) return result.error().message;
  }
  return "";
}

TEST(NameTree, TakesNamesThatMakeOneTree) {
  EXPECT_EQ(added({"a", "b/c", "b/", "b/d/e", "x/y", "b/f", "c"}), "");
  EXPECT_EQ(added({"a/a/a", "a/b", "a/a/b", "b/a/a"}), "") << "the same component in other folders";
}

TEST(NameTree, SaysWhichNameCannotBeThere) {
  const struct {
    std::vector<std::string> names;
    std::string_view message;
  } rows[] = {{{"a", "a"}, R"(the name "a" is there twice)"},
              {{"d/x", "b", "d/x"}, R"(the name "d/x" is there twice)"},
              {{"d/", "d/"}, R"(the name "d" is there twice)"},
              {{"a/b", "a"}, R"(the name "a" is both a file and a directory)"},
              {{"a", "a/b/c"}, R"(the name "a" is both a file and a directory)"},
              {{"A/b", "a/c"}, R"(the name "a" differs from one with "A" by upper and lower case only)"},
              {{"d/X", "d/x"}, R"(the name "d/x" differs from one with "X" by upper and lower case only)"}};
  for (const auto& row : rows) EXPECT_EQ(added(row.names), row.message);
}

}  // namespace
}  // namespace crategate::zip
