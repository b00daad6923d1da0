// FileLock: one holder at a time, until it is gone.
#include "sys/file_lock.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "support/test_directory.h"

namespace crategate::sys {
namespace {

TEST(FileLock, IsHeldByOneAtATime) {
  const test::TestDirectory directory;
  auto first = FileLock::try_take(directory.path(), "a/b.lock").value();
  ASSERT_TRUE(first);
  EXPECT_FALSE(FileLock::try_take(directory.path(), "a/b.lock").value());
  EXPECT_TRUE(FileLock::try_take(directory.path(), "a/c.lock").value()) << "another lock";
  first.reset();
  EXPECT_TRUE(FileLock::try_take(directory.path(), "a/b.lock").value());
}

TEST(FileLock, FollowsNoLink) {
  const test::TestDirectory directory;
  directory.write("target", "");
  std::filesystem::create_symlink(directory.path() / "target", directory.path() / "lock");
  const auto refused = FileLock::try_take(directory.path(), "lock");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::bad_input) << describe(refused.error());
}

}  // namespace
}  // namespace crategate::sys
