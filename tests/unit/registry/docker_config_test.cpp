#include <gmock/gmock.h>

#include "base/strings.h"
#include "registry/client.h"

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
    ASSERT_EQ(parsed->count(registry), 1U) << key;
    EXPECT_EQ(parsed->at(registry).username, "me");
    EXPECT_EQ(parsed->at(registry).password.reveal(), "se:cret");
  }
}

TEST(DockerConfig, DecodesEveryLengthOfPassword) {
  std::string password = "p";
  for (int i = 0; i < 9; ++i, password += "\xc3\xbc"[i % 2]) {
    const auto parsed = parse_docker_config(entry("r.io", concat("me:", password)), "config.json");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->at("r.io").password.reveal(), password);
  }
}

TEST(DockerConfig, LeavesOutWhatACredentialHelperKeeps) {
  for (const char* text :
       {"{}", R"({"auths":{}})", R"({"auths":null,"credsStore":"desktop"})", R"({"auths":{"ghcr.io":{}}})",
        R"({"auths":{"ghcr.io":{"auth":""}}})", R"({"auths":{"ghcr.io":{"auth":"MDAwOg==","identitytoken":"x"}}})"}) {
    const auto parsed = parse_docker_config(text, "config.json");
    ASSERT_TRUE(parsed) << text;
    EXPECT_TRUE(parsed->empty()) << text;
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
  for (const char* text : {"", "{", "[]", R"({"auths":[]})", R"({"auths":{"x":7}})", R"({"auths":{"x":{"auth":7}}})"}) {
    EXPECT_FALSE(parse_docker_config(text, "config.json")) << text;
  }
}

}  // namespace
}  // namespace crategate::registry
