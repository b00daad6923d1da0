#include "registry/docker_config.h"

#include <gmock/gmock.h>

#include "base/strings.h"

namespace crategate::registry {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string entry(const std::string& key, const std::string& login) {
  return concat("{\"auths\":{\"", key, "\":{\"auth\":\"", base64(login), "\"}}}");
}

struct KeyRow {
  const char *key, *registry;
};

TEST(DockerConfig, NamesRegistriesAsReferencesDo) {
  for (const auto& [key, registry] : {KeyRow{"https://index.docker.io/v1/", "docker.io"},
                                      {"index.docker.io", "docker.io"},
                                      {"registry-1.docker.io", "docker.io"},
                                      {"docker.io", "docker.io"},
                                      {"ghcr.io", "ghcr.io"},
                                      {"https://GHCR.io/v2/", "ghcr.io"},
                                      {"http://localhost:5000", "localhost:5000"}}) {
    const auto parsed = parse_docker_config(entry(key, "me:se:cret"), "config.json");
    ASSERT_TRUE(parsed) << key;
    ASSERT_EQ(parsed->logins.count(registry), 1U) << key;
    EXPECT_EQ(parsed->logins.at(registry).username, "me");
    EXPECT_EQ(parsed->logins.at(registry).password.reveal(), "se:cret");
  }
}

TEST(DockerConfig, DecodesEveryLengthOfPassword) {
  std::string password = "p";
  for (int i = 0; i < 9; ++i, password += "\xc3\xbc"[i % 2]) {
    const auto parsed = parse_docker_config(entry("r.io", concat("me:", password)), "config.json");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->logins.at("r.io").password.reveal(), password);
  }
}

TEST(DockerConfig, LeavesOutEntriesWithoutALogin) {
  for (const char* text :
       {"{}", R"({"auths":{}})", R"({"auths":null,"credsStore":"desktop"})", R"({"auths":{"ghcr.io":{}}})",
        R"({"auths":{"ghcr.io":{"auth":""}}})", R"({"auths":{"ghcr.io":{"auth":"MDAwOg=="}}})",
        R"({"auths":{"ghcr.io":{"username":"me"}}})", R"({"auths":{"ghcr.io":{"email":"a@b.c"}}})"}) {
    const auto parsed = parse_docker_config(text, "config.json");
    ASSERT_TRUE(parsed) << text;
    EXPECT_TRUE(parsed->logins.empty()) << text;
  }
}

TEST(DockerConfig, RefusesWhatItCannotReadAndNeverQuotesIt) {
  const std::string no_colon = base64("supersecret"), no_user = base64(":supersecret");
  for (const std::string& auth : {std::string("!!!!"), std::string("qqqqq"), no_colon, no_user}) {
    const auto parsed = parse_docker_config(concat(R"({"auths":{"ghcr.io":{"auth":")", auth, "\"}}}"), "config.json");
    ASSERT_FALSE(parsed) << auth;
    EXPECT_EQ(parsed.error().code, ErrorCode::bad_input);
    EXPECT_THAT(describe(parsed.error()), HasSubstr("ghcr.io"));
    EXPECT_THAT(describe(parsed.error()), Not(HasSubstr(auth)));
  }
  for (const char* text : {"", "{", "[]", R"({"auths":[]})", R"({"auths":{"x":7}})", R"({"auths":{"x":{"auth":7}}})",
                           R"({"auths":{"x":{"identitytoken":[]}}})", R"({"credHelpers":[]})",
                           R"({"credHelpers":{"x":7}})", R"({"credsStore":7})"}) {
    EXPECT_FALSE(parse_docker_config(text, "config.json")) << text;
  }
}

TEST(DockerConfig, TakesTokensAndPlainPasswords) {
  const auto parsed = parse_docker_config(R"({"auths": {
    "acr.example": {"auth": "MDAwMDogAA==", "identitytoken": "the-identity"},
    "token.example": {"registrytoken": "the-token"},
    "plain.example": {"username": "me", "password": "pass-word"}}})",
                                          "config.json");
  ASSERT_TRUE(parsed) << describe(parsed.error());
  EXPECT_EQ(parsed->logins.at("acr.example").identity_token.reveal(), "the-identity");
  EXPECT_EQ(parsed->logins.at("token.example").registry_token.reveal(), "the-token");
  EXPECT_EQ(parsed->logins.at("plain.example").password.reveal(), "pass-word");
}

TEST(DockerConfig, PrefersTheKeyThatDockerWrites) {
  const std::string right = base64("right:password"), wrong = base64("wrong:password");
  const auto two = [&](const char* first, const char* second) {
    const auto parsed = parse_docker_config(
        concat(R"({"auths":{")", first, R"(":{"auth":")", right, R"("},")", second, R"(":{"auth":")", wrong, "\"}}}"),
        "config.json");
    const auto other_order = parse_docker_config(
        concat(R"({"auths":{")", second, R"(":{"auth":")", wrong, R"("},")", first, R"(":{"auth":")", right, "\"}}}"),
        "config.json");
    EXPECT_EQ(parsed->logins.size(), 1U) << first;
    EXPECT_EQ(parsed->logins.begin()->second.username, "right") << first;
    EXPECT_EQ(other_order->logins.begin()->second.username, "right") << first;
  };
  two("https://index.docker.io/v1/", "docker.io");
  two("index.docker.io", "https://registry-1.docker.io/v2/");
  two("ghcr.io", "https://ghcr.io/v2/");
  two("quay.io", "quay.io/namespace");
}

TEST(DockerConfig, NamesTheHelperThatKeepsALogin) {
  const auto parsed = parse_docker_config(R"({"credsStore": "desktop", "credHelpers": {
    "https://index.docker.io/v1/": "hub", "123.dkr.ecr.eu-west-1.amazonaws.com": "ecr-login", "localhost:5000": ""}})",
                                          "config.json");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->helper_for("docker.io"), "hub");
  EXPECT_EQ(parsed->helper_for("123.dkr.ecr.eu-west-1.amazonaws.com"), "ecr-login");
  EXPECT_EQ(parsed->helper_for("ghcr.io"), "desktop");
  EXPECT_EQ(parsed->helper_for("localhost:5000"), "") << "an empty helper is the file itself";
  EXPECT_EQ(parse_docker_config("{}", "config.json")->helper_for("ghcr.io"), "");
}

}  // namespace
}  // namespace crategate::registry
