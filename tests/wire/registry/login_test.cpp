#include <gmock/gmock.h>

#include "wire/registry/registry_server.h"

namespace crategate::registry {
namespace {

using test::challenge;
using test::manifest_bytes;
using test::manifest_reply;
using test::registry_error;
using test::RegistryFixture;
using testing::HasSubstr;
using testing::Not;

const std::string kTag = "/v2/a/b/manifests/v1";
const std::string kToken = "/token?service=registry&scope=repository%3Aa%2Fb%3Apull";

std::string bearer(const RegistryFixture& registry, const std::string& rest = "") {
  return concat("Bearer realm=\"", registry.server.url("/token").text(), R"(",service="registry")", rest);
}

TEST(RegistryLogin, IsSentOnlyAfterAChallengeAndThenKept) {
  RegistryFixture registry(true);
  registry.server.expect("GET", kTag, challenge(R"(Basic realm="x")"));
  registry.server.expect("GET", kTag, manifest_reply(manifest_bytes()));
  registry.server.expect("GET", kTag, manifest_reply(manifest_bytes()));
  ASSERT_TRUE(registry.client.manifest(registry.tag("v1")));
  ASSERT_TRUE(registry.client.manifest(registry.tag("v1")));
  EXPECT_FALSE(registry.client.is_anonymous(registry.tag("v1").repository.registry));
  const auto received = registry.server.received();
  EXPECT_EQ(received.at(0).header("authorization"), "");
  EXPECT_EQ(received.at(1).header("authorization"), "Basic bWU6cGFzcy13b3Jk");
  EXPECT_EQ(received.at(2).header("authorization"), "Basic bWU6cGFzcy13b3Jk");
}

TEST(RegistryLogin, A52GetsATokenForTheScopeItNeedsAndNoOther) {
  RegistryFixture registry(true);
  registry.server.expect("GET", kTag, challenge(bearer(registry, R"(,scope="repository:other:push")")));
  registry.server.expect("GET", kToken, {.body = R"({"token":"granted-token","expires_in":300})"});
  registry.server.expect("GET", kTag, manifest_reply(manifest_bytes()));
  ASSERT_TRUE(registry.client.manifest(registry.tag("v1")));
  EXPECT_EQ(registry.server.received().at(1).header("authorization"), "Basic bWU6cGFzcy13b3Jk");
  EXPECT_EQ(registry.server.received().at(2).header("authorization"), "Bearer granted-token");
}

TEST(RegistryLogin, WorksWithoutOneWhereTokensAreGivenToAnybody) {
  RegistryFixture registry;
  registry.server.expect("GET", kTag, challenge(bearer(registry)));
  registry.server.expect("GET", kToken, {.body = R"({"access_token":"anonymous-token"})"});
  registry.server.expect("GET", kTag, {.status = 404, .body = registry_error("MANIFEST_UNKNOWN")});
  EXPECT_EQ(registry.client.manifest(registry.tag("v1")).value(), std::nullopt);
  EXPECT_EQ(registry.server.received().at(1).header("authorization"), "");
  EXPECT_TRUE(registry.client.is_anonymous(registry.tag("v1").repository.registry));
}

/// A login that nobody demanded was not sent.
TEST(RegistryLogin, IsNoneWhereTheRegistryDemandsNone) {
  RegistryFixture registry(true);
  registry.server.expect("GET", kTag, {.status = 404, .body = registry_error("MANIFEST_UNKNOWN")});
  EXPECT_EQ(registry.client.manifest(registry.tag("v1")).value(), std::nullopt);
  EXPECT_TRUE(registry.client.is_anonymous(registry.tag("v1").repository.registry));
}

TEST(RegistryLogin, B02RenewsATokenBeforeAndWhenItExpires) {
  RegistryFixture registry(true);
  const auto serve = [&](const std::string& token, bool challenged) {
    if (challenged) registry.server.expect("GET", kTag, challenge(bearer(registry)));
    registry.server.expect("GET", kToken, {.body = concat(R"({"token":")", token, R"(","expires_in":100})")});
    registry.server.expect("GET", kTag, manifest_reply(manifest_bytes()));
  };
  serve("first-token", true);
  ASSERT_TRUE(registry.client.manifest(registry.tag("v1")));
  registry.clock.advance(std::chrono::seconds(79));
  registry.server.expect("GET", kTag, manifest_reply(manifest_bytes()));
  ASSERT_TRUE(registry.client.manifest(registry.tag("v1"))) << "still good";
  registry.clock.advance(std::chrono::seconds(2));
  serve("second-token", false);
  ASSERT_TRUE(registry.client.manifest(registry.tag("v1")));
  EXPECT_EQ(registry.server.received().back().header("authorization"), "Bearer second-token");
  serve("third-token", true);
  ASSERT_TRUE(registry.client.manifest(registry.tag("v1"))) << "refused early by the registry";
  EXPECT_EQ(registry.server.received().back().header("authorization"), "Bearer third-token");
}

TEST(RegistryLogin, B01B02ThatIsRefusedAgainIsReportedWithUserAndScopeButNoSecret) {
  RegistryFixture registry(true);
  registry.server.expect("GET", kTag, challenge(R"(Basic realm="x")"));
  registry.server.expect("GET", kTag, {.status = 401, .body = registry_error("UNAUTHORIZED")});
  const auto read = registry.client.manifest(registry.tag("v1"));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::unauthenticated);
  const std::string line = describe(read.error());
  EXPECT_THAT(line, HasSubstr("user me"));
  EXPECT_THAT(line, HasSubstr("pull"));
  EXPECT_THAT(line, HasSubstr(registry.server.host()));
  EXPECT_THAT(line, Not(HasSubstr("pass-word")));
  EXPECT_THAT(line, Not(HasSubstr("bWU6cGFzcy13b3Jk")));
}

TEST(RegistryLogin, ThatIsMissingSaysSo) {
  RegistryFixture registry;
  registry.server.expect("GET", kTag, challenge(R"(Basic realm="x")"));
  const auto read = registry.client.manifest(registry.tag("v1"));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::unauthenticated);
  EXPECT_THAT(read.error().hint, HasSubstr("docker login"));
}

