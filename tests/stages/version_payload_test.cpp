// A10: a version that would be a command, an option, an expression or a second line to one of its sinks. None is ever
// planned, wherever it comes from; and what is planned reaches every sink as it is.
#include <gmock/gmock.h>

#include "docker/build.h"
#include "stages/build.h"
#include "stages/generate.h"
#include "stages/project.h"
#include "support/fake_engine.h"

namespace crategate::stages {
namespace {

using sample::Project;
using ::testing::Contains;
using ::testing::HasSubstr;

const std::vector<std::string>& pieces() {
  static const std::vector<std::string> all = {"$(id)",
                                               "`id`",
                                               ";id",
                                               "|id",
                                               "&&id",
                                               ">owned",
                                               "\n::error::x",
                                               "\r::set-output name=version::x",
                                               "\nEOF\nversion=x",
                                               "%0A::error::x",
                                               "##[command]id",
                                               "${{ github.token }}",
                                               "${IFS}",
                                               "{{base}}",
                                               "\x1b[2J",
                                               "'",
                                               "\"",
                                               "\\",
                                               " --privileged",
                                               "/../..",
                                               "@sha256:0",
                                               ",push=true"};
  return all;
}

/// Each piece before, inside and behind a version: more than sixty.
std::vector<std::string> payloads() {
  std::vector<std::string> all;
  for (const auto& piece : pieces()) {
    all.insert(all.end(), {concat(piece, "v1.0.0"), concat("v1.", piece, "0.0"), concat("v1.0.0", piece)});
  }
  return all;
}

class VersionPayloads : public ::testing::Test {
 protected:
  VersionPayloads() {
    project.invocation.event = "schedule";
    project.invocation.ref = "refs/heads/main";
  }
  void expect_refused(const std::string& payload) {
    const auto plan = project.plan();
    ASSERT_FALSE(plan) << quoted(payload);
    EXPECT_EQ(exit_code(plan.error().code), 2) << quoted(payload);
    EXPECT_FALSE(project.exists(".crategate")) << quoted(payload);
    EXPECT_FALSE(project.exists("owned")) << quoted(payload);
  }
  Project project;
};

TEST_F(VersionPayloads, AreRefusedInTheFile) {
  ASSERT_GE(payloads().size(), 60U);
  for (const auto& payload : payloads()) {
    project.write("VERSION", concat(payload, "\n"));
    expect_refused(payload);
  }
}

TEST_F(VersionPayloads, AreRefusedAsSetting) {
  for (const auto& payload : payloads()) {
    project.configuration.version = {.value = payload};
    expect_refused(payload);
  }
}

TEST_F(VersionPayloads, AreRefusedFromACommand) {
  for (const auto& piece : pieces()) {
    project.configuration.version = {.file = "", .command = {"printf", "%s", concat("v1.0.0", piece)}};
    expect_refused(piece);
  }
}

TEST_F(VersionPayloads, AreRefusedAsGitTag) {
  project.git({"init", "-q"});
  const std::string commit = project.commit("first");
  project.configuration.version = {.file = "", .git_tag = true};
  for (const std::string piece :
       {"$(id)", "`id`", ";id", "|id", "&&id", ">owned", "%0A", "${IFS}", "{{base}}", "'", "\"", ",push=true", "/x"}) {
    const std::string tag = concat("refs/tags/v1.0.0", piece);
    project.git({"update-ref", tag, commit});
    expect_refused(piece);
    project.git({"update-ref", "-d", tag});
  }
}

TEST_F(VersionPayloads, ThatAreVersionsReachEverySinkAsTheyAre) {
  project.init();
  project.write("docker/Dockerfile.mustache", "FROM x\nENV V={{version}}");
  for (const std::string version : {"v1.0.0--", "1.0.0-x-y-z.0", "v1.0.0-rc.1", "V1.0.0_RC_03"}) {
    project.write("VERSION", concat(version, "\n"));
    const auto plan = project.plan();
    ASSERT_TRUE(plan) << describe(plan.error());
    const auto& cell = plan->cells.front();
    EXPECT_EQ(plan->version, version);
    EXPECT_THAT(pipeline::to_json(*plan), HasSubstr(concat(R"("version":")", version, "\"")));
    test::RecordingWorkflow workflow;
    ASSERT_TRUE(publish_plan(*plan, true, project.workspace, project.files, workflow));
    EXPECT_EQ(workflow.outputs["version"], version);
    EXPECT_THAT(workflow.summary, HasSubstr(replace_all(version, "_", "&#95;")));
    const auto request = build_request({project.configuration, *plan, cell, project.workspace, {}, {}});
    EXPECT_THAT(docker::build_arguments(request), Contains(concat("--tag=", cell.image, ":", version)));
    test::FakeEngine engine;
    ASSERT_TRUE(run_generate({project.configuration.generate, *plan, project.workspace, false, false},
                             {project.files,
                              {project.processes, project.environment},
                              [&engine]() -> Result<docker::Engine*> { return &engine; },
                              [](std::string_view) {}}));
    EXPECT_EQ(project.read(cell.dockerfile), concat("FROM x\nENV V=", version));
  }
}

}  // namespace
}  // namespace crategate::stages
