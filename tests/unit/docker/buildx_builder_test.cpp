#include <gmock/gmock.h>

#include "base/strings.h"
#include "docker/build.h"
#include "support/fakes.h"
#include "support/scripted_process_runner.h"
#include "support/test_directory.h"
#include "sys/cancel.h"

namespace crategate::docker {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

const std::string kDigest = concat("sha256:", std::string(64, 'd'));
const std::string kConfig = concat("sha256:", std::string(64, 'c'));

class FakeEngine final : public Engine {
 public:
  Result<EngineInfo> info() override { return EngineInfo{"1.45", containerd_store}; }
  Result<std::optional<EngineImage>> find_image(const std::string& name) override {
    for (const std::string& known : images) {
      if (known == name) return EngineImage{concat("id of ", name), {}, "linux", "amd64", "", repo_digests};
    }
    return std::nullopt;
  }
  Result<void> pull_image(const std::string&) override { return fail(ErrorCode::internal, "not asked"); }
  Result<void> save_image(const std::string&, const net::BodySink&) override { return {}; }
  Result<void> load_image(const net::BodySource&, std::uint64_t) override { return {}; }
  Result<void> remove_image(const std::string&) override { return {}; }
  Result<ContainerOutcome> run_container(const ContainerSpec&, const ContainerRun&) override {
    return ContainerOutcome{};
  }
  bool containerd_store = true;
  std::vector<std::string> images{"img:1"}, repo_digests;
};

BuildRequest request() {
  BuildRequest made;
  made.dockerfile = "Dockerfile";
  made.tags = {"img:1"};
  return made;
}

const std::vector<std::string> kVersion{"docker", "buildx", "version"};

std::vector<std::string> argv_of(const BuildRequest& asked, std::vector<std::string> program = {"docker", "buildx"}) {
  const auto arguments = build_arguments(asked);
  program.insert(program.end(), arguments.begin(), arguments.end());
  return program;
}

struct BuildxBuilderTest : testing::Test {
  Result<BuildOutcome> build(const BuildRequest& asked, milliseconds timeout = milliseconds(0)) {
    BuildxBuilder builder(processes, environment, engine, directory.path(), builder_image);
    return builder.build(asked, timeout, [this](std::string_view line) { lines.emplace_back(line); });
  }
  /// A build that prints `output`.
  void expect_build(sys::ProcessOutcome outcome, const std::string& output = {}) {
    processes.expect_where(
        "build", [](const sys::Command& command) { return command.arguments.size() > 5; },
        [outcome, output](const sys::Command&, const sys::RunOptions& options) -> Result<sys::ProcessOutcome> {
          if (options.on_output) options.on_output(sys::Stream::out, output);
          return outcome;
        });
  }
  test::ScriptedProcessRunner processes;
  test::FakeEnvironment environment{{{"PATH", "/usr/bin"},
                                     {"DOCKER_HOST", "unix:///s"},
                                     {"HOME", "/tmp"},
                                     {"SECRET", "x"},
                                     {"TOKEN", "t"},
                                     {"LD_PRELOAD", "/evil"},
                                     {"BUILDX_BUILDER", "b"},
                                     {"DOCKER_CONTEXT", "c"}}};
  FakeEngine engine;
  test::TestDirectory directory;
  std::string builder_image;
  std::vector<std::string> lines;
};

TEST_F(BuildxBuilderTest, RunsTheBuildAndNamesTheLoadedImage) {
  processes.expect(kVersion);
  expect_build({.exit_code = 0}, "#1 load\n#2 done\r");
  const auto built = build(request());
  ASSERT_TRUE(built) << built.error().message;
  EXPECT_EQ(built->image_id, "id of img:1");
  EXPECT_THAT(lines, testing::ElementsAre("#1 load", "#2 done"));
}

TEST_F(BuildxBuilderTest, GivesTheChildOnlyTheVariablesItNeeds) {
  processes.expect(kVersion);
  expect_build({.exit_code = 0});
  BuildRequest asked = request();
  asked.secrets = {"id=token,env=TOKEN"};
  ASSERT_TRUE(build(asked));
  EXPECT_THAT(
      processes.commands().back().environment,
      testing::UnorderedElementsAre(testing::Pair("PATH", "/usr/bin"), testing::Pair("DOCKER_HOST", "unix:///s"),
                                    testing::Pair("HOME", "/tmp"), testing::Pair("TOKEN", "t")));
}

TEST_F(BuildxBuilderTest, TalksToTheSameEngineWhateverContextIsSelected) {
  environment.unset("DOCKER_HOST");
  processes.expect(kVersion);
  expect_build({.exit_code = 0});
  ASSERT_TRUE(build(request()));
  EXPECT_EQ(processes.commands().back().environment.at("DOCKER_HOST"), "unix:///var/run/docker.sock");
}

TEST_F(BuildxBuilderTest, FallsBackToStandAloneBuildx) {
  processes.expect(kVersion, {.exit_code = 1});
  processes.expect({"buildx", "version"});
  processes.expect(argv_of(request(), {"buildx"}));
  EXPECT_TRUE(build(request()));
}

TEST_F(BuildxBuilderTest, SaysWhatIsMissingWithoutBuildx) {
  processes.expect_error(kVersion, {ErrorCode::not_found, "no docker", {}, {}, {}, {}});
  processes.expect_error({"buildx", "version"}, {ErrorCode::not_found, "no buildx", {}, {}, {}, {}});
  const auto built = build(request());
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().code, ErrorCode::engine);
  EXPECT_THAT(built.error().hint, HasSubstr("0.13"));
}

