// What a docker that is none sees of us: its environment, word for word, and that its end is ours to explain.
#include <gmock/gmock.h>

#include "base/strings.h"
#include "docker/build.h"
#include "support/fake_engine.h"
#include "support/fakes.h"
#include "support/test_directory.h"

namespace crategate::docker {
namespace {

using testing::HasSubstr;

struct BuildChild : testing::Test {
  BuildChild() {
    environment.set("PATH", concat((directory / "bin").string(), ":/usr/bin:/bin"));
    environment.set("HOME", directory.path().string());
  }
  /// `docker` does this; $out is a file that the test reads.
  void docker_does(const std::string& script) const {
    directory.write("bin/docker", concat("#!/bin/sh\n[ \"$2\" != version ] || exit 0\nout='",
                                         (directory / "out").string(), "'\n", script, "\n"));
    std::filesystem::permissions(directory / "bin/docker", std::filesystem::perms::owner_all);
  }
  Result<BuildOutcome> build() {
    std::filesystem::create_directories(directory / "workspace");
    BuildxBuilder builder(processes, environment, engine, directory / "workspace", "", std::move(login));
    BuildRequest request;
    request.dockerfile = "Dockerfile";
    request.tags = {"img:1"};
    request.secrets = {"id=t,env=WANTED"};
    request.log_in = true;
    return builder.build(request, std::chrono::seconds(20), {});
  }
  test::TestDirectory directory;
  test::FakeEnvironment environment;
  test::FakeEngine engine;
  sys::PosixProcessRunner processes;
  RegistryLogin login;
};

/// A71
TEST_F(BuildChild, GetsTheEnvironmentOfTheListAndNoOther) {
  for (const char* name : {"LD_PRELOAD",
                           "LD_LIBRARY_PATH",
                           "BASH_ENV",
                           "ENV",
                           "GIT_DIR",
                           "GIT_CONFIG_COUNT",
                           "GIT_SSH_COMMAND",
                           "NETRC",
                           "CURL_CA_BUNDLE",
                           "DOCKER_CONTEXT",
                           "DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND",
                           "BUILDX_BUILDER",
                           "BUILDKIT_HOST",
                           "GITHUB_TOKEN",
                           "ACTIONS_RUNTIME_TOKEN",
                           "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
                           "INPUT_PASSWORD",
                           "INPUT_GITHUB-TOKEN",
                           "NODE_OPTIONS",
                           "PYTHONPATH",
                           "SSH_AUTH_SOCK"}) {
    environment.set(name, "hostile");
  }
  for (const char* name : {"DOCKER_HOST", "HTTPS_PROXY", "LC_ALL", "WANTED"}) environment.set(name, "kept");
  docker_does("env | grep -vE '^(_|PWD|OLDPWD|SHLVL|HOME|PATH)=' | sort >\"$out\"; exit 1");
  ASSERT_FALSE(build());
  EXPECT_EQ(directory.read("out"), "DOCKER_HOST=kept\nHTTPS_PROXY=kept\nLC_ALL=kept\nWANTED=kept\n");
}

/// A82
TEST_F(BuildChild, FindsTheLoginInAFileAndNotInItsArguments) {
  login = {"ghcr.io", "me", Secret("hunter2-canary")};
  docker_does(
      "{ tr '\\0' '\\n' </proc/$$/cmdline; env; } | grep -c -e hunter2 -e 'bWU6aHVudGVyMi1jYW5hcnk' >\"$out\"\n"
      "cat \"$DOCKER_CONFIG/config.json\" >>\"$out\"; echo \"$DOCKER_CONFIG\" >\"$out.place\"; exit 1");
  const auto built = build();
  ASSERT_FALSE(built);
  EXPECT_EQ(directory.read("out"), R"(0
{"auths":{"ghcr.io":{"auth":"bWU6aHVudGVyMi1jYW5hcnk="}},"credHelpers":{"ghcr.io":""}})");
  EXPECT_FALSE(std::filesystem::exists(std::string(trim(directory.read("out.place")))));
}

/// A75
TEST_F(BuildChild, HasThreeDescriptors) {
  docker_does("exec ls /proc/self/fd >\"$out\"");
  ASSERT_FALSE(build());
  EXPECT_EQ(directory.read("out"), "0\n1\n2\n3\n") << "3 is the directory that ls reads";
}

/// B25
TEST_F(BuildChild, ThatIsKilledIsTheEnginesFailure) {
  docker_does("echo '#7 0.1 linking'; kill -9 $$");
  const auto built = build();
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().code, ErrorCode::engine);
  EXPECT_THAT(built.error().message, HasSubstr("was killed, exit code 137"));
  EXPECT_THAT(built.error().hint, HasSubstr("memory"));
}

/// A72
TEST_F(BuildChild, IsNoDecoyOfTheWorkspace) {
  directory.write("workspace/bin/docker", "#!/bin/sh\necho decoy >'" + (directory / "decoy").string() + "'\n");
  std::filesystem::permissions(directory / "workspace/bin/docker", std::filesystem::perms::owner_all);
  docker_does("echo real >\"$out\"; exit 1");
  environment.set("GITHUB_ACTIONS", "true");
  environment.set("PATH", concat((directory / "workspace/bin").string(), ":bin:", (directory / "bin").string()));
  ASSERT_FALSE(build());
  EXPECT_EQ(directory.read("out"), "real\n");
  EXPECT_FALSE(directory.exists("decoy"));
}

}  // namespace
}  // namespace crategate::docker
