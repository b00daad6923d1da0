// Tokens from a realm: GET, OAuth2's POST, and what is believed of its answers (A51, A52, B01, B02).
#include <gmock/gmock.h>

#include "wire/registry/authorizer_fixture.h"

namespace crategate::registry {
namespace {

using test::AuthorizerFixture;
using test::Reply;
using testing::HasSubstr;
using testing::Not;

const std::string kPull = "repository:a/b:pull", kPush = "repository:a/b:pull,push";
const std::string kForm = "&client_id=crategate&service=registry&scope=repository%3Aa%2Fb%3Apull";
const std::string kRefreshForm = concat("grant_type=refresh_token&refresh_token=the-identity", kForm);
const std::string kPasswordForm = concat("grant_type=password&username=me&password=pass-word", kForm);

Reply token(const std::string& text, const std::string& rest = "") {
  return {.body = concat(R"({"token":")", text, "\"", rest, "}")};
}

TEST(RegistryToken, OfAPasswordIsAskedForByGet) {
  AuthorizerFixture fixture(AuthorizerFixture::password());
  fixture.realm.expect("GET", AuthorizerFixture::query(kPull), token("some-token"));
  EXPECT_EQ(fixture.header(fixture.answer({kPull})), "Bearer some-token");
  EXPECT_EQ(fixture.realm.received().at(0).header("authorization"), "Basic bWU6cGFzcy13b3Jk");
}

TEST(RegistryToken, OfAnIdentityTokenIsAskedForByPost) {
  AuthorizerFixture fixture(AuthorizerFixture::identity());
  fixture.realm.expect("POST", "/token", {.body = R"({"access_token":"some-token","expires_in":300,"scope":"x"})"});
  EXPECT_EQ(fixture.header(fixture.answer({kPull})), "Bearer some-token");
  const auto received = fixture.realm.received().at(0);
  EXPECT_EQ(received.body, kRefreshForm);
  EXPECT_EQ(received.header("content-type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(received.header("authorization"), "");
}

TEST(RegistryToken, OfTheConfigurationIsUsedAsItIs) {
  AuthorizerFixture fixture(Credentials{"", {}, {}, Secret("ready-made-token")});
  EXPECT_EQ(fixture.header(fixture.answer({kPull})), "Bearer ready-made-token");
  EXPECT_EQ(fixture.known({kPush}), "Bearer ready-made-token");
  EXPECT_TRUE(fixture.realm.received().empty());
}

struct WayRow {
  const char* name;
  bool identity, both;
  std::vector<std::pair<std::string, int>> ways;  ///< method and status, in order
  const char* outcome;
};

class TokenWay : public testing::TestWithParam<WayRow> {};

TEST_P(TokenWay, IsTheFirstThatTheRealmKnows) {
  auto login = GetParam().identity ? AuthorizerFixture::identity() : AuthorizerFixture::password();
  if (GetParam().both) login = Credentials{"me", Secret("pass-word"), Secret("the-identity")};
  AuthorizerFixture fixture(login);
  for (const auto& [method, status] : GetParam().ways) {
    Reply reply = status == 200 ? token("some-token") : Reply{.status = status, .body = R"({"error":"no-such-grant"})"};
    fixture.realm.expect(method, method == "GET" ? AuthorizerFixture::query(kPull) : "/token", reply);
  }
  const auto answered = fixture.answer({kPull});
  EXPECT_THAT(AuthorizerFixture::header(answered), HasSubstr(GetParam().outcome));
  EXPECT_THAT(AuthorizerFixture::header(answered), Not(HasSubstr("pass-word")));
  EXPECT_THAT(AuthorizerFixture::header(answered), Not(HasSubstr("the-identity")));
  if (!answered) {
    EXPECT_FALSE(answered.error().hint.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(
    B01, TokenWay,
    testing::Values(
        WayRow{"Get", false, false, {{"GET", 200}}, "Bearer some-token"},
        WayRow{"GetIs404", false, false, {{"GET", 404}, {"POST", 200}}, "Bearer some-token"},
        WayRow{"GetIs405", false, false, {{"GET", 405}, {"POST", 200}}, "Bearer some-token"},
        WayRow{"GetIs404AndPostRefuses", false, false, {{"GET", 404}, {"POST", 401}}, "of user me (no-such-grant)"},
        WayRow{"GetIs405AndPostForbids", false, false, {{"GET", 405}, {"POST", 403}}, "of user me"},
        WayRow{"GetIs405AndPostIsNoGrant", false, false, {{"GET", 405}, {"POST", 400}}, "of user me"},
        WayRow{"NoWayAtAll", false, false, {{"GET", 405}, {"POST", 404}}, "405"},
        WayRow{"GetRefuses", false, false, {{"GET", 401}}, "of user me"},
        WayRow{"GetForbids", false, false, {{"GET", 403}}, "of user me"},
        WayRow{"GetFails", false, false, {{"GET", 500}}, "500"},
        WayRow{"GetIsLimited", false, false, {{"GET", 429}}, "429"},
        WayRow{"PostRefusesTheIdentity", true, false, {{"POST", 401}}, "the identity token"},
        WayRow{"PostForbidsTheIdentity", true, false, {{"POST", 403}}, "the identity token"},
        WayRow{"PostSaysTheIdentityHasEnded", true, false, {{"POST", 400}}, "the identity token"},
        WayRow{"PostIsUnknown", true, false, {{"POST", 404}}, "404"},
        WayRow{"PostFails", true, true, {{"POST", 503}}, "503"},
        WayRow{"IdentityRefusedPasswordTaken", true, true, {{"POST", 401}, {"GET", 200}}, "Bearer some-token"},
        WayRow{"IdentityUnknownPasswordTaken", true, true, {{"POST", 405}, {"GET", 200}}, "Bearer some-token"},
        WayRow{"BothRefused", true, true, {{"POST", 401}, {"GET", 401}}, "of user me"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(RegistryToken, OfARealmThatTakesPostsIsAskedForByPostAtOnce) {
  AuthorizerFixture fixture(AuthorizerFixture::password());
  fixture.realm.expect("GET", AuthorizerFixture::query(kPull), {.status = 404});
  fixture.realm.expect("POST", "/token", token("first-token"));
  EXPECT_EQ(fixture.header(fixture.answer({kPull})), "Bearer first-token");
  EXPECT_EQ(fixture.realm.received().back().body, kPasswordForm);
  fixture.clock.advance(std::chrono::minutes(1));
  fixture.realm.expect("POST", "/token", token("second-token"));
  EXPECT_EQ(fixture.known({kPull}), "Bearer second-token");
  for (const int status : {401, 403, 404, 405}) {
    fixture.clock.advance(std::chrono::minutes(1));
    fixture.realm.expect("POST", "/token", {.status = status});
    fixture.realm.expect("GET", AuthorizerFixture::query(kPull), token("by-get-again"));
    EXPECT_EQ(fixture.known({kPull}), "Bearer by-get-again") << status;
    fixture.clock.advance(std::chrono::minutes(1));
    fixture.realm.expect("GET", AuthorizerFixture::query(kPull), {.status = 405});
    fixture.realm.expect("POST", "/token", token("by-post-again"));
    EXPECT_EQ(fixture.known({kPull}), "Bearer by-post-again") << status;
  }
}

TEST(RegistryToken, IsRenewedWithTheRefreshTokenThatCameWithIt) {
  AuthorizerFixture fixture(AuthorizerFixture::password());
  fixture.realm.expect("GET", AuthorizerFixture::query(kPull),
                       token("first-token", R"(,"refresh_token":"the-identity")"));
  EXPECT_EQ(fixture.header(fixture.answer({kPull})), "Bearer first-token");
  for (const char* next : {"second-token", "third-token"}) {
    fixture.clock.advance(std::chrono::minutes(1));
    fixture.realm.expect("POST", "/token", token(next));
    EXPECT_EQ(fixture.known({kPull}), concat("Bearer ", next));
    EXPECT_EQ(fixture.realm.received().back().body, kRefreshForm);
  }
  fixture.clock.advance(std::chrono::minutes(1));
  fixture.realm.expect("POST", "/token", {.status = 400, .body = R"({"error":"invalid_grant"})"});
  fixture.realm.expect("GET", AuthorizerFixture::query(kPull), token("fourth-token"));
  EXPECT_EQ(fixture.known({kPull}), "Bearer fourth-token");
  fixture.clock.advance(std::chrono::minutes(1));
  fixture.realm.expect("GET", AuthorizerFixture::query(kPull), token("fifth-token"));
  EXPECT_EQ(fixture.known({kPull}), "Bearer fifth-token") << "one that was refused is forgotten";
}

TEST(RegistryToken, B02IsRenewedAtFourFifthsOfItsLifeWithoutAnotherChallenge) {
  AuthorizerFixture fixture(AuthorizerFixture::password());
  fixture.realm.expect("GET", AuthorizerFixture::query(kPull), token("first-token", R"(,"expires_in":100)"));
  EXPECT_EQ(fixture.known({kPull}), "(none)") << "before any challenge";
  EXPECT_EQ(fixture.header(fixture.answer({kPull})), "Bearer first-token");
  fixture.clock.advance(std::chrono::milliseconds(79'999));
  EXPECT_EQ(fixture.known({kPull}), "Bearer first-token");
  fixture.clock.advance(std::chrono::milliseconds(1));
  fixture.realm.expect("GET", AuthorizerFixture::query(kPull), token("second-token", R"(,"expires_in":100)"));
  EXPECT_EQ(fixture.known({kPull}), "Bearer second-token");
}

TEST(RegistryToken, ForOtherScopesIsAskedForWithoutAnotherChallenge) {
  AuthorizerFixture fixture;
  fixture.realm.expect("GET", AuthorizerFixture::query(kPull), token("pull-token"));
  EXPECT_EQ(fixture.header(fixture.answer({kPull})), "Bearer pull-token");
  const std::string other = "repository:c:pull";
  fixture.realm.expect("GET", concat(AuthorizerFixture::query(kPush), "&scope=", net::url_encode(other)),
                       token("both-token"));
  EXPECT_EQ(fixture.known({other, "repository:a/b:push", kPull}), "Bearer both-token") << "merged and sorted";
  for (const std::vector<std::string>& covered : {std::vector{kPull}, {kPush}, {other}, {other, kPull}})
    EXPECT_EQ(fixture.known(covered), "Bearer both-token");
}

TEST(RegistryToken, ThatWasRefusedIsNotGivenOutAgain) {
  AuthorizerFixture fixture;
  fixture.realm.expect("GET", AuthorizerFixture::query(kPull), token("first-token"));
  const auto first = fixture.answer({kPull});
  ASSERT_TRUE(first);
  fixture.realm.expect("GET", AuthorizerFixture::query(kPull), token("second-token"));
  EXPECT_EQ(fixture.header(fixture.answer({kPull}, *first)), "Bearer second-token");
  EXPECT_EQ(fixture.header(fixture.answer({kPull}, *first)), "Bearer second-token") << "somebody else renewed it";
  EXPECT_EQ(fixture.header(fixture.answer({kPull})), "Bearer second-token") << "sent without one";
}

TEST(RegistryToken, A52IsNeverWiderThanWhatWasWanted) {
  AuthorizerFixture fixture(AuthorizerFixture::password());
  fixture.realm.expect("GET", AuthorizerFixture::query(kPull), token("some-token"));
  const auto challenge = fixture.challenge(R"(,scope="repository:other:push registry:catalog:*")");
  EXPECT_TRUE(fixture.authorizer.answer(AuthorizerFixture::kRegistry, {kPull}, challenge, std::nullopt));
}

TEST(RegistryToken, ThatCannotBeRenewedLeavesTheErrorToTheNextChallenge) {
  AuthorizerFixture fixture(AuthorizerFixture::password());
  fixture.realm.expect("GET", AuthorizerFixture::query(kPull), token("first-token"));
  EXPECT_TRUE(fixture.answer({kPull}));
  fixture.clock.advance(std::chrono::minutes(1));
  fixture.realm.expect("GET", AuthorizerFixture::query(kPull), {.status = 503});
  EXPECT_EQ(fixture.known({kPull}), "(none)");
  EXPECT_EQ(fixture.known({kPull}), "(none)") << "the realm is not asked until the registry names it again";
  fixture.realm.expect("GET", AuthorizerFixture::query(kPull), token("second-token"));
  EXPECT_EQ(fixture.header(fixture.answer({kPull})), "Bearer second-token");
}

TEST(RegistryToken, IsForTheRegistryAndNotForItsRealm) {
  AuthorizerFixture fixture;
  fixture.realm.expect("GET", AuthorizerFixture::query(kPull), token("some-token"));
  const auto granted = fixture.answer({kPull});
  ASSERT_TRUE(granted);
  EXPECT_EQ(granted->header_for(fixture.realm.url("/")), std::nullopt);
  EXPECT_EQ(granted->header_for(*net::Url::parse("https://127.0.0.1:1/")), "Bearer some-token");
}

TEST(RegistryToken, MayBeAsLongAsItsLimitAndNoLonger) {
  for (const std::size_t size : {std::size_t{65536}, std::size_t{65537}}) {
    AuthorizerFixture fixture;
    fixture.realm.expect("GET", AuthorizerFixture::query(kPull), token(std::string(size, 'x')));
    EXPECT_EQ(fixture.answer({kPull}).has_value(), size == 65536) << "A51: " << size;
  }
}

TEST(RegistryToken, CountsFromItsReceipt) {
  AuthorizerFixture fixture;
  fixture.realm.expect("GET", AuthorizerFixture::query(kPull),
                       token("old-token", R"(,"issued_at":"1999-12-31T00:00:00Z","expires_in":100)"));
  EXPECT_TRUE(fixture.answer({kPull}));
  fixture.clock.advance(std::chrono::seconds(70));
  EXPECT_EQ(fixture.known({kPull}), "Bearer old-token") << "the server's clock may be wrong";
}

TEST(RegistryToken, WithALifeOfAgesIsRenewedWithinTheHour) {
  AuthorizerFixture fixture;
  fixture.realm.expect("GET", AuthorizerFixture::query(kPull),
                       token("long-token", R"(,"expires_in":9223372036854775807)"));
  EXPECT_TRUE(fixture.answer({kPull}));
  fixture.clock.advance(std::chrono::minutes(47));
  EXPECT_EQ(fixture.known({kPull}), "Bearer long-token");
  fixture.clock.advance(std::chrono::minutes(2));
  fixture.realm.expect("GET", AuthorizerFixture::query(kPull), token("next-token"));
  EXPECT_EQ(fixture.known({kPull}), "Bearer next-token");
}

TEST(RegistryLoginSource, IsAskedOnlyAfterAChallengeAndOnce) {
  AuthorizerFixture fixture(AuthorizerFixture::password());
  EXPECT_EQ(fixture.authorizer.user(AuthorizerFixture::kRegistry), "");
  EXPECT_EQ(fixture.asked, 0);
  fixture.realm.expect("GET", AuthorizerFixture::query(kPull), token("some-token"));
  fixture.realm.expect("GET", AuthorizerFixture::query(kPush), token("push-token"));
  EXPECT_TRUE(fixture.answer({kPull}));
  EXPECT_EQ(fixture.known({kPush}), "Bearer push-token");
  EXPECT_EQ(fixture.authorizer.user(AuthorizerFixture::kRegistry), "me");
  EXPECT_EQ(fixture.asked, 1);
}

TEST(RegistryLoginSource, IsAskedAgainWhenAPasswordHasEnded) {
  AuthorizerFixture fixture(AuthorizerFixture::password());
  fixture.realm.expect("GET", AuthorizerFixture::query(kPull), token("first-token"));
  EXPECT_TRUE(fixture.answer({kPull}));
  fixture.login = Credentials{"me", Secret("newer-pass-word")};
  fixture.clock.advance(std::chrono::hours(1));
  fixture.realm.expect("GET", AuthorizerFixture::query(kPull), {.status = 401});
  fixture.realm.expect("GET", AuthorizerFixture::query(kPull), token("second-token"));
  EXPECT_EQ(fixture.known({kPull}), "Bearer second-token");
  EXPECT_EQ(fixture.asked, 2);
  fixture.clock.advance(std::chrono::hours(1));
  fixture.realm.expect("GET", AuthorizerFixture::query(kPull), {.status = 401});
  EXPECT_EQ(fixture.known({kPull}), "(none)") << "the same password is not tried twice";
}

TEST(RegistryLoginSource, IsAskedAgainWhenTheRegistryRefusesAnOldBasicLogin) {
  AuthorizerFixture fixture(AuthorizerFixture::password());
  const auto challenge = AuthorizerFixture::challenge_of(R"(Basic realm="x")");
  const auto basic = [&](const std::optional<Authorization>& sent) {
    return fixture.authorizer.answer(AuthorizerFixture::kRegistry, {kPull}, challenge, sent);
  };
  const auto first = basic(std::nullopt);
  EXPECT_EQ(AuthorizerFixture::header(first), "Basic bWU6cGFzcy13b3Jk");
  EXPECT_EQ(fixture.known({kPush}), "Basic bWU6cGFzcy13b3Jk");
  fixture.login = Credentials{"me", Secret("newer")};
  fixture.clock.advance(std::chrono::hours(1));
  EXPECT_EQ(AuthorizerFixture::header(basic(*first)), "Basic bWU6bmV3ZXI=");
  EXPECT_EQ(fixture.known({kPull}), "Basic bWU6bmV3ZXI=");
}

}  // namespace
}  // namespace crategate::registry