TEST_F(BuildxBuilderTest, PrefersTheDigestInTheMetadataToATagThatMayHaveMoved) {
  BuildRequest asked = request();
  asked.metadata_file = "meta.json";
  directory.write("meta.json", concat(R"({"containerimage.digest":")", kDigest, R"(","containerimage.config.digest":")",
                                      kConfig, R"("})"));
  engine.images = {"img:1", kConfig};
  processes.expect(kVersion);
  expect_build({.exit_code = 0});
  EXPECT_EQ(build(asked)->image_id, concat("id of ", kConfig));
}

TEST_F(BuildxBuilderTest, FallsBackToTheTagWhenTheMetadataIsOfNoUse) {
  BuildRequest asked = request();
  asked.metadata_file = "meta.json";
  for (const char* text : {"", "{", "[]", R"({"containerimage.digest":"../x"})", R"({"containerimage.digest":7})"}) {
    directory.write("meta.json", text);
    processes.expect(kVersion);
    expect_build({.exit_code = 0});
    EXPECT_EQ(build(asked)->image_id, "id of img:1") << text;
  }
}

TEST_F(BuildxBuilderTest, FailsWhenTheEngineDoesNotKnowWhatWasBuilt) {
  engine.images.clear();
  processes.expect(kVersion);
  expect_build({.exit_code = 0});
  EXPECT_THAT(build(request()).error().message, HasSubstr("does not know its image img:1"));
}

TEST_F(BuildxBuilderTest, TellsFailureTimeLimitAndCancellationApart) {
  processes.expect(kVersion);
  expect_build({.exit_code = 1}, "Dockerfile:3\nERROR: failed to solve: boom");
  const auto failed = build(request());
  EXPECT_EQ(failed.error().code, ErrorCode::engine);
  EXPECT_EQ(failed.error().location, (Location{"Dockerfile", 3, 0}));
  processes.expect(kVersion);
  expect_build({.exit_code = 143, .timed_out = true}, "#9 sleeping");
  const auto late = build(request(), milliseconds(1500));
  EXPECT_EQ(late.error().code, ErrorCode::engine);
  EXPECT_THAT(late.error().message, HasSubstr("time limit"));
  processes.expect(kVersion);
  expect_build({.exit_code = 130, .cancelled = true});
  EXPECT_EQ(build(request()).error().code, ErrorCode::interrupted);
}

TEST_F(BuildxBuilderTest, RunsOnceMoreWhenOnlyTheCacheWasLost) {
  const std::string lost = "------\n > exporting cache to registry:\n------\nERROR: failed to solve: 400 Bad Request";
  processes.expect(kVersion);
  expect_build({.exit_code = 1}, lost);
  expect_build({});
  EXPECT_TRUE(build(request()));
  processes.expect(kVersion);
  expect_build({.exit_code = 1}, lost);
  expect_build({.exit_code = 1}, lost);
  EXPECT_THAT(build(request()).error().message, HasSubstr("400 Bad Request"));
  processes.expect(kVersion);
  expect_build({.exit_code = 1}, concat(lost, ": 403 Forbidden"));
  EXPECT_FALSE(build(request()));
}

