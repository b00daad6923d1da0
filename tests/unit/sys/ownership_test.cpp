// What root makes in somebody's directory. Only root can try it.
#include "sys/ownership.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/test_directory.h"
#include "sys/file_system.h"

namespace crategate::sys {
namespace {

constexpr uid_t kRunner = 1001;
constexpr gid_t kGroup = 121;

struct OwnershipTest : testing::Test {
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
    std::filesystem::create_directory(directory / "workspace");
    ASSERT_EQ(::chown(workspace().c_str(), kRunner, kGroup), 0);
  }
  Path workspace() const { return directory / "workspace"; }
  /// "1001:121"
  static std::string owner(const Path& path) {
    struct stat status = {};
    if (::lstat(path.c_str(), &status) != 0) return "absent";
    return std::to_string(status.st_uid) + ":" + std::to_string(status.st_gid);
  }
  test::TestDirectory directory;
  PosixFileSystem posix;
  FileSystem& files = posix;
};

TEST_F(OwnershipTest, FilesAndTheirFoldersBelongToTheOwnerOfTheWorkspace) {
  ASSERT_TRUE(files.write_below(workspace(), ".state/a/file", "x"));
  ASSERT_TRUE(files.make_directories(workspace() / "logs/deep"));
  ASSERT_TRUE(files.append(workspace() / "logs/appended", "x"));
  auto log = LogFile::create(workspace(), "tests/logs/a.log", 100);
  ASSERT_TRUE(log);
  const auto scratch = TemporaryDirectory::create(workspace() / "logs");
  ASSERT_TRUE(scratch);
  ASSERT_TRUE(files.write_below(scratch->path(), "file", "x"));
  for (const char* made : {".state", ".state/a", ".state/a/file", "logs", "logs/deep", "logs/appended", "tests",
                           "tests/logs", "tests/logs/a.log"}) {
    EXPECT_EQ(owner(workspace() / made), "1001:121") << made;
  }
  EXPECT_EQ(owner(scratch->path()), "1001:121");
  EXPECT_EQ(owner(scratch->path() / "file"), "1001:121");
}

TEST_F(OwnershipTest, WhatWasThereKeepsItsOwner) {
  directory.write("workspace/kept", "a");
  std::filesystem::create_directory(workspace() / "roots");
  ASSERT_TRUE(files.append(workspace() / "kept", "b"));
  ASSERT_TRUE(files.make_directories(workspace() / "roots/below"));
  ASSERT_TRUE(files.write_below(workspace(), "roots/file", "x"));
  EXPECT_EQ(owner(workspace() / "kept"), "0:0");
  EXPECT_EQ(owner(workspace() / "roots"), "0:0");
  EXPECT_EQ(owner(workspace() / "roots/below"), "0:0");
  EXPECT_EQ(owner(workspace() / "roots/file"), "0:0") << "the folder that it is in counts";
}

TEST_F(OwnershipTest, ALinkIsGivenItselfAndNotWhatItNames) {
  directory.write("secret", "x");
  std::filesystem::create_symlink(directory / "secret", workspace() / "link");
  give_to_owner((workspace() / "link").string());
  EXPECT_EQ(owner(directory / "secret"), "0:0");
  EXPECT_EQ(owner(workspace() / "link"), "1001:121");
}

}  // namespace
}  // namespace crategate::sys
