// Cleaning up: what may be emptied, and what never is.
#include "pipeline/cleanup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace crategate::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<Protected> kOthers = {{"/home/runner/work/app/app", "the workspace", false},
                                        {"/home/runner/work/app/app/.crategate", "crategate's own state"},
                                        {"/mnt/docker-data", "the Docker engine's state"},
                                        {"", "nothing"}};

TEST(Cleanup, TakesAptsDirectoriesAndTheNamedOnesOnce) {
  EXPECT_THAT(cleanup_directories({}), ElementsAre("/var/cache/apt/archives", "/var/lib/apt/lists"));
  EXPECT_THAT(cleanup_directories({.apt = true, .paths = {"/opt/ghc", "/var/lib/apt/lists"}}),
              ElementsAre("/var/cache/apt/archives", "/var/lib/apt/lists", "/opt/ghc"));
  EXPECT_THAT(cleanup_directories({.apt = false, .paths = {"/opt/ghc"}}), ElementsAre("/opt/ghc"));
}

TEST(Cleanup, MayEmptyTheDirectoriesOfTools) {
  for (const auto* path : {"/var/cache/apt/archives", "/var/lib/apt/lists", "/opt/ghc", "/opt/hostedtoolcache/CodeQL",
                           "/usr/share/dotnet", "/usr/local/lib/android", "/usr/lib/jvm", "/home/linuxbrew/.linuxbrew",
                           "/home/runner/work/app/app/node_modules", "/mnt/docker-datas", "/var/lib/dockers"}) {
    EXPECT_TRUE(check_cleanup_path(path, kOthers)) << path;
  }
}

TEST(Cleanup, NeverEmptiesTheSystemAHomeOrAnEngine) {
  const std::pair<const char*, const char*> rows[] = {{"/", "root of the system"},
                                                      {"/usr", "root of the system"},
                                                      {"/opt", "root of the system"},
                                                      {"/root", "root of the system"},
                                                      {"/usr/lib", "root of the system"},
                                                      {"/var/lib", "root of the system"},
                                                      {"/etc/apt", "which the system needs"},
                                                      {"/lib/modules", "which the system needs"},
                                                      {"/usr/bin/x", "which the system needs"},
                                                      {"/run/docker", "which the system needs"},
                                                      {"/var/lib/dpkg/info", "which the system needs"},
                                                      {"/home/runner", "somebody's home"},
                                                      {"/var/lib/docker", "the Docker engine's state"},
                                                      {"/var/lib/docker/overlay2", "in the Docker engine's state"},
                                                      {"/var/lib/containerd", "containerd's state"},
                                                      {"/var/lib/buildkit/runc-overlayfs", "BuildKit's state"},
                                                      {"/mnt/docker-data", "the Docker engine's state"},
                                                      {"/mnt/docker-data/image", "the Docker engine's state"},
                                                      {"/home/runner/work", "is or holds the workspace"},
                                                      {"/home/runner/work/app/app", "the workspace"},
                                                      {"/home/runner/work/app/app/.crategate/x", "own state"}};
  for (const auto& [path, what] : rows) {
    const auto checked = check_cleanup_path(path, kOthers);
    ASSERT_FALSE(checked) << path;
    EXPECT_EQ(checked.error().code, ErrorCode::bad_input);
    EXPECT_THAT(checked.error().message, AllOf(HasSubstr(path), HasSubstr(what)));
  }
}

TEST(Cleanup, KnowsTheStateOfAnEngineByItsNames) {
  EXPECT_TRUE(is_engine_state({"containers", "engine-id", "volumes"}));
  EXPECT_TRUE(is_engine_state({"io.containerd.content.v1.content"}));
  EXPECT_TRUE(is_engine_state({"overlay2"}));
  EXPECT_FALSE(is_engine_state({"bin", "lib", "share"}));
  EXPECT_FALSE(is_engine_state({}));
}

}  // namespace
}  // namespace crategate::pipeline
