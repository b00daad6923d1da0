// generate: templates, hand-kept files and a project's own generator, on real files.
#include "stages/generate.h"

#include <gmock/gmock.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>

#include "stages/project.h"
#include "support/fake_engine.h"
#include "sys/descriptor.h"

namespace crategate::stages {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kTemplate = "docker/Dockerfile.mustache";
constexpr const char* kFirst = "docker/dockerfiles/Dockerfile.cpu-py3.11";

class GenerateStage : public ::testing::Test {
 protected:
  GenerateStage() {
    generate = project.configuration.generate;
    project.write(kTemplate, "FROM {{base}}\nRUN python{{python}}{{#python < 3.12}} distutils{{/python < 3.12}}");
  }
  Result<Generated> run(bool check_only = false) {
    plan = sample::release_plan(project.configuration);
    return run_generate({generate, *plan, project.workspace, check_only, in_action},
                        {project.files,
                         {project.processes, project.environment},
                         [this]() -> Result<docker::Engine*> { return &engine; },
                         progress});
  }
  /// The project's own generator: a shell script that writes all four files.
  void generate_by(const std::string& script) {
    generate.template_file.clear();
    generate.run = {"/bin/sh", "-c", script};
  }
  static std::string write_all(const std::string& text) {
    return "mkdir -p docker/dockerfiles; for c in cpu-py3.11 cpu-py3.13 cuda-py3.11 cuda-py3.13; do printf '" + text +
           "' >docker/dockerfiles/Dockerfile.$c; done";
  }
  Error refused(bool check_only = false) {
    const auto result = run(check_only);
    EXPECT_FALSE(result);
    return result ? Error{} : result.error();
  }
  config::Generate generate;
  bool in_action = false;
  sample::Project project;
  test::FakeEngine engine;
  std::optional<pipeline::Plan> plan;
  Progress progress = [](std::string_view) {};
};

// A14
TEST_F(GenerateStage, WritesADockerfilePerCellByteForByte) {
  const auto result = run();
  ASSERT_TRUE(result) << describe(result.error());
  EXPECT_THAT(result->files, SizeIs(4));
  EXPECT_EQ(result->written, result->files);
  EXPECT_EQ(project.read(kFirst), "FROM ubuntu:22.04\nRUN python3.11 distutils");
  EXPECT_EQ(project.read("docker/dockerfiles/Dockerfile.cuda-py3.13"),
            "FROM nvcr.io/nvidia/cuda:12.4.1-base-ubuntu22.04\nRUN python3.13");
}

TEST_F(GenerateStage, KeepsCrlfAndEveryOtherByteOfTheTemplate) {
  project.write(kTemplate, "FROM x\r\n\r\n# {{cell}}\t \xc3\xa9\r\n\n\n");
  ASSERT_TRUE(run());
  EXPECT_EQ(project.read(kFirst), "FROM x\r\n\r\n# cpu-py3.11\t \xc3\xa9\r\n\n\n");
}

TEST_F(GenerateStage, WritesOnlyWhatChanged) {
  ASSERT_TRUE(run());
  EXPECT_THAT(run()->written, IsEmpty());
  project.write(kFirst, "edited");
  EXPECT_THAT(run()->written, ElementsAre(kFirst));
  EXPECT_THAT(project.read(kFirst), HasSubstr("FROM ubuntu"));
}

TEST_F(GenerateStage, FindsDriftWithFileAndLineAndWritesNothing) {
  ASSERT_TRUE(run());
  project.write(kFirst, "FROM ubuntu:22.04\nRUN python3.11 distutils # edited");
  const Error error = refused(true);
  EXPECT_EQ(exit_code(error.code), 13);
  ASSERT_TRUE(error.location);
  EXPECT_EQ(error.location->file, kFirst);
  EXPECT_EQ(error.location->line, 2);
  EXPECT_THAT(error.message, HasSubstr("1 of 4 different"));
  EXPECT_THAT(error.hint, HasSubstr("crategate generate"));
  EXPECT_THAT(project.read(kFirst), HasSubstr("# edited"));
}

TEST_F(GenerateStage, TakesAMissingLastLineFeedForDrift) {
  project.write(kTemplate, "FROM x\n");
  ASSERT_TRUE(run());
  project.write(kFirst, "FROM x");
  EXPECT_EQ(refused(true).location->line, 1);
  project.write(kFirst, "FROM x\n\n");
  EXPECT_EQ(refused(true).location->line, 2);
}

TEST_F(GenerateStage, TakesAMissingFileForDrift) {
  const Error error = refused(true);
  EXPECT_EQ(error.code, ErrorCode::drifted);
  EXPECT_THAT(error.message, AllOf(HasSubstr("4 of 4"), HasSubstr("missing")));
  EXPECT_FALSE(project.exists("docker/dockerfiles"));
}

TEST_F(GenerateStage, PassesTheCheckWhenNothingDrifted) {
  ASSERT_TRUE(run());
  EXPECT_TRUE(run(true));
}

/// Whether anything opens, reads or changes a file, from now on.
class Watch {
 public:
  explicit Watch(const sys::Path& file)
      : events_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
        watched_(::inotify_add_watch(events_.get(), file.c_str(), IN_ALL_EVENTS) >= 0) {}
  bool works() const { return watched_; }
  bool saw_something() const {
    std::array<char, 4096> buffer{};
    return ::read(events_.get(), buffer.data(), buffer.size()) > 0;
  }

