// Emptying a directory: all it holds, and nothing else.
#include "sys/empty_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/strings.h"
#include "support/test_directory.h"
#include "sys/cancel.h"

namespace crategate::sys {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

/// In its real place: no link on the way.
Path real(const test::TestDirectory& directory, const Path& relative) {
  return fs::canonical(directory.path()) / relative;
}

TEST(EmptyingADirectory, RemovesWhatItHoldsAndStaysItself) {
  const test::TestDirectory directory;
  directory.write("room/a", std::string(10'000, 'x'));
  directory.write("room/.b/c/d", "x");
  directory.write("outside/kept", "x");
  fs::create_directory_symlink("../outside", directory / "room/out");
  fs::create_symlink("/nonexistent", directory / "room/dangling");
  const auto emptied = empty_directory(real(directory, "room"), {});
  ASSERT_TRUE(emptied && *emptied);
  EXPECT_TRUE(fs::is_empty(directory / "room"));
  EXPECT_TRUE(directory.exists("outside/kept"));
  EXPECT_EQ((*emptied)->removed, 6U);
  EXPECT_GE((*emptied)->bytes, 10'000U);
  EXPECT_EQ((*emptied)->failures, 0U);
  EXPECT_EQ((*emptied)->kept, 0U);
}

TEST(EmptyingADirectory, LeavesWhatIsToBeKeptAndTheWayThere) {
  const test::TestDirectory directory;
  directory.write("room/a/keep", "x");
  directory.write("room/a/b/c", "x");
  directory.write("room/z/c", "x");
  const auto emptied = empty_directory(real(directory, "room"), [](const auto& names) {
    return std::find(names.begin(), names.end(), "keep") != names.end();
  });
  ASSERT_TRUE(emptied && *emptied);
  EXPECT_EQ((*emptied)->kept, 1U);
  EXPECT_TRUE(directory.exists("room/a/b/c"));
  EXPECT_FALSE(directory.exists("room/z"));
}

TEST(EmptyingADirectory, OfNothingIsNothing) {
  const test::TestDirectory directory;
  const auto emptied = empty_directory(real(directory, "absent/too"), {});
  ASSERT_TRUE(emptied);
  EXPECT_FALSE(*emptied);
}

TEST(EmptyingADirectory, FollowsNoLinkOnTheWay) {
  const test::TestDirectory directory;
  directory.write("outside/room/kept", "x");
  directory.write("file", "x");
  fs::create_directory_symlink("outside", directory / "way");
  fs::create_directory_symlink("outside/room", directory / "itself");
  for (const Path& path : {Path("way/room"), Path("itself"), Path("file")}) {
    const auto emptied = empty_directory(real(directory, path), {});
    ASSERT_FALSE(emptied) << path;
    EXPECT_EQ(emptied.error().code, ErrorCode::bad_input);
    EXPECT_THAT(emptied.error().message, HasSubstr(path.filename().string()));
  }
  EXPECT_TRUE(directory.exists("outside/room/kept"));
  EXPECT_FALSE(empty_directory("/", {}));
}

TEST(EmptyingADirectory, EndsWhenItIsCancelled) {
  const test::TestDirectory directory;
  directory.write("room/a", "x");
  request_cancellation(ErrorCode::terminated);
  const auto emptied = empty_directory(real(directory, "room"), {});
  reset_cancellation();
  ASSERT_FALSE(emptied);
  EXPECT_EQ(emptied.error().code, ErrorCode::terminated);
  EXPECT_TRUE(directory.exists("room/a"));
}

}  // namespace
}  // namespace crategate::sys
