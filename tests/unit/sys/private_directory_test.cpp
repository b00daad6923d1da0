// Credentials on the disk: who sees them, and when they go.
#include "sys/private_directory.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "support/test_directory.h"
#include "sys/process_guard.h"

namespace crategate::sys {
namespace {

using testing::HasSubstr;

unsigned mode_of(const Path& path) {
  struct stat status = {};
  return ::lstat(path.c_str(), &status) == 0 ? status.st_mode & 07777u : 0;
}

TEST(PrivateDirectory, IsForThisUserOnlyAndGoesAway) {
  Path path;
  {
    const auto made = PrivateDirectory::create({});
    ASSERT_TRUE(made);
    path = made->path();
    ASSERT_TRUE(made->write("config.json", "{}"));
    made->link("plugins", "/usr");
    EXPECT_EQ(mode_of(path), 0700U);
    EXPECT_EQ(mode_of(path / "config.json"), 0600U);
    EXPECT_FALSE(made->write("config.json", "{}")) << "never a second time";
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_TRUE(std::filesystem::exists("/usr/bin")) << "a link is removed as a link";
}

TEST(PrivateDirectory, IsNotWhereOtherStepsLook) {
  const auto elsewhere = PrivateDirectory::create({"/dev/shm", "/github"});
  ASSERT_TRUE(elsewhere);
  EXPECT_THAT(elsewhere->path().string(), HasSubstr("/tmp/crategate-private-"));
  const auto nowhere = PrivateDirectory::create({"/"});
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, ErrorCode::bad_input);
  EXPECT_THAT(nowhere.error().hint, HasSubstr("/tmp"));
}

TEST(PrivateDirectory, OfALivingProcessIsKept) {
  const auto made = PrivateDirectory::create({});
  ASSERT_TRUE(made);
  PrivateDirectory::sweep();
  EXPECT_TRUE(std::filesystem::exists(made->path()));
}

/// A82
TEST(PrivateDirectory, OfAKilledProcessIsSwept) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto made = PrivateDirectory::create({});
    if (made && made->write("secret", "canary")) {
      const std::string path = made->path().string();
      if (::write(ends[1], path.data(), path.size()) > 0) ::pause();
    }
    ::_exit(1);
  }
  char text[256] = {};
  ASSERT_GT(::read(ends[0], text, sizeof text - 1), 0);
  const Path path = text;
  PrivateDirectory::sweep();
  EXPECT_TRUE(std::filesystem::exists(path / "secret"));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ends[0]);
  ::close(ends[1]);
  EXPECT_TRUE(std::filesystem::exists(path / "secret"));
  PrivateDirectory::sweep();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(IsWritable, AsksForTheNearestFolderThatThereIs) {
  const test::TestDirectory directory;
  directory.write("file", "");
  EXPECT_TRUE(is_writable(directory.path()));
  EXPECT_TRUE(is_writable(directory / "not/yet/there"));
  EXPECT_FALSE(is_writable(directory / "file"));
  EXPECT_FALSE(is_writable("/proc/1/nothing"));
}

/// A82
TEST(ProcessGuard, ForbidsCoreDumpsHereAndInChildren) {
  const pid_t child = ::fork();
  if (child == 0) {
    guard_process();
    rlimit limit{};
    const bool none = ::getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 && limit.rlim_max == 0;
    struct stat status = {};  // what is not dumpable belongs to root, whoever runs it
    if (::geteuid() == 0 && (::setgid(1001) != 0 || ::setuid(1001) != 0)) ::_exit(2);
    const bool hidden = ::stat("/proc/self/maps", &status) == 0 && status.st_uid == 0;
    ::_exit(none && hidden ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace crategate::sys