 private:
  sys::Descriptor events_;
  bool watched_;
};

// A18
TEST_F(GenerateStage, NeverFollowsALinkAtAnOutput) {
  project.write(".github/workflows/x.yml", "on: push\n");
  project.directory.write("home/x", "outside\n");
  for (const sys::Path& target : {sys::Path("../../.github/workflows/x.yml"), project.directory / "home/x"}) {
    project.link(target, kFirst);
    const Watch watch(std::filesystem::canonical(project / kFirst));
    ASSERT_TRUE(watch.works());
    for (const bool check_only : {false, true}) {
      EXPECT_EQ(refused(check_only).code, ErrorCode::bad_input) << target;
    }
    EXPECT_FALSE(watch.saw_something()) << target;
    EXPECT_FALSE(project.exists("docker/dockerfiles/Dockerfile.cpu-py3.13")) << target;
    EXPECT_THAT(project.read(kFirst), HasSubstr("\n"));
    EXPECT_TRUE(watch.saw_something()) << "the watch itself: the line above reads through the link";
  }
  EXPECT_EQ(project.read(".github/workflows/x.yml"), "on: push\n");
  EXPECT_EQ(project.directory.read("home/x"), "outside\n");
}

// A18
TEST_F(GenerateStage, NeverFollowsALinkedDirectory) {
  project.directory.write("outside/keep", "");
  project.link(project.directory / "outside", "docker/dockerfiles");
  EXPECT_EQ(refused().code, ErrorCode::bad_input);
  EXPECT_FALSE(project.directory.exists("outside/Dockerfile.cpu-py3.11"));
}

// A17
TEST_F(GenerateStage, NeverReadsATemplateOutsideOfTheWorkspace) {
  project.directory.write("secret", "FROM secret");
  for (const std::string name : {"../secret", "docker/../../secret", "/proc/self/environ"}) {
    generate.template_file = name;
    const Error error = refused();
    EXPECT_EQ(error.code, ErrorCode::bad_input) << name;
    EXPECT_THAT(error.message, ::testing::Not(HasSubstr("PATH=")));
  }
  project.link("/proc/self/environ", "docker/link");
  generate.template_file = "docker/link";
  EXPECT_EQ(refused().code, ErrorCode::bad_input);
  EXPECT_FALSE(project.exists(kFirst));
}

// A17
TEST_F(GenerateStage, RefusesToIncludeAFileAndReadsNoneOfIt) {
  project.directory.write("github/home/.docker/config.json", "canary");
  const sys::Path secret = project.directory / "github/home/.docker/config.json";
  const Watch watch(secret);
  for (const std::string& file : {std::string("../github/home/.docker/config.json"), secret.string(),
                                  std::string("/proc/1/environ"), std::string("Dockerfile.mustache")}) {
    project.write(kTemplate, concat("FROM {{base}}\n{{> ", file, "}}\n"));
    const Error error = refused();
    EXPECT_EQ(error.code, ErrorCode::bad_input) << file;
    EXPECT_THAT(describe(error), AllOf(HasSubstr("docker/Dockerfile.mustache:2:1"), HasSubstr("partials are refused"),
                                       HasSubstr(file), ::testing::Not(HasSubstr("canary"))));
    EXPECT_FALSE(project.exists(kFirst)) << file;
  }
  EXPECT_FALSE(watch.saw_something());
}

TEST_F(GenerateStage, NamesTheCellAndThePlaceOfATemplateError) {
  project.write(kTemplate, "FROM {{base}}\nRUN {{pyhton}}\n");
  const Error error = refused();
  EXPECT_EQ(error.code, ErrorCode::bad_input);
  EXPECT_THAT(describe(error),
              AllOf(HasSubstr("docker/Dockerfile.mustache:2:"), HasSubstr("cell cpu-py3.11"), HasSubstr("pyhton")));
  EXPECT_THAT(error.hint, HasSubstr("python"));
  EXPECT_FALSE(project.exists(kFirst));
}

TEST_F(GenerateStage, SaysThatTheTemplateIsMissing) {
  generate.template_file = "docker/none.mustache";
  EXPECT_THAT(refused().message, HasSubstr("docker/none.mustache"));
}

TEST_F(GenerateStage, InsistsOnEveryHandKeptDockerfile) {
  generate.template_file.clear();
  for (const std::string cell : {"cpu-py3.11", "cuda-py3.11", "cpu-py3.13"}) {
    project.write("docker/dockerfiles/Dockerfile." + cell, "FROM x");
  }
  const Error error = refused();
  EXPECT_EQ(error.code, ErrorCode::bad_input);
  EXPECT_THAT(error.message, HasSubstr("Dockerfile.cuda-py3.13"));
  project.write("docker/dockerfiles/Dockerfile.cuda-py3.13", "FROM x");
  const auto result = run();
  ASSERT_TRUE(result);
  EXPECT_THAT(result->written, IsEmpty());
}

TEST_F(GenerateStage, RunsTheProjectsOwnGenerator) {
  generate_by("echo generating; " + write_all("FROM mine"));
  const auto result = run();
  ASSERT_TRUE(result) << describe(result.error());
  EXPECT_THAT(result->written, SizeIs(4));
  EXPECT_EQ(project.read(kFirst), "FROM mine");
  EXPECT_EQ(project.read(".crategate/logs/generate.log"), "generating\n");
  EXPECT_THAT(run()->written, IsEmpty());
}

TEST_F(GenerateStage, InsistsThatTheGeneratorWritesEveryFile) {
  generate_by("mkdir -p docker/dockerfiles; echo FROM x >docker/dockerfiles/Dockerfile.cpu-py3.11");
  EXPECT_THAT(refused().message, HasSubstr("cell cuda-py3.11"));
}

TEST_F(GenerateStage, FailsAsTheGeneratorDoes) {
  generate_by("echo no template >&2; exit 4");
  const Error error = refused();
  EXPECT_EQ(error.code, ErrorCode::tests_failed);
  EXPECT_THAT(error.message, AllOf(HasSubstr("generate.run"), HasSubstr("exit 4"), HasSubstr("no template")));
  generate.timeout = std::chrono::milliseconds(300);
  generate.run = {"sleep", "60"};
  EXPECT_THAT(refused().message, HasSubstr("time limit"));
}

TEST_F(GenerateStage, RestoresTheFilesAfterCheckingWithTheGenerator) {
  generate_by(write_all("FROM mine\\n"));
  ASSERT_TRUE(run());
  project.write(kFirst, "FROM edited\n");
  const Error error = refused(true);
  EXPECT_EQ(error.code, ErrorCode::drifted);
  EXPECT_EQ(error.location->file, kFirst);
  EXPECT_EQ(project.read(kFirst), "FROM edited\n");
}

TEST_F(GenerateStage, LeavesNoNewFileAfterCheckingWithTheGenerator) {
  project.write(kFirst, "FROM mine");
  generate_by(write_all("FROM mine"));
  EXPECT_THAT(refused(true).message, HasSubstr("3 of 4"));
  EXPECT_EQ(project.read(kFirst), "FROM mine");
  EXPECT_FALSE(project.exists("docker/dockerfiles/Dockerfile.cuda-py3.13"));
}

TEST_F(GenerateStage, RestoresTheFilesWhenTheGeneratorFailsDuringACheck) {
  project.write(kFirst, "FROM mine");
  generate_by(write_all("half") + "; exit 1");
  EXPECT_EQ(refused(true).code, ErrorCode::tests_failed);
  EXPECT_EQ(project.read(kFirst), "FROM mine");
  EXPECT_FALSE(project.exists("docker/dockerfiles/Dockerfile.cuda-py3.13"));
}

TEST_F(GenerateStage, NeverReadsThroughALinkThatTheGeneratorLeft) {
  project.directory.write("secret", "FROM secret");
  generate_by(write_all("FROM x") + "; ln -sf ../../../secret docker/dockerfiles/Dockerfile.cpu-py3.11");
  EXPECT_EQ(refused().code, ErrorCode::bad_input);
}

TEST_F(GenerateStage, RunsTheGeneratorInItsImage) {
  in_action = true;
  generate_by("");
  EXPECT_THAT(refused().message, HasSubstr("generate.image"));
  generate.image = "python:3.12";
  engine.add("python:3.12", {});
  generate.run = {"python3", "docker/dockerfile.py"};
  engine.containers_run([this](const auto&, const auto&) {
    for (const auto& cell : plan->cells) project.write(cell.dockerfile, "FROM container");
    return Result<docker::ContainerOutcome>(docker::ContainerOutcome{});
  });
  ASSERT_TRUE(run());
  ASSERT_THAT(engine.containers, SizeIs(1));
  const auto& spec = engine.containers.front();
  EXPECT_EQ(spec.image, "python:3.12");
  EXPECT_TRUE(spec.override_entrypoint);
  EXPECT_THAT(spec.entrypoint, ElementsAre("python3"));
  EXPECT_THAT(spec.command, ElementsAre("docker/dockerfile.py"));
  EXPECT_THAT(spec.binds, ElementsAre(project.workspace.root.string() + ":/work"));
}

}  // namespace
}  // namespace crategate::stages
