// Files, folders, globs and links of a small tree.
#include "zip/selection.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "base/strings.h"
#include "support/test_directory.h"

namespace crategate::zip {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> names_of(const Selection& selection) {
  std::vector<std::string> names;
  for (const Member& member : selection.members) names.push_back(member.name);
  return names;
}

class Select : public testing::Test {
 protected:
  Select() {
    for (const auto* name : {"README.md", "dist/app.bin", "dist/lib/a.so", "dist/lib/b.so", "dist/.cache/x",
                             "dist/.env", "logs/one.txt", "logs/two.txt", "logs/deep/three.txt", "logs/deep/three.log"})
      directory_.write(name, name);
  }
  std::string found(const std::vector<std::string>& patterns, const SelectOptions& options = {}) {
    const auto selection = select(directory_.path(), patterns, options);
    if (!selection) return selection.error().message;
    const std::string root = selection->root.lexically_relative(directory_.path()).string();
    return concat(root, ": ", join(names_of(*selection), " "));
  }
  test::TestDirectory directory_;
};

TEST_F(Select, TakesTheRootThatTheOfficialClientComputes) {
  const struct {
    std::string_view name;
    std::vector<std::string> patterns;
    std::string_view found;
  } rows[] = {
      {"one file", {"README.md"}, ".: README.md"},
      {"one file in a folder", {"dist/lib/a.so"}, "dist/lib: a.so"},
      {"a folder", {"dist"}, "dist: app.bin lib/a.so lib/b.so"},
      {"a folder with a slash", {"dist/"}, "dist: app.bin lib/a.so lib/b.so"},
      {"a file with a slash is no folder", {"README.md/"}, "README.md: "},
      {"this folder", {"./dist"}, "dist: app.bin lib/a.so lib/b.so"},
      {"the directory itself",
       {"."},
       ".: README.md dist/app.bin dist/lib/a.so dist/lib/b.so logs/deep/three.log "
       "logs/deep/three.txt logs/one.txt logs/two.txt"},
      {"a glob", {"logs/*.txt"}, "logs: one.txt two.txt"},
      {"a glob that matches a folder brings it along",
       {"logs/*"},
       "logs: deep/three.log deep/three.txt one.txt two.txt"},
      {"any depth", {"logs/**/*.txt"}, "logs: deep/three.txt one.txt two.txt"},
      {"any depth at the end", {"logs/**"}, "logs: deep/three.log deep/three.txt one.txt two.txt"},
      {"any depth in front", {"**/three.*"}, ".: logs/deep/three.log logs/deep/three.txt"},
      {"a class", {"logs/[no]ne.txt"}, "logs: one.txt"},
      {"a class turned round", {"logs/[!o]*.txt"}, "logs: two.txt"},
      {"a question mark", {"dist/lib/?.so"}, "dist/lib: a.so b.so"},
      {"one file by a glob", {"dist/lib/a*"}, "dist/lib: a.so"},
      {"two folders",
       {"dist/lib", "logs/deep"},
       ".: dist/lib/a.so dist/lib/b.so logs/deep/three.log logs/deep/three.txt"},
      {"two files", {"logs/one.txt", "logs/two.txt"}, "logs: one.txt two.txt"},
      {"a folder and a file in it",
       {"logs/deep/three.txt", "logs"},
       "logs: deep/three.log deep/three.txt one.txt two.txt"},
      {"one of two is absent", {"logs/one.txt", "missing/x"}, ".: logs/one.txt"},
      {"left out", {"logs", "!logs/deep"}, "logs: one.txt two.txt"},
      {"left out by a glob", {"logs", "!**/*.log"}, "logs: deep/three.txt one.txt two.txt"},
      {"left out and taken again",
       {"logs", "!logs/deep", "logs/deep/three.log"},
       "logs: deep/three.log one.txt two.txt"},
      {"left out below, taken by a glob",
       {"logs/**", "!logs/deep", "**/*.log"},
       ".: logs/deep/three.log logs/one.txt logs/two.txt"},
      {"comments and blank lines", {"# logs", "", "  README.md  "}, ".: README.md"},
      {"nothing there", {"missing"}, "missing: "},
  };
  for (const auto& row : rows) EXPECT_EQ(found(row.patterns), row.found) << row.name;
}

TEST_F(Select, TakesHiddenFilesWhenAsked) {
  EXPECT_EQ(found({"dist"}, {.hidden = true}), "dist: .cache/x .env app.bin lib/a.so lib/b.so");
  EXPECT_EQ(found({"dist/.env"}), "dist/.env: ");
  EXPECT_EQ(found({"dist/.env"}, {.hidden = true}), "dist: .env");
  EXPECT_EQ(found({"dist/.cache/x"}), "dist/.cache: x") << "what is named below a hidden folder is named";
}

TEST_F(Select, TakesTheDirectoryItselfHiddenOrNot) {
  const auto selection = select(directory_ / "dist/.cache", {"*"});
  ASSERT_TRUE(selection);
  EXPECT_THAT(names_of(*selection), ElementsAre("x"));
}

TEST_F(Select, EndsWhereLinksMultiplyFolders) {
  // Few levels: a lookup that the kernel begins anew counts its links twice, and 40 are its limit.
  constexpr int kLevels = 12;
  for (int i = 0; i < kLevels; ++i) {
    std::filesystem::create_directories(directory_ / concat("maze/", i));
    for (const std::string name : {"w", "x", "y", "z"})
      std::filesystem::create_directory_symlink(concat("../", i + 1), directory_ / concat("maze/", i, "/", name));
  }
  std::filesystem::create_directories(directory_ / concat("maze/", kLevels));
  EXPECT_THAT(found({"maze"}), HasSubstr("links can multiply them"));
}

TEST_F(Select, TakesAnAbsolutePathAsItIs) {
  EXPECT_EQ(found({(directory_ / "logs/one.txt").string()}), "logs: one.txt");
}

TEST_F(Select, FillsSizeModeAndSource) {
  ::chmod((directory_ / "dist/app.bin").c_str(), 0750);
  const auto selection = select(directory_.path(), {"dist/app.bin"});
  ASSERT_TRUE(selection);
  const Member& member = selection->members.at(0);
  EXPECT_EQ(member.source, directory_ / "dist/app.bin");
  EXPECT_EQ(member.size, 12u);
  EXPECT_EQ(member.mode, 0750u);
}

TEST_F(Select, SurvivesWildcardsInTheNameOfTheDirectory) {
  directory_.write("we[i]rd*/x.txt", "x");
  const auto selection = select(directory_ / "we[i]rd*", {"*.txt"});
  ASSERT_TRUE(selection);
  EXPECT_THAT(names_of(*selection), ElementsAre("x.txt"));
}

TEST_F(Select, FollowsLinksThatStayBelowTheRoot) {
  std::filesystem::create_symlink("app.bin", directory_ / "dist/current");
  std::filesystem::create_directory_symlink("lib", directory_ / "dist/lib64");
  EXPECT_EQ(found({"dist"}), "dist: app.bin current lib/a.so lib/b.so lib64/a.so lib64/b.so");
}

TEST_F(Select, FollowsACycleOnce) {
  std::filesystem::create_directory_symlink(".", directory_ / "logs/self");
  std::filesystem::create_directory_symlink("..", directory_ / "logs/deep/up");
  EXPECT_EQ(found({"logs"}), "logs: deep/three.log deep/three.txt one.txt two.txt");
}

TEST_F(Select, RefusesLinksOutOfTheRootUnlessAsked) {
  directory_.write("secret/token", "s");
  std::filesystem::create_symlink("../secret/token", directory_ / "dist/token");
  EXPECT_THAT(found({"dist"}), testing::AllOf(HasSubstr("dist/token"), HasSubstr("symbolic link out of")));
  EXPECT_EQ(found({"dist", "!dist/token"}), "dist: app.bin lib/a.so lib/b.so");
  EXPECT_EQ(found({"dist"}, {.links_out = true}), "dist: app.bin lib/a.so lib/b.so token");
  EXPECT_EQ(found({"dist/token"}), "dist: token") << "what is named is meant";
}

TEST_F(Select, RefusesFoldersOutOfTheRootThoughOnlyWhatIsInThemMatches) {
  directory_.write("secret/token.txt", "s");
  std::filesystem::create_directory_symlink("../secret", directory_ / "logs/out");
  EXPECT_THAT(found({"logs/**/*.txt"}), testing::AllOf(HasSubstr("logs/out"), HasSubstr("symbolic link out of")));
  EXPECT_EQ(found({"logs/**/*.txt", "!logs/out"}), "logs: deep/three.txt one.txt two.txt");
  EXPECT_EQ(found({"logs/**/*.txt"}, {.links_out = true}), "logs: deep/three.txt one.txt out/token.txt two.txt");
}

TEST_F(Select, NamesADanglingLink) {
  std::filesystem::create_symlink("nowhere", directory_ / "dist/gone");
  EXPECT_THAT(found({"dist"}), testing::AllOf(HasSubstr("dist/gone"), HasSubstr("not there")));
}

TEST_F(Select, RefusesPipesByName) {
  ASSERT_EQ(::mkfifo((directory_ / "dist/pipe").c_str(), 0600), 0);
  EXPECT_THAT(found({"dist"}), testing::AllOf(HasSubstr("dist/pipe"), HasSubstr("named pipe")));
}

TEST_F(Select, RefusesNamesThatNotEverySystemCanMake) {
  directory_.write("logs/12:30.txt", "x");
  EXPECT_THAT(found({"logs"}), testing::AllOf(HasSubstr("12:30.txt"), HasSubstr("in its name")));
}

TEST_F(Select, RefusesPatternsThatAreNone) {
  for (const std::string pattern : {"../x", "a/../b", "a/./b", "!", "~/x", "~"})
    EXPECT_THAT(found({pattern}), testing::StartsWith("the path ")) << pattern;
}

TEST_F(Select, FindsNothingForNoPattern) { EXPECT_THAT(names_of(select(directory_.path(), {}).value()), IsEmpty()); }

}  // namespace
}  // namespace crategate::zip
