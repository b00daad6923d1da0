// What root makes in somebody's directory, and anybody else in their own.
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
    std::filesystem::create_directory(directory / "workspace");
    if (::geteuid() != 0) return;
    ASSERT_EQ(::chown(workspace().c_str(), kRunner, kGroup), 0);
  }
  /// Of this process.
  static std::string mine() { return std::to_string(::geteuid()) + ":" + std::to_string(::getegid()); }
  static std::string runners() {
    return ::geteuid() == 0 ? std::to_string(kRunner) + ":" + std::to_string(kGroup) : mine();
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
    EXPECT_EQ(owner(workspace() / made), runners()) << made;
  }
  EXPECT_EQ(owner(scratch->path()), runners());
  EXPECT_EQ(owner(scratch->path() / "file"), runners());
}

TEST_F(OwnershipTest, WhatWasThereKeepsItsOwner) {
  directory.write("workspace/kept", "a");
  std::filesystem::create_directory(workspace() / "roots");
  ASSERT_TRUE(files.append(workspace() / "kept", "b"));
  ASSERT_TRUE(files.make_directories(workspace() / "roots/below"));
  ASSERT_TRUE(files.write_below(workspace(), "roots/file", "x"));
  EXPECT_EQ(owner(workspace() / "kept"), mine());
  EXPECT_EQ(owner(workspace() / "roots"), mine());
  EXPECT_EQ(owner(workspace() / "roots/below"), mine());
  EXPECT_EQ(owner(workspace() / "roots/file"), mine()) << "the folder that it is in counts";
}

TEST_F(OwnershipTest, ALinkIsGivenItselfAndNotWhatItNames) {
  directory.write("secret", "x");
  std::filesystem::create_symlink(directory / "secret", workspace() / "link");
  give_to_owner((workspace() / "link").string());
  EXPECT_EQ(owner(directory / "secret"), mine());
  EXPECT_EQ(owner(workspace() / "link"), runners());
}

}  // namespace
}  // namespace crategate::sys
