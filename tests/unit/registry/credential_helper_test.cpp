// Credential helpers as real child processes.
#include "registry/credential_helper.h"

#include <gmock/gmock.h>

#include "base/strings.h"
#include "support/fakes.h"
#include "support/scripted_process_runner.h"
#include "support/test_directory.h"

namespace crategate::registry {
namespace {

using testing::HasSubstr;
using testing::Not;

/// A PATH of the test's own with scripts as helpers.
struct HelperFixture {
  HelperFixture() { environment.set("PATH", concat(bin.path().string(), ":/usr/bin:/bin")); }
  void install(const std::string& name, const std::string& script) const {
    const sys::Path file = concat("docker-credential-", name);
    bin.write(file, concat("#!/bin/sh\n", script, "\n"));
    std::filesystem::permissions(bin / file, std::filesystem::perms::owner_all);
  }
  auto ask(const std::string& registry = "ghcr.io") { return helpers.ask("test", registry); }

  test::TestDirectory bin;
  test::FakeEnvironment environment;
  sys::PosixProcessRunner processes;
  CredentialHelpers helpers{processes, environment, "/nonexistent/workspace"};
};

TEST(CredentialHelper, IsToldTheServerAndTellsTheLogin) {
  HelperFixture fixture;
  fixture.install("test", R"(read server; test "$1" = get || exit 3
printf '{"ServerURL":"%s","Username":"user of %s","Secret":"pass-word"}' "$server" "$server")");
  const auto login = fixture.ask().value().value();
  EXPECT_EQ(login.username, "user of ghcr.io");
  EXPECT_EQ(login.password.reveal(), "pass-word");
  EXPECT_TRUE(login.identity_token.empty());
  EXPECT_EQ(fixture.ask("docker.io").value().value().username, "user of https://index.docker.io/v1/");
  EXPECT_EQ(fixture.ask("localhost:5000").value().value().username, "user of localhost:5000");
}

TEST(CredentialHelper, GivesAnIdentityTokenUnderItsOwnUserName) {
  HelperFixture fixture;
  fixture.install("test", R"(echo '{"Username":"<token>","Secret":"the-identity"}')");
  const auto login = fixture.ask().value().value();
  EXPECT_EQ(login.identity_token.reveal(), "the-identity");
  EXPECT_EQ(login.username, "");
  EXPECT_TRUE(login.password.empty());
}

TEST(CredentialHelper, ThatKnowsNoLoginMeansAnonymous) {
  HelperFixture fixture;
  for (const char* script : {"echo credentials not found in native keychain; exit 1",
                             R"(echo '{"ServerURL":"","Username":"","Secret":""}')"}) {
    fixture.install("test", script);
    const auto login = fixture.ask();
    ASSERT_TRUE(login) << describe(login.error());
    EXPECT_FALSE(*login) << script;
  }
}

struct FailureRow {
  const char *name, *script, *says;
};

class FailingHelper : public testing::TestWithParam<FailureRow> {};

TEST_P(FailingHelper, IsAnErrorThatNamesHelperAndRegistryButNoSecret) {
  HelperFixture fixture;
  fixture.install("test", GetParam().script);
  const auto login = fixture.ask();
  ASSERT_FALSE(login);
  EXPECT_EQ(login.error().code, ErrorCode::unauthenticated);
  EXPECT_THAT(login.error().message, HasSubstr("docker-credential-test"));
  EXPECT_THAT(login.error().message, HasSubstr("ghcr.io"));
  EXPECT_THAT(login.error().message, HasSubstr(GetParam().says));
  EXPECT_THAT(login.error().message, Not(HasSubstr("pass-word")));
  EXPECT_THAT(login.error().message, Not(HasSubstr("\x1b")));
  EXPECT_FALSE(login.error().message.find('\n') != std::string::npos);
  EXPECT_THAT(login.error().hint, HasSubstr("docker-credential-test get"));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, FailingHelper,
    testing::Values(FailureRow{"Complains", "echo 'pass not initialized'; echo more; exit 1", "exit code 1: pass not"},
                    FailureRow{"ComplainsOnStderr", "echo 'no session' >&2; exit 7", "exit code 7: no session"},
                    FailureRow{"SaysNothing", "exit 1", "exit code 1"},
                    FailureRow{"ForgesACommand", "printf '::add-mask::x\\033[31m'; exit 1", "exit code 1"},
                    FailureRow{"AnswersAndFails", R"(echo '{"Username":"me","Secret":"pass-word"}'; exit 1)",
                               "exit code 1"},
                    FailureRow{"NoJson", "echo pass-word", "no JSON object"},
                    FailureRow{"Array", "echo '[]'", "no JSON object"}, FailureRow{"Silence", "true", "no JSON object"},
                    FailureRow{"NumberAsSecret", R"(echo '{"Username":"me","Secret":7}')", "no text"},
                    FailureRow{"SecretWithoutUser", R"(echo '{"Username":"","Secret":"pass-word"}')", "without a user"},
                    FailureRow{"TooMuch", "head -c 70000 /dev/zero | tr '\\0' x", "more than 65536 bytes"},
                    FailureRow{"IsKilled", "kill -9 $$", "exit code 137"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(CredentialHelper, ThatCannotBeStartedIsAnError) {
  HelperFixture fixture;
  fixture.bin.write("docker-credential-test",
                    "\x7f"
                    "ELF but not really");
  std::filesystem::permissions(fixture.bin / "docker-credential-test", std::filesystem::perms::owner_all);
  EXPECT_EQ(fixture.ask().error().code, ErrorCode::unauthenticated);
}

TEST(CredentialHelper, HasThirtySeconds) {
  test::ScriptedProcessRunner processes;
  test::FakeEnvironment environment;
  processes.expect_where(
      "a helper", [](const sys::Command&) { return true; },
      [](const sys::Command&, const sys::RunOptions& options) -> Result<sys::ProcessOutcome> {
        EXPECT_EQ(options.timeout, std::chrono::seconds(30));
        return sys::ProcessOutcome{.exit_code = 143, .timed_out = true};
      });
  const auto login = CredentialHelpers(processes, environment, "").ask("test", "ghcr.io");
  ASSERT_FALSE(login);
  EXPECT_EQ(login.error().code, ErrorCode::unauthenticated);
  EXPECT_THAT(login.error().message, HasSubstr("no answer within 30 s"));
}

TEST(CredentialHelper, IsAPlainNameOnly) {
  HelperFixture fixture;
  for (const std::string& name : {std::string("../evil"), std::string("/bin/sh"), std::string("-x"), std::string(".x"),
                                  std::string("a b"), std::string("a;b"), std::string("a\nb"), std::string(65, 'a')}) {
    const auto login = fixture.helpers.ask(name, "ghcr.io");
    ASSERT_FALSE(login) << name;
    EXPECT_EQ(login.error().code, ErrorCode::bad_input) << name;
  }
}

TEST(CredentialHelper, SeesWhatCloudsNeedAndNothingElse) {
  HelperFixture fixture;
  for (const char* name : {"AWS_PROFILE", "GOOGLE_APPLICATION_CREDENTIALS", "AZURE_CLIENT_ID", "CLOUDSDK_CONFIG",
                           "DOCKER_CONFIG", "INPUT_PASSWORD", "GITHUB_TOKEN", "XAWS_PROFILE"}) {
    fixture.environment.set(name, "x");
  }
  fixture.install("test", R"(names=$(env | grep '=x$' | cut -d= -f1 | sort | tr '\n' ' ')
printf '{"Username":"%s","Secret":"pass-word"}' "$names")");
  EXPECT_EQ(fixture.ask().value().value().username,
            "AWS_PROFILE AZURE_CLIENT_ID CLOUDSDK_CONFIG DOCKER_CONFIG GOOGLE_APPLICATION_CREDENTIALS ");
}

TEST(CredentialHelper, IsNotTakenFromTheProjectInAJob) {
  HelperFixture fixture;
  fixture.environment.set("GITHUB_ACTIONS", "true");
  fixture.install("test", R"(echo '{"Username":"me","Secret":"pass-word"}')");
  const CredentialHelpers helpers(fixture.processes, fixture.environment, fixture.bin.path());
  EXPECT_EQ(helpers.ask("test", "ghcr.io").error().code, ErrorCode::not_found) << "A72";
}

struct OrderFixture : HelperFixture {
  std::string user_of(const std::string& registry, const std::string& config) {
    const auto parsed = parse_docker_config(config, "config.json");
    const auto login = find_login(parsed.value(), helpers, registry);
    if (!login) return concat("error ", name(login.error().code));
    return *login ? (*login)->username : "(anonymous)";
  }
};

TEST(DockerLogin, IsLookedUpInDockersOrder) {
  OrderFixture fixture;
  fixture.install("own", R"(echo '{"Username":"own","Secret":"pass-word"}')");
  fixture.install("all", R"(echo '{"Username":"all","Secret":"pass-word"}')");
  fixture.install("none", "echo credentials not found in native keychain; exit 1");
  fixture.install("bad", "echo locked; exit 1");
  const std::string auths = concat(R"("auths":{"ghcr.io":{"auth":")", base64("file:pass-word"), "\"}}");
  const struct {
    const char *registry, *rest, *user;
  } rows[] = {
      {"ghcr.io", "", "file"},
      {"quay.io", "", "(anonymous)"},
      {"ghcr.io", R"(,"credsStore":"all")", "all"},
      {"quay.io", R"(,"credsStore":"all")", "all"},
      {"ghcr.io", R"(,"credsStore":"all","credHelpers":{"ghcr.io":"own"})", "own"},
      {"quay.io", R"(,"credsStore":"all","credHelpers":{"ghcr.io":"own"})", "all"},
      {"ghcr.io", R"(,"credsStore":"all","credHelpers":{"ghcr.io":""})", "file"},
      {"ghcr.io", R"(,"credHelpers":{"ghcr.io":"none"})", "(anonymous)"},
      {"ghcr.io", R"(,"credHelpers":{"ghcr.io":"missing"})", "file"},
      {"quay.io", R"(,"credHelpers":{"quay.io":"missing"})", "error unauthenticated"},
      {"ghcr.io", R"(,"credHelpers":{"ghcr.io":"bad"})", "error unauthenticated"},
      {"ghcr.io", R"(,"credHelpers":{"ghcr.io":"../bad"})", "error bad-input"},
      {"ghcr.io", R"(,"credHelpers":{"quay.io":"../bad"})", "file"},
  };
  for (const auto& [registry, rest, user] : rows)
    EXPECT_EQ(fixture.user_of(registry, concat('{', auths, rest, '}')), user) << registry << ' ' << rest;
}

TEST(DockerLogin, NamesTheHelperThatIsMissing) {
  HelperFixture fixture;
  const auto config = parse_docker_config(R"({"credsStore":"desktop"})", "config.json");
  const auto login = find_login(*config, fixture.helpers, "ghcr.io");
  ASSERT_FALSE(login);
  EXPECT_THAT(login.error().message, HasSubstr("docker-credential-desktop"));
  EXPECT_THAT(login.error().message, HasSubstr("ghcr.io"));
  EXPECT_THAT(login.error().message, HasSubstr("no such program"));
}

}  // namespace
}  // namespace crategate::registry