TEST_F(BuildxBuilderTest, MakesAndRemovesABuilderWhereTheClassicStoreCannotExportACache) {
  engine.containerd_store = false;
  builder_image = "localhost:5000/buildkit:1";
  BuildRequest asked = request();
  asked.cache_to = {{.reference = "r/cache:1", .directory = {}}};
  processes.expect(kVersion);
  processes.expect({"docker", "buildx", "inspect"}, {.out = "Name:   default\nDriver: docker\n"});
  const auto is = [](std::string verb) {
    return [verb = std::move(verb)](const sys::Command& command) { return command.arguments.at(1) == verb; };
  };
  const auto succeed = [](const sys::Command&, const sys::RunOptions&) { return sys::ProcessOutcome{}; };
  processes.expect_where("create", is("create"), succeed);
  processes.expect_where("failing build", is("build"), [](const sys::Command&, const sys::RunOptions&) {
    return sys::ProcessOutcome{.exit_code = 1};
  });
  processes.expect_where("rm", is("rm"), [](const sys::Command&, const sys::RunOptions& options) {
    EXPECT_TRUE(options.ignore_cancellation);
    return sys::ProcessOutcome{};
  });
  EXPECT_FALSE(build(asked));
  const auto commands = processes.commands();
  ASSERT_EQ(commands.size(), 5U);
  const std::string name = commands[2].arguments.at(2).substr(std::string("--name=").size());
  EXPECT_TRUE(name.starts_with("crategate-"));
  EXPECT_THAT(commands[2].arguments,
              testing::ElementsAre("buildx", "create", concat("--name=", name), "--driver=docker-container",
                                   "--driver-opt=image=localhost:5000/buildkit:1,network=host", "--bootstrap"));
  EXPECT_THAT(commands[3].arguments, testing::Contains(concat("--builder=", name)));
  EXPECT_THAT(commands[4].arguments, testing::ElementsAre("buildx", "rm", "--force", name));
}

TEST_F(BuildxBuilderTest, UsesTheSelectedBuilderWhenItCanExport) {
  engine.containerd_store = false;
  BuildRequest asked = request();
  asked.cache_to = {{.reference = "r/cache:1", .directory = {}}};
  processes.expect(kVersion);
  processes.expect({"docker", "buildx", "inspect"}, {.out = "Name: x\nDriver: docker-container\n"});
  processes.expect(argv_of(asked));
  EXPECT_TRUE(build(asked));
}

TEST_F(BuildxBuilderTest, LeavesAnArchiveToWhoeverAskedForIt) {
  engine.images.clear();
  BuildRequest asked = request();
  asked.archive = "image.tar";
  processes.expect(kVersion);
  processes.expect(argv_of(asked));
  const auto built = build(asked);
  ASSERT_TRUE(built) << built.error().message;
  EXPECT_EQ(built->image_id, "");
  engine.containerd_store = false;
  processes.expect(kVersion);
  processes.expect({"docker", "buildx", "inspect"}, {.out = "Driver: docker\n"});
  EXPECT_EQ(build(asked).error().code, ErrorCode::engine) << "the classic store's own builder writes no archive";
}

TEST_F(BuildxBuilderTest, NamesTheRemedyWhenNoBuilderImageIsConfigured) {
  engine.containerd_store = false;
  BuildRequest asked = request();
  asked.cache_to = {{.reference = "r/cache:1", .directory = {}}};
  processes.expect(kVersion);
  processes.expect({"docker", "buildx", "inspect"}, {.out = "Driver: docker\n"});
  const auto built = build(asked);
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().code, ErrorCode::engine);
  EXPECT_THAT(built.error().hint, HasSubstr("builder-image"));
}

TEST_F(BuildxBuilderTest, ListsItsCommandsWithoutRunningTheBuild) {
  BuildxBuilder builder(processes, environment, engine, directory.path(), "");
  const auto commands = builder.commands(request());
  ASSERT_TRUE(commands);
  ASSERT_EQ(commands->size(), 1U);
  EXPECT_THAT(commands->front().text(), HasSubstr("docker buildx build --platform=linux/amd64 --file=Dockerfile"));
  EXPECT_TRUE(processes.commands().empty());
}

}  // namespace
}  // namespace crategate::docker
