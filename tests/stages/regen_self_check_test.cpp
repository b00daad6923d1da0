#include "stages/regen_self_check.h"

#include <gmock/gmock.h>

#include "stages/fake_github.h"
#include "stages/project.h"

namespace crategate::stages {
namespace {

using ::testing::HasSubstr;

class SelfCheck : public ::testing::Test {
 protected:
  SelfCheck() {
    project.init();
    project.environment.set("GITHUB_REPOSITORY", "o/r");
    project.environment.set("RUNNER_TEMP", (project.directory / "temp").string());
  }
  std::string refusal(bool with_token = true) {
    const auto checked = check_surroundings(project.workspace, {.environment = project.environment,
                                                                .processes = project.processes,
                                                                .files = project.files,
                                                                .github = with_token ? &github : nullptr});
    return checked ? "" : checked.error().message;
  }
  sample::Project project;
  sample::FakeGitHub github;
};

TEST_F(SelfCheck, LetsAJobPassThatMayOnlyRead) {
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(refusal(false), "");
}

TEST_F(SelfCheck, TakesEveryDoubtForAYes) {
  github.may_write = true;
  EXPECT_THAT(refusal(), HasSubstr("a token that may not write"));
  github.may_write = std::nullopt;
  EXPECT_THAT(refusal(), HasSubstr("a token that may not write"));
  github.failure = ErrorCode::unavailable;
  EXPECT_THAT(refusal(), HasSubstr("a token that may not write"));
  github.failure.reset();
  github.may_write = false;
  project.environment.unset("GITHUB_REPOSITORY");
  EXPECT_THAT(refusal(), HasSubstr("a token that may not write"));
}

TEST_F(SelfCheck, FindsWhatTheCheckoutKeeps) {
  project.git({"config", "http.https://github.com/.extraheader", "AUTHORIZATION: basic c2VjcmV0"});
  EXPECT_THAT(refusal(), HasSubstr("found http.https://github.com/.extraheader"));
  EXPECT_THAT(refusal(), ::testing::Not(HasSubstr("c2VjcmV0")));
  project.git({"config", "--unset", "http.https://github.com/.extraheader"});
  project.directory.write("temp/git-credentials-4711.config", "[http]\n");
  EXPECT_THAT(refusal(false), HasSubstr("RUNNER_TEMP/git-credentials-4711.config"));
}

}  // namespace
}  // namespace crategate::stages
