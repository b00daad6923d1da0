// A folder of strangers: what is in it is found without being followed, opened or believed.
#include "sys/folder_walk.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "base/strings.h"
#include "support/test_directory.h"
#include "sys/new_folder.h"

namespace crategate::sys {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = FolderEntry::Kind;
namespace fs = std::filesystem;

const FolderLimits kPlenty{.entries = 1000, .bytes = 1u << 20, .depth = 20};

class FolderWalk : public ::testing::Test {
 protected:
  FolderWalk() { fs::create_directory(folder); }
  /// "path kind content" of everything.
  std::vector<std::string> found(const FolderLimits& limits = kPlenty) {
    std::vector<std::string> all;
    const auto walked = walk_folder(folder, limits, [&all](const FolderEntry& entry) -> Result<bool> {
      constexpr const char* kNames[] = {"file", "executable", "link", "directory", "other"};
      std::string line = concat(entry.path(), " ", kNames[static_cast<int>(entry.kind())]);
      if (entry.kind() < Kind::directory) line += concat(" ", entry.content().value());
      if (entry.kind() == Kind::other) line += concat(" ", entry.description());
      all.push_back(std::move(line));
      return entry.name() != "closed";
    });
    if (!walked) all.push_back(walked.error().message);
    return all;
  }
  std::string refusal(const FolderLimits& limits) {
    const auto walked = check_folder(folder, limits);
    return walked ? "" : walked.error().message;
  }
  test::TestDirectory directory;
  Path folder = directory / "folder";
};

TEST_F(FolderWalk, TellsEveryKindApart) {
  directory.write("outside/secret", "secret");
  directory.write("folder/b/file", "text");
  directory.write("folder/a", "run");
  fs::permissions(folder / "a", fs::perms::owner_all);
  directory.write("folder/closed/inner", "");
  fs::create_symlink("../outside", folder / "link");
  ::mkfifo((folder / "pipe").c_str(), 0600);
  const int bound = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (folder / "socket").string().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(bound, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(bound);
  EXPECT_THAT(found(), ElementsAre("a executable run", "b directory", "b/file file text", "closed directory",
                                   "link link ../outside", "pipe other a named pipe", "socket other a socket"));
}

TEST_F(FolderWalk, EndsAtEachOfItsLimits) {
  directory.write("folder/a/b/c/file", "12345678");
  directory.write("folder/other", "1234");
  EXPECT_EQ(refusal({.entries = 5, .bytes = 12, .depth = 4}), "");
  EXPECT_THAT(refusal({.entries = 4, .bytes = 12, .depth = 4}), HasSubstr("at most 4 files and folders"));
  EXPECT_THAT(refusal({.entries = 5, .bytes = 11, .depth = 4}), HasSubstr("\"other\""));
  EXPECT_THAT(refusal({.entries = 5, .bytes = 12, .depth = 3}), HasSubstr("found \"a/b/c\""));
}

TEST_F(FolderWalk, CountsAHoleAsWhatItSaysItIs) {
  directory.write("folder/sparse", "");
  ASSERT_EQ(::truncate((folder / "sparse").c_str(), off_t{1} << 40), 0);
  EXPECT_THAT(refusal(kPlenty), HasSubstr("\"sparse\""));
}

/// A88: while the walk goes on, a folder becomes a link to one outside, and back.
TEST_F(FolderWalk, NeverLeavesItsFolderWhileOthersRename) {
  directory.write("outside/secret", "secret");
  directory.write("folder/a/plain", "plain");
  fs::create_directory_symlink("../outside", directory / "folder/b");
  std::atomic<bool> done = false;
  std::thread renamer([&] {
    while (!done) ::renameat2(AT_FDCWD, (folder / "a").c_str(), AT_FDCWD, (folder / "b").c_str(), RENAME_EXCHANGE);
  });
  int entered = 0;
  for (int round = 0; round < 10'000; ++round) {
    static_cast<void>(walk_folder(folder, kPlenty, [&](const FolderEntry& entry) -> Result<bool> {
      EXPECT_NE(entry.name(), "secret");
      entered += entry.name() == "plain" ? 1 : 0;
      return true;
    }));
    EXPECT_TRUE(check_folder(folder, kPlenty));
    if (HasFailure()) break;
  }
  done = true;
  renamer.join();
  EXPECT_GT(entered, 0);
}

TEST(NewFolder, WritesNothingThroughALinkAndNothingTwice) {
  const test::TestDirectory directory;
  directory.write("outside/file", "mine");
  const auto folder = NewFolder::create(directory / "folder");
  ASSERT_TRUE(folder) << describe(folder.error());
  EXPECT_FALSE(NewFolder::create(directory / "folder"));
  ASSERT_TRUE(folder->add_link("link", "../outside"));
  ASSERT_TRUE(folder->add_link("dangling", "../outside/new"));
  ASSERT_TRUE(folder->add_file("a/b/run", "text", true));
  ASSERT_TRUE(folder->add_directory("a/module"));
  for (const auto* const path : {"link/file", "link", "dangling", "a/b/run", "a", "../x", "/x", "a/b/run/x"})
    EXPECT_FALSE(folder->add_file(path, "theirs", false)) << path;
  EXPECT_FALSE(folder->add_link("nul", std::string("a\0b", 3)));
  EXPECT_EQ(directory.read("outside/file"), "mine");
  EXPECT_FALSE(directory.exists("outside/new"));
  EXPECT_EQ(directory.read("folder/a/b/run"), "text");
  EXPECT_EQ(fs::status(directory / "folder/a/b/run").permissions() & fs::perms::owner_exec, fs::perms::owner_exec);
  EXPECT_EQ(fs::status(directory / "folder").permissions(), fs::perms::owner_all);
}

}  // namespace
}  // namespace crategate::sys
