// cleanup: where directories are emptied, and what is said of it.
#include "stages/cleanup.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "stages/project.h"
#include "support/fake_engine.h"

namespace crategate::stages {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CleanupStage : public ::testing::Test {
 protected:
  CleanupStage() {
    settings.apt = false;
    settings.paths = {(room / "tool").string(), (room / "absent").string()};
    write("tool/a", std::string(5000, 'x'));
    write("outside", "x");
  }
  Result<CleanupResult> clean() {
    return run_cleanup({settings, project.workspace, keep, image},
                       {project.files, [this] { return Result<docker::Engine*>(&engine); }});
  }
  sample::Project project;
  void write(const sys::Path& relative, std::string_view bytes) {
    EXPECT_TRUE(files.write_below(room, relative, bytes));
  }
  bool exists(const sys::Path& relative) const { return files.exists(room / relative); }
  sys::FileSystem& files = project.files;
  // Not where the other tests have theirs: nothing below /dev may be emptied.
  sys::TemporaryDirectory room_ = sys::TemporaryDirectory::create("/tmp").value();
  sys::Path room = std::filesystem::canonical(room_.path());
  config::Cleanup settings;
  std::vector<pipeline::Protected> keep;
  std::string image;
  test::FakeEngine engine;
};

TEST_F(CleanupStage, EmptiesDirectoriesOfThisMachine) {
  const auto result = clean();
  ASSERT_TRUE(result) << describe(result.error());
  EXPECT_FALSE(exists("tool/a"));
  EXPECT_TRUE(exists("tool"));
  EXPECT_TRUE(exists("outside"));
  EXPECT_GT(result->free_before, 0U);
  EXPECT_GT(result->free_after, 0U);
  EXPECT_EQ(result->directories[0].removed, 1U);
  EXPECT_FALSE(result->directories[1].present);
  EXPECT_THAT(cleanup_lines(*result), ElementsAre(HasSubstr("in 1 files"), HasSubstr("absent: not there")));
  EXPECT_THAT(cleanup_line(*result), HasSubstr("were free, now"));
  EXPECT_THAT(cleanup_markdown(*result), HasSubstr("| Directory | Removed |"));
  EXPECT_THAT(project.read(".crategate/cleanup.json"), HasSubstr("\"free_before\""));
  EXPECT_THAT(engine.containers, IsEmpty());
}

TEST_F(CleanupStage, RefusesBeforeAnythingIsRemoved) {
  settings.paths.emplace_back(project.workspace.root.string());
  EXPECT_EQ(exit_code(clean().error().code), 2);
  settings.paths.back() = (room / "tool").string();
  keep = {{(room / "tool/a").string(), "the runner's own directory"}};
  EXPECT_THAT(clean().error().message, HasSubstr("the runner's own directory"));
  EXPECT_TRUE(exists("tool/a"));
}

TEST_F(CleanupStage, ReachesTheEnginesMachineByAContainerForEachDirectory) {
  image = "crategate@sha256:x";
  engine.containers_run([](const docker::ContainerSpec& spec, const docker::ContainerRun& run) {
    if (spec.binds.front().find("absent") != std::string::npos) {
      return Result<docker::ContainerOutcome>(
          fail(ErrorCode::bad_input, "create a container: bind source path does not exist: /absent"));
    }
    EXPECT_TRUE(run.on_output(
        to_json({.path = "/host/x", .present = true, .free_before = 1000, .free_after = 3000, .bytes = 2000})));
    return Result<docker::ContainerOutcome>(docker::ContainerOutcome{.image_id = {}});
  });
  const auto result = clean();
  ASSERT_TRUE(result) << describe(result.error());
  EXPECT_THAT(engine.pulled, ElementsAre(image));
  ASSERT_EQ(engine.containers.size(), 2U);
  const auto& spec = engine.containers.front();
  const std::string path = settings.paths[0];
  EXPECT_THAT(spec.binds, ElementsAre(concat(path, ":/host", path))) << "exactly that directory";
  EXPECT_THAT(spec.entrypoint, ElementsAre("/usr/bin/crategate"));
  EXPECT_THAT(spec.command, ElementsAre("cleanup-here", concat("/host", path)));
  EXPECT_EQ(spec.network, "none");
  EXPECT_EQ(result->freed, 2000U);
  EXPECT_EQ(result->directories[0].path, path);
  EXPECT_FALSE(result->directories[1].present);
  EXPECT_TRUE(exists("tool/a")) << "nothing of this machine";
}

TEST_F(CleanupStage, NeverTouchesTheEnginesOwnDirectoryWhereverItIs) {
  image = "crategate@sha256:x";
  engine.engine_root = (room / "tool").string();
  EXPECT_THAT(clean().error().message, HasSubstr("the Docker engine's state"));
  EXPECT_THAT(engine.containers, IsEmpty());
  write("tool/data/engine-id", "x");
  const auto here = clean_here((room / "tool").string(), project.files);
  ASSERT_TRUE(here);
  EXPECT_EQ(here->kept, 1U);
  EXPECT_TRUE(exists("tool/data/engine-id"));
}

TEST_F(CleanupStage, FailsWhenItsContainerDoesNotDoItsWork) {
  image = "crategate@sha256:x";
  for (const auto& [output, code] : {std::pair("no such command", 2), std::pair("", 0), std::pair("{}", 0)}) {
    engine.containers_print(output, code);
    const auto result = clean();
    ASSERT_FALSE(result) << output;
    EXPECT_EQ(exit_code(result.error().code), 40) << output;
  }
}

TEST(CleanupMount, IsFromThePlaceOfItsName) {
  const auto check = [](const char* path, const char* root) {
    const std::vector<docker::SeenMount> mounts = {{"/", "/"}, {root, path}};
    const auto checked = check_mounted(path, mounts);
    return checked ? std::string() : checked.error().message;
  };
  EXPECT_EQ(check("/host/opt/ghc", "/opt/ghc"), "");
  EXPECT_EQ(check("/host/var/cache/apt/archives", "/cache/apt/archives"), "") << "/var is a file system of its own";
  EXPECT_THAT(check("/host/opt/ghc", "/etc"), HasSubstr("which is \"/etc\""));
  EXPECT_THAT(check("/host/opt/link", "/srv/data/volumes"), HasSubstr("reached without links"));
  EXPECT_THAT(check("/host/x/var/lib/docker/volumes", "/var/lib/docker/volumes"), HasSubstr("state"));
  EXPECT_EQ(check("/somewhere", "/else"), "") << "no container of cleanup";
}

}  // namespace
}  // namespace crategate::stages
