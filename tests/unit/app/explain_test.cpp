// explain: what is in force and where it was set.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/application.h"
#include "app/commands.h"
#include "json/value.h"
#include "stages/project.h"

namespace crategate::app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ExplainCommand : public ::testing::Test {
 protected:
  ExplainCommand() {
    ::setenv("TEST_PASSWORD", "hunter2-hunter2", 1);
    project.write("crategate.yml",
                  "image: me/app-{cell}\naxes:\n  python: {file: PYTHON_VERSIONS}\n  runtime: [cpu, cuda]\n"
                  "test:\n  run: [make, test]\n  timeout: 7m\n");
  }
  /// Standard output of the command, or its error's message and hint.
  std::string run(std::vector<std::string> words) {
    words.push_back("--workspace=" + project.workspace.root.string());
    auto line = parse_command_line(words);
    if (!line) return line.error().message;
    ::testing::internal::CaptureStdout();
    auto app = Application::create(*std::move(line));
    auto done = app->load();
    if (done) done = run_command(*app);
    app.reset();
    const std::string out = ::testing::internal::GetCapturedStdout();
    return done ? out : concat(describe(done.error()), " | ", done.error().hint);
  }
  stages::sample::Project project;
};

TEST_F(ExplainCommand, ShowsASettingAndItsOrigin) {
  EXPECT_THAT(run({"explain", "test.timeout"}), AllOf(HasSubstr("test.timeout = "), HasSubstr("crategate.yml:7:12")));
  EXPECT_THAT(run({"explain", "test-timeout", "--test-timeout", "9m"}), HasSubstr("[--test-timeout]"));
  EXPECT_THAT(run({"explain", "check.timeout"}), HasSubstr("[default]"));
}

TEST_F(ExplainCommand, RefusesALoginThatNobodyWouldUse) {
  EXPECT_THAT(run({"explain", "--username", "u", "--password", "hunter2-hunter2"}),
              AllOf(HasSubstr("--password: expected env:NAME"), Not(HasSubstr("hunter2"))));
  EXPECT_THAT(run({"explain", "--password", "env:TEST_PASSWORD"}), HasSubstr("found only the password"));
  EXPECT_THAT(run({"explain", "--username", "u"}), HasSubstr("found only the username"));
  for (const char* wrong : {"https://ghcr.io", "ghcr.io/", "ghcr.io/x", "bad host", "GHCR.IO"})
    EXPECT_THAT(run({"explain", "--registry", wrong}), HasSubstr("registry: expected a host")) << wrong;
  for (const char* right : {"ghcr.io", "localhost:5000", "docker.io"})
    EXPECT_THAT(run({"explain", "--registry", right}), HasSubstr("registry = ")) << right;
}

TEST_F(ExplainCommand, ListsEverySettingAndHidesSecrets) {
  const std::string all = run({"explain", "--username", "u", "--password", "env:TEST_PASSWORD"});
  for (const auto& row : config::settings_table()) EXPECT_THAT(all, HasSubstr(concat(row.name, " = ")));
  EXPECT_THAT(all, Not(HasSubstr("hunter2")));
}

TEST_F(ExplainCommand, GivesJson) {
  const auto document = json::Document::parse(run({"explain", "test.timeout", "--json"}), "explain");
  ASSERT_TRUE(document) << describe(document.error());
  const auto setting = document->root().at("test.timeout");
  ASSERT_TRUE(setting);
  EXPECT_THAT(setting->string("origin").value(), HasSubstr("crategate.yml"));
}

TEST_F(ExplainCommand, KnowsWhatWasMeant) {
  EXPECT_THAT(run({"explain", "test.timeot"}),
              AllOf(HasSubstr("test.timeot"), HasSubstr("Did you mean test.timeout?")));
  EXPECT_THAT(run({"explain", "xyzzy"}), HasSubstr("lists every setting"));
}

TEST_F(ExplainCommand, ShowsThePolicyRowOfAnEvent) {
  project.init();
  const std::string row = run({"explain", "policy", "--event", "push", "--ref", "refs/tags/v1.2.3"});
  EXPECT_THAT(row, AllOf(HasSubstr("release"), HasSubstr("latest")));
  EXPECT_FALSE(project.exists(".crategate"));
  EXPECT_THAT(run({"explain", "policy", "--event", "push", "--ref", "refs/tags/v9.9.9"}), HasSubstr("v9.9.9"));
}

}  // namespace
}  // namespace crategate::app
