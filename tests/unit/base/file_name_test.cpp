// Which names are one on some file system.
#include "base/file_name.h"

#include <gmock/gmock.h>

namespace crategate {
namespace {

TEST(FileName, CaseIsFoldedAsFileSystemsDoIt) {
  EXPECT_EQ(fold_case("ReadMe.TXT"), "readme.txt");
  EXPECT_EQ(fold_case("\xC3\x89\xC3\xA9\xC3\x97"), "\xC3\xA9\xC3\xA9\xC3\x97") << "the times sign is no letter";
  EXPECT_EQ(fold_case("\xCE\xA9\xD0\x96\xD0\x81"), "\xCF\x89\xD0\xB6\xD1\x91");
  EXPECT_EQ(fold_case("\xC4\x8C\xC5\xBD"), "\xC4\x8D\xC5\xBE");
  EXPECT_EQ(fold_case("\xFF"
                      "A"),
            "\xFF"
            "a");
}

TEST(FileName, SpellingsOfOneNameFoldToIt) {
  const struct {
    std::string name, folded;
  } rows[] = {{".GitHub", ".github"},
              {".git\xE2\x80\x8Chub", ".github"},
              {"\xEF\xBB\xBF.github", ".github"},
              {".github.", ".github"},
              {".github . .", ".github"},
              {".github:x", ".github"},
              {".github::$INDEX_ALLOCATION", ".github"},
              {".g\xC4\xB1thub", ".github"},                // dotless i
              {".gitattribute\xC5\xBF", ".gitattributes"},  // long s
              {"\xE2\x84\xAA", "k"},                        // Kelvin
              {"\xEF\xBC\xA7\xEF\xBD\x89t", "git"},         // full width
              {"E\xCC\x81t\xC3\x89", "\xC3\xA9t\xC3\xA9"},  // composed and apart
              {"a\xCC\xB1", "a\xCC\xB1"},                   // no letter of its own
              {"\xFF", "\xFF"},
              {":", ":"},
              {"...", "..."},
              {"..", ".."},
              {" a", " a"},
              {"", ""}};
  for (const auto& row : rows) EXPECT_EQ(folded_component(row.name), row.folded) << row.name;
}

TEST(FileName, OthersStayApart) {
  for (const std::string name : {".github2", "github", ".gitx", "x.github", ".git hub", "\xC3\xA9", "e"})
    EXPECT_NE(folded_component(name), ".github") << name;
  EXPECT_NE(folded_component("\xC3\xA9"), folded_component("e"));
}

}  // namespace
}  // namespace crategate
