// Files that come out: what they hold, what happens to those that are there, and that nothing leaves the folder.
#include "zip/extract.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strings.h"
#include "raw_archive.h"
#include "support/peak_memory.h"
#include "support/test_directory.h"
#include "sys/cancel.h"
#include "zip/selection.h"
#include "zip/write.h"

namespace crategate::zip {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> files_in(const sys::Path& directory) {
  return sys::PosixFileSystem().files_below(directory).value();
}

unsigned mode_of(const sys::Path& path) {
  struct stat status = {};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777u;
}

class Extract : public testing::Test {
 protected:
  void archive(const std::vector<std::string>& names, std::string_view content = "new") {
    test::RawArchive raw;
    raw.members.clear();
    for (const auto& name : names) {
      const bool folder = name.ends_with('/');
      raw.members.push_back({.name = name,
                             .content = folder ? std::string() : std::string(content),
                             .attributes = (folder ? 0040755u : 0100644u) << 16});
    }
    directory_.write("a.zip", raw.bytes());
  }
  Result<Extracted> run(const sys::Path& to, Existing existing = Existing::refuse) {
    return extract(directory_ / "a.zip", directory_ / to, {.existing = existing, .workers = 2});
  }
  test::TestDirectory directory_;
};

/// As root in the workspace of a runner: its next step must be able to change what was unpacked.
TEST_F(Extract, GivesEverythingToTheOwnerOfTheFolder) {
  const uid_t runner = ::geteuid() == 0 ? 1001 : ::geteuid();
  const auto owner = [this](const char* path) {
    struct stat status = {};
    return ::lstat((directory_ / path).c_str(), &status) == 0 ? std::optional(status.st_uid) : std::nullopt;
  };
  archive({"a/", "a/b/c", "d"});
  std::filesystem::create_directory(directory_ / "workspace");
  ASSERT_EQ(::chown((directory_ / "workspace").c_str(), runner, ::geteuid() == 0 ? 1001 : ::getegid()), 0);
  ASSERT_TRUE(run("workspace/new/out"));
  ASSERT_TRUE(run("workspace", Existing::add));
  for (const char* made :
       {"workspace/new", "workspace/new/out", "workspace/new/out/a", "workspace/new/out/a/b", "workspace/new/out/a/b/c",
        "workspace/new/out/d", "workspace/a", "workspace/a/b", "workspace/a/b/c", "workspace/d"})
    EXPECT_EQ(owner(made), runner) << made;
}

TEST_F(Extract, GivesBackWhatWasWritten) {
  for (int i = 0; i < 200; ++i)
    directory_.write(concat("in/d", i % 7, "/e/", i), std::string(static_cast<std::size_t>(i) * 311, 'x'));
  directory_.write("in/large", std::string(3u << 20, 'y') + "end");
  directory_.write("in/\xC3\xA9t\xC3\xA9.txt", "summer");
  ::chmod((directory_ / "in/d1/e/1").c_str(), 0750);
  ::chmod((directory_ / "in/d1/e/8").c_str(), 0444);
  const auto selection = select(directory_.path(), {"in"}).value();
  std::string bytes;
  ASSERT_TRUE(write(selection.members, {.comment = "c"}, [&bytes](std::string_view more) -> Result<void> {
    bytes += more;
    return {};
  }));
  directory_.write("a.zip", bytes);
  const auto done = run("some/new/out");
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->members, 202u);
  EXPECT_EQ(done->comment, "c");
  const auto files = files_in(directory_ / "in");
  ASSERT_EQ(files_in(directory_ / "some/new/out"), files);
  for (const auto& file : files)
    EXPECT_EQ(directory_.read("in/" + file), directory_.read("some/new/out/" + file)) << file;
  EXPECT_EQ(mode_of(directory_ / "some/new/out/d1/e/1"), 0750u);
  EXPECT_EQ(mode_of(directory_ / "some/new/out/d1/e/8"), 0444u);
  EXPECT_THAT(sys::PosixFileSystem().list(directory_ / "some/new").value(), ElementsAre("out")) << "no staging is left";
}

TEST_F(Extract, MakesModesThatAreUsableWhateverTheUmask) {
  test::RawArchive raw;
  raw.members = {{.name = "none", .attributes = 0100000u << 16},
                 {.name = "windows", .attributes = 0x20},
                 {.name = "d/", .content = "", .attributes = 0040111u << 16},
                 {.name = "d/x", .attributes = 0102777u << 16},
                 {.name = "implied/x"}};
  directory_.write("a.zip", raw.bytes());
  const mode_t before = ::umask(0077);
  const auto done = run("out");
  ::umask(before);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(mode_of(directory_ / "out/none"), 0400u);
  EXPECT_EQ(mode_of(directory_ / "out/windows"), 0644u);
  EXPECT_EQ(mode_of(directory_ / "out/d"), 0711u);
  EXPECT_EQ(mode_of(directory_ / "out/d/x"), 0777u);
  EXPECT_EQ(mode_of(directory_ / "out/implied"), 0755u);
  EXPECT_EQ(mode_of(directory_ / "out"), 0755u);
}

