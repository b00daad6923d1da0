// Where a login goes and where it never does (A40, A41, A42), and that many ask for one token once.
#include <gmock/gmock.h>

#include <atomic>
#include <latch>
#include <thread>

#include "registry/authorizer.h"
#include "wire/registry/registry_server.h"

namespace crategate::registry {
namespace {

using test::challenge;
using test::manifest_bytes;
using test::manifest_reply;
using test::ReceivedRequest;
using test::RegistryFixture;
using test::Reply;
using test::ScriptedHttpServer;

struct RealmRow {
  const char *name, *realm;
};

class ForbiddenRealm : public testing::TestWithParam<RealmRow> {};

TEST_P(ForbiddenRealm, A40IsNeverAskedForAToken) {
  const OriginPolicy policy({});
  const std::string header = concat("Bearer realm=\"", GetParam().realm, "\"");
  const auto realm = realm_of("registry.example", parse_challenges(header)->front(), policy);
  ASSERT_FALSE(realm) << realm->url.text();
  EXPECT_EQ(realm.error().code, ErrorCode::integrity);
}

INSTANTIATE_TEST_SUITE_P(
    A40, ForbiddenRealm,
    testing::Values(
        RealmRow{"Metadata", "http://169.254.169.254/latest"}, RealmRow{"MetadataByTls", "https://169.254.169.254/"},
        RealmRow{"Plain", "http://auth.example/token"}, RealmRow{"Private10", "https://10.0.0.1/token"},
        RealmRow{"Private172", "https://172.16.5.4/"}, RealmRow{"Private192", "https://192.168.0.1/"},
        RealmRow{"Shared100", "https://100.64.0.1/"}, RealmRow{"Loopback", "https://127.0.0.1/"},
        RealmRow{"LoopbackName", "https://localhost/"}, RealmRow{"LoopbackSubdomain", "https://a.localhost/"},
        RealmRow{"Zero", "https://0.0.0.0/"}, RealmRow{"Decimal", "https://2130706433/"},
        RealmRow{"Hexadecimal", "https://0x7f000001/"}, RealmRow{"Octal", "https://0177.0.0.1/"},
        RealmRow{"Short", "https://127.1/"}, RealmRow{"Ipv6Loopback", "https://[::1]/"},
        RealmRow{"Ipv6Local", "https://[fe80::1]/"}, RealmRow{"Ipv6Mapped", "https://[::ffff:10.0.0.1]/"},
        RealmRow{"Ipv6Unique", "https://[fd00::1]/"}, RealmRow{"File", "file:///etc/passwd"},
        RealmRow{"Ftp", "ftp://auth.example/"}, RealmRow{"UserInfo", "https://user@evil.example/"},
        RealmRow{"Password", "https://user:pass@auth.example/"}, RealmRow{"SchemeRelative", "//auth.example/"},
        RealmRow{"PathOnly", "/token"}, RealmRow{"Backslash", R"(https://auth.example\\@evil/)"},
        RealmRow{"Space", "https://auth.example/ x"}, RealmRow{"Empty", ""}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(AllowedRealm, IsKnownToNeedAPublicAddressOnAnotherHostOnly) {
  const OriginPolicy policy({"plain.corp"});
  const auto needs = [&](const std::string& registry, const std::string& realm) {
    return realm_of(registry, parse_challenges(concat("Bearer realm=\"", realm, "\"")).value().front(), policy)
        .value()
        .must_be_public;
  };
  EXPECT_TRUE(needs("docker.io", "https://auth.docker.io/token"));
  EXPECT_FALSE(needs("ghcr.io", "https://ghcr.io/token"));
  EXPECT_FALSE(needs("10.0.0.1:5000", "https://10.0.0.2/token"));
  EXPECT_FALSE(needs("plain.corp", "http://auth.corp/token"));
}

struct RedirectRow {
  const char* name;
  int status;
  std::string location;  ///< {other} and {own} are the servers' ports
  bool reaches_other, reaches_own;
};

class RegistryRedirectShape : public testing::TestWithParam<RedirectRow> {};

TEST_P(RegistryRedirectShape, A42NeverCarriesTheLoginElsewhere) {
  RegistryFixture registry(true);
  ScriptedHttpServer other;
  std::atomic<int> others = 0, own = 0;
  other.serve_with({.answer = [&](ReceivedRequest& request) {
    ++others;
    EXPECT_EQ(request.header("authorization"), "") << "A42";
    EXPECT_EQ(request.header("cookie"), "");
    return challenge(R"(Basic realm="give it to me")");
  }});
  const std::string digest = oci::Digest::of("abc").text(), path = concat("/v2/a/b/blobs/", digest);
  const auto port = [](const ScriptedHttpServer& of) { return split(of.host(), ':').at(1); };
  const std::string location =
      replace_all(replace_all(GetParam().location, "{other}", port(other)), "{own}", port(registry.server));
  registry.server.serve_with({.answer = [&](ReceivedRequest& request) -> Reply {
    if (request.header("authorization").empty()) return challenge(R"(Basic realm="x")");
    if (request.target == path)
      return {.status = GetParam().status, .headers = {{"Location", location}, {"Set-Cookie", "a=b"}}};
    ++own;
    return {.body = "abc"};
  }});
  const auto blob = registry.client.blob(registry.repository(), oci::Digest::parse(digest).value(), 1000);
  EXPECT_EQ(others > 0, GetParam().reaches_other);
  EXPECT_EQ(own > 0, GetParam().reaches_own);
  EXPECT_EQ(blob.has_value(), GetParam().reaches_own);
}

INSTANTIATE_TEST_SUITE_P(
    A42, RegistryRedirectShape,
    testing::Values(RedirectRow{"OtherPort307", 307, "http://127.0.0.1:{other}/x", true, false},
                    RedirectRow{"OtherPort301", 301, "http://127.0.0.1:{other}/x", true, false},
                    RedirectRow{"OtherPort302", 302, "http://127.0.0.1:{other}/x", true, false},
                    RedirectRow{"OtherPort303", 303, "http://127.0.0.1:{other}/x", true, false},
                    RedirectRow{"OtherPort308", 308, "http://127.0.0.1:{other}/x", true, false},
                    RedirectRow{"OtherName", 307, "http://localhost:{other}/x", true, false},
                    RedirectRow{"OwnPortByAnotherName", 307, "http://localhost:{own}/x", false, false},
                    RedirectRow{"OtherScheme", 307, "https://127.0.0.1:1/x", false, false},
                    RedirectRow{"WithoutScheme", 307, "//127.0.0.1:{other}/x", false, false},
                    RedirectRow{"UserInfo", 307, "http://me:pass-word@127.0.0.1:{other}/x", false, false},
                    RedirectRow{"OwnHostAsUser", 307, "http://127.0.0.1:{own}@127.0.0.1:{other}/x", false, false},
                    RedirectRow{"Backslash", 307, R"(http:\\127.0.0.1:{other}\x)", false, false},
                    RedirectRow{"FileScheme", 307, "file:///etc/passwd", false, false},
                    RedirectRow{"OwnOrigin", 307, "http://127.0.0.1:{own}/x", false, true},
                    RedirectRow{"OwnPath", 307, "/x", false, true}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(RegistryLoginInParallel, AsksTheRealmOnceForAll) {
  constexpr int kUsers = 16;
  RegistryFixture registry(true);
  std::atomic<int> tokens = 0, served = 0;
  const std::string realm = registry.server.url("/token").text();
  registry.server.serve_with({.answer = [&](ReceivedRequest& request) -> Reply {
    if (request.target.starts_with("/token")) {
      ++tokens;
      return {.body = R"({"token":"shared-token"})", .delay = std::chrono::milliseconds(20)};
    }
    if (request.header("authorization") != "Bearer shared-token")
      return challenge(concat("Bearer realm=\"", realm, R"(",service="registry")"));
    ++served;
    return manifest_reply(manifest_bytes());
  }});
  std::latch ready(kUsers);
  std::vector<std::thread> users;
  for (int i = 0; i < kUsers; ++i) {
    users.emplace_back([&] {
      ready.arrive_and_wait();
      EXPECT_TRUE(registry.client.manifest(registry.tag("v1")));
    });
  }
  for (std::thread& user : users) user.join();
  EXPECT_EQ(tokens, 1);
  EXPECT_EQ(served, kUsers);
}

TEST(RegistryLoginInParallel, SharesARefusal) {
  constexpr int kUsers = 16;
  test::ScriptedHttpServer realm;
  test::FakeClock clock;
  net::PosixHttpClient http;
  const OriginPolicy policy({});
  std::atomic<int> tokens = 0, refused = 0, asked = 0;
  std::latch ready(kUsers);
  realm.serve_with({.answer = [&](ReceivedRequest&) -> Reply {
    ++tokens;
    return {.status = 401, .delay = std::chrono::milliseconds(50)};
  }});
  Authorizer authorizer(
      http, clock,
      [&](const std::string&) -> Result<std::optional<Credentials>> {
        ++asked;
        return Credentials{"me", Secret("pass-word")};
      },
      policy);
  const net::Response response = {
      401, {{"WWW-Authenticate", concat("Bearer realm=\"", realm.url("/token").text(), "\"")}}, ""};
  std::vector<std::thread> users;
  for (int i = 0; i < kUsers; ++i) {
    users.emplace_back([&] {
      ready.arrive_and_wait();
      const auto answered = authorizer.answer("127.0.0.1:1", {"repository:a:pull"}, response, std::nullopt);
      if (!answered && answered.error().code == ErrorCode::unauthenticated) ++refused;
    });
  }
  for (std::thread& user : users) user.join();
  EXPECT_EQ(refused, kUsers);
  EXPECT_LT(tokens, kUsers);
  EXPECT_EQ(asked, 1);
}

}  // namespace
}  // namespace crategate::registry