TEST(RegistryLogin, RefusedByTheRealmIsUnauthenticated) {
  for (const bool with_login : {true, false}) {
    RegistryFixture registry(with_login);
    registry.server.expect("GET", kTag, challenge(bearer(registry)));
    registry.server.expect("GET", kToken, {.status = 401});
    const auto read = registry.client.manifest(registry.tag("v1"));
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::unauthenticated);
    EXPECT_THAT(read.error().message, HasSubstr("repository:a/b:pull"));
  }
}

TEST(RegistryLogin, A40IsNeverSentToARealmThatIsNotTrusted) {
  for (const char* realm : {"file:///etc/passwd", "https://user@evil.example/token", "", "ftp://x/", "not a url"}) {
    RegistryFixture registry(true);
    registry.server.expect("GET", kTag, challenge(concat("Bearer realm=\"", realm, "\"")));
    const auto read = registry.client.manifest(registry.tag("v1"));
    ASSERT_FALSE(read) << realm;
    EXPECT_EQ(RegistryFixture::authorized(registry.server), 0);
  }
}

TEST(RegistryLogin, A40DoesNotFollowARedirectOfTheRealm) {
  RegistryFixture registry(true);
  test::ScriptedHttpServer evil;
  registry.server.expect("GET", kTag, challenge(bearer(registry)));
  registry.server.expect("GET", kToken, {.status = 302, .headers = {{"Location", evil.url("/token").text()}}});
  EXPECT_FALSE(registry.client.manifest(registry.tag("v1")));
  EXPECT_TRUE(evil.received().empty());
}

struct TokenRow {
  const char *name, *body;
};

class RegistryToken : public testing::TestWithParam<TokenRow> {};

TEST_P(RegistryToken, A51ThatIsNoneIsRefusedAndNeverSent) {
  RegistryFixture registry(true);
  registry.server.expect("GET", kTag, challenge(bearer(registry)));
  registry.server.expect("GET", kToken, {.body = GetParam().body});
  EXPECT_EQ(registry.client.manifest(registry.tag("v1")).error().code, ErrorCode::unauthenticated);
  EXPECT_EQ(registry.server.received().size(), 2U);
}

INSTANTIATE_TEST_SUITE_P(Rows, RegistryToken,
                         testing::Values(TokenRow{"Empty", ""}, TokenRow{"NoJson", "<html>"}, TokenRow{"NoToken", "{}"},
                                         TokenRow{"Array", "[]"}, TokenRow{"Number", R"({"token":7})"},
                                         TokenRow{"LineBreak", R"({"token":"a\r\nX-Evil: 1"})"},
                                         TokenRow{"Nul", R"({"token":"a\u0000b"})"},
                                         TokenRow{"Space", R"({"token":"a b"})"},
                                         TokenRow{"NotAscii", R"({"token":"\u00e9\u00e9"})"}),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(RegistryToken64, A51LargerThanItsLimitIsRefused) {
  RegistryFixture registry(true);
  for (int tries = 0; tries < 2; ++tries) {
    registry.server.expect("GET", kTag, challenge(bearer(registry)));
    registry.server.expect("GET", kToken, {.body = std::string(1U << 20U, 'x')});
  }
  EXPECT_FALSE(registry.client.manifest(registry.tag("v1")));
}

TEST(RegistryTokenLifetime, A51ThatMakesNoSenseIsTheDefault) {
  for (const char* lifetime : {"-1", "0", "1e30", "\"x\"", "99999999999999999999"}) {
    RegistryFixture registry(true);
    registry.server.expect("GET", kTag, challenge(bearer(registry)));
    registry.server.expect("GET", kToken, {.body = concat(R"({"token":"some-token","expires_in":)", lifetime, "}")});
    registry.server.expect("GET", kTag, manifest_reply(manifest_bytes()));
    registry.server.expect("GET", kTag, manifest_reply(manifest_bytes()));
    EXPECT_TRUE(registry.client.manifest(registry.tag("v1"))) << lifetime;
    registry.clock.advance(std::chrono::seconds(40));
    EXPECT_TRUE(registry.client.manifest(registry.tag("v1"))) << lifetime;
  }
}

}  // namespace
}  // namespace crategate::registry
