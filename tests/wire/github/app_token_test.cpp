// Tokens of an App over the wire: how one is asked for, what each refusal means, how it ends.
#include "github/app_token.h"

#include <gmock/gmock.h>

#include "json/value.h"
#include "support/openssl.h"
#include "wire/github/api_server.h"

namespace crategate::github {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const std::string kWhere = "/repos/o/r/installation", kMake = "/app/installations/42/access_tokens";
constexpr const char* kMade = "ghs_made-for-the-app";

struct AppApi : test::ApiFixture {
  AppApi() : tokens(http, clock, endpoint, options_) {}
  Result<Secret> make() { return tokens.make({.id = "7", .key = Secret(key())}, repository()); }
  void expect_installation() { expect("GET", kWhere, {.body = R"({"id":42,"app_id":7})"}); }
  static const std::string& key() {
    static const std::string made = test::rsa_key();
    return made;
  }
  AppTokenClient tokens;
};

TEST(AppToken, IsMadeForOneRepositoryAndOnePermission) {
  AppApi api;
  api.expect_installation();
  api.expect("POST", kMake,
             {.status = 201, .body = concat(R"({"token":")", kMade, R"(","expires_at":"2026-11-20T10:29:18Z"})")});
  const auto token = api.make();
  ASSERT_TRUE(token) << describe(token.error());
  EXPECT_EQ(token->reveal(), kMade);
  EXPECT_EQ(redact(kMade), "***");
  const auto asked = api.server.received();
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_EQ(asked.at(1).body, R"({"permissions":{"contents":"write"},"repositories":["r"]})");
  for (const auto& request : asked) {
    EXPECT_THAT(request.header("authorization"), AllOf(StartsWith("Bearer eyJ"), Not(HasSubstr(test::kToken))));
    const auto parts = split(request.header("authorization").substr(7), '.');
    ASSERT_EQ(parts.size(), 3U);
    EXPECT_EQ(decode_base64(parts[1]), R"({"exp":1795167498,"iat":1795166898,"iss":"7"})")
        << "by the clock of the test";
    EXPECT_TRUE(test::is_signed_rs256(AppApi::key(), concat(parts[0], ".", parts[1]), decode_base64(parts[2]).value()));
  }
}

TEST(AppToken, IsRevokedByItself) {
  AppApi api;
  api.expect("DELETE", "/installation/token", {.status = 204});
  EXPECT_TRUE(api.tokens.revoke(Secret(kMade)));
  EXPECT_EQ(api.server.received().at(0).header("authorization"), concat("Bearer ", kMade));
}

TEST(AppToken, SaysWhenItCannotBeRevoked) {
  AppApi api;
  api.expect("DELETE", "/installation/token", {.status = 401, .body = R"({"message":"Bad credentials"})"});
  const auto revoked = api.tokens.revoke(Secret(kMade));
  ASSERT_FALSE(revoked);
  EXPECT_THAT(describe(revoked.error()), AllOf(HasSubstr("revoke the App's token"), Not(HasSubstr(kMade))));
}

TEST(AppToken, AsksNobodyWithAKeyThatIsNone) {
  AppApi api;
  const auto token = api.tokens.make({.id = "7", .key = Secret("open-sesame-1234")}, AppApi::repository());
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().code, ErrorCode::bad_input);
  EXPECT_TRUE(api.server.received().empty());
}

struct RefusalRow {
  const char* name;
  bool installed;  ///< the second question is refused, not the first
  int status;
  const char* body;
  ErrorCode code;
  const char *message, *hint;
};

class AppTokenRefusal : public testing::TestWithParam<RefusalRow> {};

TEST_P(AppTokenRefusal, SaysWhatToDo) {
  AppApi api;
  if (GetParam().installed) api.expect_installation();
  api.expect(GetParam().installed ? "POST" : "GET", GetParam().installed ? kMake : kWhere,
             {.status = GetParam().status, .body = GetParam().body});
  const auto token = api.make();
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().code, GetParam().code) << describe(token.error());
  EXPECT_THAT(describe(token.error()), HasSubstr(GetParam().message));
  EXPECT_THAT(token.error().hint, HasSubstr(GetParam().hint));
  EXPECT_THAT(concat(describe(token.error()), token.error().hint), Not(HasSubstr("eyJ")));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, AppTokenRefusal,
    testing::Values(
        RefusalRow{"WrongKey", false, 401, R"({"message":"A JSON web token could not be decoded"})",
                   ErrorCode::unauthenticated, "find the App 7 in o/r: found 401",
                   "clock, which says 2026-11-20T09:29:18Z"},
        RefusalRow{"NotInstalled", false, 404, R"({"message":"Not Found"})", ErrorCode::not_found, "found 404",
                   "install the App in o/r: http://127.0.0.1"},
        RefusalRow{"NoSuchApp", false, 404, R"({"message":"Integration not found"})", ErrorCode::not_found,
                   "Integration not found", "7 is no App's id"},
        RefusalRow{"NoNumber", false, 200, R"({"app_id":7})", ErrorCode::github_api, "find the App 7 in o/r", ""},
        RefusalRow{"NotGranted", true, 422,
                   R"({"message":"The permissions requested are not granted to this installation."})",
                   ErrorCode::github_api, "make a token of the App 7 for o/r: found 422", "`contents: write`"},
        RefusalRow{"Suspended", true, 403, R"({"message":"This installation has been suspended"})",
                   ErrorCode::forbidden, "has been suspended", "is it suspended?"},
        RefusalRow{"RemovedMeanwhile", true, 404, R"({"message":"Not Found"})", ErrorCode::not_found, "found 404",
                   "install the App in o/r"},
        RefusalRow{"Broken", true, 502, "<html>", ErrorCode::unavailable, "found 502", "try again"},
        RefusalRow{"EmptyToken", true, 201, R"({"token":""})", ErrorCode::github_api, "expected a token", ""},
        RefusalRow{"NoToken", true, 201, R"({"expires_at":"x"})", ErrorCode::github_api, "token", ""}),
    [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace crategate::github
