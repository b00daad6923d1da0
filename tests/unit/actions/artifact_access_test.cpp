// What a job is told, and what of it is believed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actions/artifact_access.h"
#include "base/strings.h"
#include "support/fakes.h"

namespace crategate::actions {
namespace {

using test::FakeEnvironment;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string token_of(const std::string& claims) { return concat("aGVhZA.", base64(claims), ".c2lnbmF0dXJl"); }

const std::string kToken = token_of(R"({"scp":"Actions.Read:1 Actions.Results:ce7f54c7:ca395085 x","exp":1})");

FakeEnvironment environment(const std::string& url, const std::string& token) {
  return FakeEnvironment({{"ACTIONS_RESULTS_URL", url}, {"ACTIONS_RUNTIME_TOKEN", token}});
}

TEST(ArtifactAccess, KnowsTheIdsOfTheTokenAndDropsThePath) {
  FakeEnvironment given = environment("https://results.example/some/path?x=1", kToken);
  given.set("GITHUB_RETENTION_DAYS", "90");
  const auto access = read_artifact_access(given);
  ASSERT_TRUE(access) << describe(access.error());
  EXPECT_EQ(access->ids, (BackendIds{"ce7f54c7", "ca395085"}));
  EXPECT_EQ(access->service.text(), "https://results.example/");
  EXPECT_EQ(access->retention_limit, 90u);
  EXPECT_FALSE(access->is_act);
}

TEST(ArtifactAccess, ReadsBothAlphabetsAndPadding) {
  const std::string claims = R"({"scp":"Actions.Results:r:j","n":"ÿþ~~>>??"})";
  std::string url_safe = replace_all(replace_all(base64(claims), "+", "-"), "/", "_");
  while (url_safe.ends_with('=')) url_safe.pop_back();
  for (const std::string& part : {base64(claims), url_safe})
    EXPECT_EQ(read_backend_ids(Secret(concat("a.", part, ".c"))).value(), (BackendIds{"r", "j"}));
}

TEST(ArtifactAccess, TakesADaysLimitOnlyWhereThereIsOne) {
  for (const char* days : {"", "0", "-1", "ninety", "99999999"}) {
    FakeEnvironment given = environment("https://results.example/", kToken);
    given.set("GITHUB_RETENTION_DAYS", days);
    EXPECT_EQ(read_artifact_access(given).value().retention_limit, std::nullopt) << days;
  }
}

TEST(ArtifactAccess, SaysWhichStepsGetIt) {
  for (const auto& [url, token] : {std::pair<std::string, std::string>{"", kToken}, {"https://h/", ""}, {"", ""}}) {
    const auto access = read_artifact_access(environment(url, token));
    ASSERT_FALSE(access);
    EXPECT_EQ(access.error().code, ErrorCode::artifact_service);
    EXPECT_EQ(exit_code(access.error().code), 31);
    EXPECT_THAT(access.error().message, HasSubstr(url.empty() ? "ACTIONS_RESULTS_URL" : "ACTIONS_RUNTIME_TOKEN"));
    EXPECT_THAT(access.error().hint, AllOf(HasSubstr("container"), HasSubstr("`run:`")));
  }
}

/// A61: an address that was changed must not get the token in the clear.
TEST(ArtifactAccess, SpeaksPlainHttpOnlyToThisMachineA61) {
  for (const char* url : {"http://127.0.0.1:8080/", "http://localhost:1", "http://[::1]:80/", "http://gh.localhost/"})
    EXPECT_TRUE(read_artifact_access(environment(url, kToken))) << url;
  for (const char* url : {"http://results.example/", "http://127.example/", "http://10.0.0.1/", "ftp://h/", "h",
                          "http://127.0.0.1.evil.example/", "https://user:pw@h/"}) {
    const auto access = read_artifact_access(environment(url, kToken));
    ASSERT_FALSE(access) << url;
    EXPECT_EQ(access.error().code, ErrorCode::bad_input) << url;
  }
  FakeEnvironment act = environment("http://192.168.1.5:34567/", kToken);
  act.set("ACT", "true");
  EXPECT_TRUE(read_artifact_access(act).value().is_act);
}

TEST(ArtifactAccess, RefusesATokenThatIsNoneWithoutShowingIt) {
  struct Row {
    const char* name;
    std::string token, expected;
  };
  const Row rows[] = {
      {"no parts", "secretsecret", "three parts"},
      {"four parts", "secretsecret.b.c.d", "three parts"},
      {"no base64", "secretsecret.!!!!.c", "base64"},
      {"no JSON", concat("secretsecret.", base64("text"), ".c"), "JSON object"},
      {"a list", token_of("[]"), "JSON object"},
      {"no scopes", token_of("{}"), "`scp`"},
      {"scopes that are no text", token_of(R"({"scp":["Actions.Results:r:j"]})"), "`scp`"},
      {"other scopes", token_of(R"({"scp":"Actions.Other:r:j Actions.ResultsX:r:j"})"), "found none"},
      {"two words", token_of(R"({"scp":"Actions.Results:r"})"), "another form"},
      {"four words", token_of(R"({"scp":"Actions.Results:r:j:k"})"), "another form"},
      {"an empty id", token_of(R"({"scp":"Actions.Results::j"})"), "another form"},
      {"a strange id", token_of(R"({"scp":"Actions.Results:r:j\n"})"), "another form"},
  };
  for (const Row& row : rows) {
    const auto ids = read_backend_ids(Secret(row.token));
    ASSERT_FALSE(ids) << row.name;
    EXPECT_EQ(ids.error().code, ErrorCode::artifact_service) << row.name;
    EXPECT_THAT(describe(ids.error()), HasSubstr(row.expected)) << row.name;
    EXPECT_THAT(describe(ids.error()), Not(HasSubstr(row.token))) << row.name;
    EXPECT_THAT(describe(ids.error()), Not(HasSubstr("secretsecret"))) << row.name;
  }
}

}  // namespace
}  // namespace crategate::actions
