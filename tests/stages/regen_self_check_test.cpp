#include "stages/regen_self_check.h"

#include <gmock/gmock.h>

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
  std::string refusal(bool with_token = true, bool with_push_token = false) {
    SelfCheckServices svc{.environment = project.environment,
                          .processes = project.processes,
                          .files = project.files,
                          .may_push = nullptr};
    if (with_token) {
      svc.may_push = [this](const github::RepositoryName& repository) {
        asked.push_back(repository.text());
        return may_push;
      };
    }
    const auto checked = check_surroundings(project.workspace, with_push_token, svc);
    return checked ? "" : checked.error().message;
  }
  sample::Project project;
  Result<bool> may_push = false;
  std::vector<std::string> asked;
};

TEST_F(SelfCheck, LetsAJobPassThatMayOnlyRead) {
  EXPECT_EQ(refusal(), "");
  EXPECT_THAT(asked, ::testing::ElementsAre("o/r"));
}

TEST_F(SelfCheck, RefusesATokenToPushWith) {
  may_push = true;
  EXPECT_THAT(refusal(), HasSubstr("a token that may not write"));
  may_push = false;
  EXPECT_THAT(refusal(true, true), HasSubstr("expected no push-token, found one"));
}

TEST_F(SelfCheck, TakesEveryDoubtForAYes) {
  may_push = fail(ErrorCode::unavailable, "no answer");
  EXPECT_THAT(refusal(), HasSubstr("a token that may not write"));
  may_push = false;
  EXPECT_THAT(refusal(false), HasSubstr("the job's own token as github-token, found none"));
  project.environment.unset("GITHUB_REPOSITORY");
  EXPECT_THAT(refusal(), HasSubstr("a token that may not write"));
}

TEST_F(SelfCheck, FindsWhatTheCheckoutKeeps) {
  project.git({"config", "http.https://github.com/.extraheader", "AUTHORIZATION: basic c2VjcmV0"});
  EXPECT_THAT(refusal(), HasSubstr("found http.https://github.com/.extraheader"));
  EXPECT_THAT(refusal(), ::testing::Not(HasSubstr("c2VjcmV0")));
  project.git({"config", "--unset", "http.https://github.com/.extraheader"});
  project.directory.write("temp/git-credentials-4711.config", "[http]\n");
  EXPECT_THAT(refusal(), HasSubstr("RUNNER_TEMP/git-credentials-4711.config"));
}

}  // namespace
}  // namespace crategate::stages