TEST_F(Extract, TakesAnEmptyFolderAsAbsent) {
  archive({"x", "d/"});
  std::filesystem::create_directory(directory_ / "out");
  ASSERT_TRUE(run("out/"));
  EXPECT_TRUE(directory_.exists("out/d"));
  EXPECT_EQ(directory_.read("out/x"), "new");
  EXPECT_THAT(sys::PosixFileSystem().list(directory_ / "out").value(), ElementsAre("d", "x"));
}

TEST_F(Extract, RefusesAFolderWithFilesUnlessAsked) {
  archive({"x", "d/y"});
  directory_.write("out/old", "old");
  EXPECT_FALSE(run("out"));
  EXPECT_THAT(files_in(directory_ / "out"), ElementsAre("old"));
  ASSERT_TRUE(run("out", Existing::add));
  EXPECT_THAT(files_in(directory_ / "out"), ElementsAre("d/y", "old", "x"));
  EXPECT_EQ(directory_.read("out/old"), "old");
}

TEST_F(Extract, AddsNothingWhereOneFileIsThere) {
  archive({"a", "d/y", "z"});
  directory_.write("out/d/y", "old");
  const auto done = run("out", Existing::add);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("d/y"));
  EXPECT_THAT(sys::PosixFileSystem().list(directory_ / "out").value(), ElementsAre("d"));
  ASSERT_TRUE(run("out", Existing::replace));
  EXPECT_EQ(directory_.read("out/d/y"), "new");
}

TEST_F(Extract, A64ReplacesALinkAndNeverFollowsOne) {
  directory_.write("outside/file", "precious");
  archive({"link", "d/y"});
  std::filesystem::create_directory(directory_ / "out");
  std::filesystem::create_symlink("../outside/file", directory_ / "out/link");
  ASSERT_TRUE(run("out", Existing::replace));
  EXPECT_EQ(directory_.read("outside/file"), "precious");
  EXPECT_EQ(directory_.read("out/link"), "new");
  std::filesystem::remove_all(directory_ / "out/d");
  std::filesystem::create_directory_symlink("../outside", directory_ / "out/d");
  for (const Existing existing : {Existing::add, Existing::replace}) EXPECT_FALSE(run("out", existing));
  EXPECT_THAT(files_in(directory_ / "outside"), ElementsAre("file"));
}

TEST_F(Extract, NeverPutsAFileInPlaceOfAFolderOrTheReverse) {
  archive({"x"});
  directory_.write("out/x/keep", "old");
  EXPECT_FALSE(run("out", Existing::replace));
  archive({"x/y"});
  directory_.write("other/x", "old");
  EXPECT_FALSE(run("other", Existing::replace));
  archive({"x/"});
  EXPECT_FALSE(run("other", Existing::replace));
  EXPECT_EQ(directory_.read("other/x"), "old");
  EXPECT_EQ(directory_.read("out/x/keep"), "old");
}

TEST_F(Extract, RefusesADestinationThatIsAFile) {
  archive({"x"});
  directory_.write("out", "old");
  for (const Existing existing : {Existing::refuse, Existing::add, Existing::replace})
    EXPECT_FALSE(run("out", existing));
  EXPECT_EQ(directory_.read("out"), "old");
}

TEST_F(Extract, LeavesNothingWhenTheLastMemberIsDamaged) {
  test::RawArchive raw;
  raw.members.clear();
  for (int i = 0; i < 100; ++i) raw.members.push_back({.name = concat("d/", i)});
  raw.members.push_back({.name = "z", .crc = 1});
  directory_.write("a.zip", raw.bytes());
  directory_.write("out/old", "old");
  EXPECT_FALSE(run("fresh"));
  EXPECT_FALSE(run("out", Existing::replace));
  EXPECT_THAT(files_in(directory_.path()), ElementsAre("a.zip", "out/old"));
  EXPECT_FALSE(directory_.exists("fresh"));
}

TEST_F(Extract, LeavesNothingWhenItIsCancelled) {
  archive({"x"});
  sys::request_cancellation(ErrorCode::terminated);
  const auto done = run("out");
  sys::reset_cancellation();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::terminated);
  EXPECT_THAT(sys::PosixFileSystem().list(directory_.path()).value(), ElementsAre("a.zip"));
}

TEST_F(Extract, SaysWhichArchiveIsNotThere) {
  const auto done = run("out");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::not_found);
}

TEST_F(Extract, TakesLittleMemoryForALargeMember) {
  test::RawArchive raw;
  raw.members[0].deflated = true;
  raw.members[0].content = std::string(64u << 20, '\0');
  directory_.write("a.zip", raw.bytes());
  raw = {};
  const auto growth = test::peak_growth([this] { return run("out").has_value(); });
  ASSERT_TRUE(growth);
  EXPECT_LT(*growth, 8u << 20);
  EXPECT_EQ(std::filesystem::file_size(directory_ / "out/a.txt"), 64u << 20);
}

}  // namespace
}  // namespace crategate::zip
