// The docker client's configuration for our children: what is in it, where it is, when it goes.
#include "docker/client_config.h"

#include <gmock/gmock.h>

#include "base/strings.h"
#include "json/value.h"
#include "support/fakes.h"
#include "support/test_directory.h"

namespace crategate::docker {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kAuth = base64("me:hunter2-canary");

RegistryLogin login(const std::string& registry = "ghcr.io") { return {registry, "me", Secret("hunter2-canary")}; }

TEST(ConfigWithLogin, AddsTheLoginAndKeepsTheRest) {
  const auto config = config_with_login(
      R"({"auths":{"a.io":{"auth":"eA=="},"ghcr.io":{"identitytoken":"old"}},"currentContext":"c","credsStore":"desktop",)"
      R"("credHelpers":{"b.io":"b"}})",
      login());
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(*config,
            concat(R"({"auths":{"a.io":{"auth":"eA=="},"ghcr.io":{"auth":")", kAuth,
                   R"("}},"credHelpers":{"b.io":"b","ghcr.io":""},"credsStore":"desktop","currentContext":"c"})"));
}

TEST(ConfigWithLogin, CallsDockerHubByItsOldName) {
  for (const char* registry : {"", "docker.io"}) {
    const auto config = config_with_login("", login(registry));
    ASSERT_TRUE(config);
    EXPECT_EQ(*config, concat(R"({"auths":{"https://index.docker.io/v1/":{"auth":")", kAuth,
                              R"("}},"credHelpers":{"https://index.docker.io/v1/":""}})"));
  }
}

TEST(ConfigWithLogin, RefusesWhatIsNoConfiguration) {
  for (const char* text : {"[]", "{", R"({"auths":[]})", R"({"credHelpers":1})"}) {
    const auto config = config_with_login(text, login());
    ASSERT_FALSE(config) << text;
    EXPECT_EQ(config.error().code, ErrorCode::bad_input);
    EXPECT_THAT(config.error().message, HasSubstr("config.json"));
  }
}

struct ClientConfigTest : testing::Test {
  Result<std::map<std::string, std::string>> variables(bool with_login, const RegistryLogin& given = login()) {
    config.emplace(environment, directory / "workspace", given);
    return config->variables(with_login);
  }
  sys::Path docker_config() {
    const auto found = variables(true);
    EXPECT_TRUE(found) << (found ? "" : found.error().message);
    return found ? found->at("DOCKER_CONFIG") : "";
  }
  test::TestDirectory directory;
  test::FakeEnvironment environment{{{"HOME", (directory / "home").string()}}};
  std::optional<ClientConfig> config;
};

TEST_F(ClientConfigTest, ChangesNothingWithoutALogin) { EXPECT_THAT(variables(true, {}).value(), IsEmpty()); }

/// A04, A83: a pull request's build gets no login, and none is written anywhere.
TEST_F(ClientConfigTest, KeepsTheLoginFromABuildThatMayNotHaveIt) {
  EXPECT_THAT(variables(false).value(), IsEmpty());
  environment.unset("HOME");
  const auto found = variables(false).value();
  ASSERT_EQ(found.size(), 1U);
  const sys::Path own = sys::Path(found.at("BUILDX_CONFIG")).parent_path();
  EXPECT_TRUE(std::filesystem::exists(own));
  EXPECT_THAT(sys::PosixFileSystem().files_below(own).value(), IsEmpty());
}

/// A82
TEST_F(ClientConfigTest, IsPrivateAndGoesWithItsOwner) {
  const sys::Path path = docker_config();
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms::owner_all);
  EXPECT_EQ(std::filesystem::status(path / "config.json").permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_THAT(path.string(), Not(HasSubstr(directory.path().string())));
  EXPECT_EQ(config->variables(true).value().at("DOCKER_CONFIG"), path.string()) << "one for all builds";
  config.reset();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ClientConfigTest, TakesTheUsersOwnConfigurationIn) {
  directory.write("mine/config.json", R"({"auths":{"a.io":{"auth":"eDp5"}}})");
  directory.write("mine/cli-plugins/docker-buildx", "plugin");
  directory.write("mine/contexts/meta/x", "context");
  environment.set("DOCKER_CONFIG", (directory / "mine").string());
  const sys::Path path = docker_config();
  const auto text = sys::PosixFileSystem().read(path / "config.json", sys::kTextLimit).value().value();
  EXPECT_THAT(text, HasSubstr(R"("a.io":{"auth":"eDp5"})"));
  EXPECT_THAT(text, HasSubstr(kAuth));
  EXPECT_TRUE(std::filesystem::exists(path / "cli-plugins/docker-buildx"));
  EXPECT_TRUE(std::filesystem::exists(path / "contexts/meta/x"));
  EXPECT_EQ(variables(true).value().at("BUILDX_CONFIG"), (directory / "mine/buildx").string())
      << "builders stay where the user has made them";
  config.reset();
  EXPECT_TRUE(directory.exists("mine/cli-plugins/docker-buildx")) << "links are removed as links";
}

TEST_F(ClientConfigTest, GivesBuildxAPlaceWhereHomeHasNone) {
  directory.write("file", "");
  for (const std::string& home : {std::string(), (directory / "file").string()}) {
    environment.set("HOME", home);
    const auto found = variables(false);
    ASSERT_TRUE(found) << home;
    EXPECT_THAT(found->at("BUILDX_CONFIG"), HasSubstr("crategate-private-")) << home;
  }
  environment.set("BUILDX_CONFIG", "/given");
  EXPECT_THAT(variables(false).value(), IsEmpty());
  EXPECT_EQ(variables(true).value().at("BUILDX_CONFIG"), "/given");
}

TEST_F(ClientConfigTest, SaysWhichConfigurationIsBroken) {
  directory.write("home/.docker/config.json", "{");
  const auto found = variables(true);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::bad_input);
  EXPECT_THAT(found.error().message, HasSubstr((directory / "home/.docker").string()));
  EXPECT_TRUE(variables(false)) << "who does not log in does not read it";
}

}  // namespace
}  // namespace crategate::docker
