// run: where it stops and what it asks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/application.h"
#include "app/commands.h"
#include "json/value.h"
#include "stages/project.h"

namespace crategate::app {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class RunCommand : public ::testing::Test {
 protected:
  RunCommand() {
    project.write("crategate.yml",
                  "image: me/app-{cell}\naxes:\n  python: {file: PYTHON_VERSIONS}\n  runtime: [cpu, cuda]\n"
                  "generate: {output: \"Dockerfile.{cell}\"}\ncheck: {run: [\"false\"]}\n");
    project.init();
  }
  /// Runs it against a registry that does not answer; keeps standard output.
  Result<void> run(std::vector<std::string> words) {
    words.push_back("--workspace=" + project.workspace.root.string());
    words.insert(words.end(), {"--to=127.0.0.1:1", "--event=push", "--ref=refs/tags/v1.2.3"});
    CG_TRY(auto line, parse_command_line(words));
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    auto app = Application::create(std::move(line));
    auto done = app->load();
    if (done) done = run_command(*app);
    app.reset();
    out = ::testing::internal::GetCapturedStdout();
    ::testing::internal::GetCapturedStderr();
    return done;
  }
  std::string out;
  stages::sample::Project project;
};

TEST_F(RunCommand, ReportsAFailedCheckWithoutAskingTheRegistry) {
  const auto done = run({"run"});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::tests_failed) << describe(done.error());
  EXPECT_THAT(out, AllOf(HasSubstr("check failed  generate skipped"), HasSubstr("failed; nothing more was published")));
  const auto report = json::Document::parse(project.read(".crategate/release.json"), "release.json");
  ASSERT_TRUE(report) << describe(report.error());
  EXPECT_EQ(report->root().string("verdict").value(), "failed; nothing more was published");
}

TEST_F(RunCommand, ReportsAMissingDockerfileWithoutAskingTheRegistry) {
  const auto done = run({"run", "--check-run=true"});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::bad_input) << describe(done.error());
  EXPECT_THAT(out, HasSubstr("generate failed"));
  EXPECT_TRUE(project.exists(".crategate/release.json"));
}

TEST_F(RunCommand, ShowsHarmlessLinesInADryRun) {
  const auto done = run({"run", "--dry-run", "--check-run=[\"echo\", \"##[error]a\", \"\\nb\\n::error::c\\x1b[2J\"]"});
  ASSERT_TRUE(done) << describe(done.error());
  EXPECT_THAT(out, AllOf(HasSubstr("## [error]a"), HasSubstr(": :error::c"), Not(HasSubstr("##[")),
                         Not(HasSubstr("\n::")), Not(HasSubstr("\x1b"))));
}

}  // namespace
}  // namespace crategate::app
