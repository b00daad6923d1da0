// What a token may do, by the first request of a push.
#include "github/git_server.h"

#include <gmock/gmock.h>

#include "base/strings.h"
#include "support/fakes.h"
#include "support/scripted_http_server.h"

namespace crategate::github {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kAddress = "/o/r.git/info/refs?service=git-receive-pack";
constexpr const char* kToken = "ghs_open-sesame";
// `x-access-token:ghs_open-sesame` in base 64.
constexpr const char* kLogin = "Basic eC1hY2Nlc3MtdG9rZW46Z2hzX29wZW4tc2VzYW1l";

/// GitHub's git server on loopback; chance is always 0.
class PushRight : public testing::Test {
 protected:
  void expect(test::Reply reply) { server.expect("GET", kAddress, std::move(reply)); }
  Result<bool> ask() {
    auto base = server.url("/");
    base.target.clear();
    return may_push(http, clock, {.base = base, .token = Secret(kToken)}, *RepositoryName::parse("o/r"),
                    [] { return 0.0; });
  }
  test::ScriptedHttpServer server;
  test::FakeClock clock;
  net::PosixHttpClient http;
};

TEST_F(PushRight, IsThereWhereThePushWouldBegin) {
  const std::string refs(20u << 20, 'x');  // of which nothing is waited for
  expect({.headers = {{"Content-Length", std::to_string(refs.size())}}, .body = "001f# service=git-receive-pack\n"});
  const auto may = ask();
  ASSERT_TRUE(may) << describe(may.error());
  EXPECT_TRUE(*may);
  EXPECT_EQ(server.received().at(0).header("authorization"), kLogin);
}

TEST_F(PushRight, IsMissingWhereThePushIsRefused) {
  expect({.status = 403, .body = "Write access to repository not granted."});
  const auto may = ask();
  ASSERT_TRUE(may) << describe(may.error());
  EXPECT_FALSE(*may);
}

TEST_F(PushRight, IsUnclearWhateverElseIsAnswered) {
  struct Row {
    test::Reply reply;
    int times;
    const char* found;
  };
  const std::vector<Row> rows = {
      {{.status = 204}, 1, "found 204"},
      {{.status = 401}, 1, "found 401"},  // a token that nobody knows says nothing of the job's
      {{.status = 404}, 1, "found 404"},
      {{.status = 500}, 3, "found 500"},
      {{.status = 429}, 3, "found 429"},
      {{.status = 403, .headers = {{"Retry-After", "1"}}}, 1, "found 403"},
      {{.status = 403, .headers = {{"X-RateLimit-Remaining", "0"}}}, 1, "found 403"},
  };
  for (const auto& row : rows) {
    for (int i = 0; i < row.times; ++i) expect(row.reply);
    const auto may = ask();
    ASSERT_FALSE(may) << row.found;
    const std::string text = describe(may.error());
    EXPECT_THAT(text, HasSubstr(kAddress));
    EXPECT_THAT(text, HasSubstr("expected 200 (may push) or 403 (may not)"));
    EXPECT_THAT(text, HasSubstr(row.found));
    EXPECT_THAT(text, Not(HasSubstr("sesame")));
  }
}

TEST_F(PushRight, IsUnclearWhereNobodyAnswers) {
  expect({.reset = true});
  expect({.reset = true});
  expect({.reset = true});
  EXPECT_EQ(ask().error().code, ErrorCode::unavailable);
}

TEST_F(PushRight, IsAskedAgainAfterWhatPasses) {
  expect({.status = 502});
  expect({.status = 403});
  EXPECT_EQ(ask().value_or(true), false);
}

TEST_F(PushRight, TakesTheTokenNowhereElse) {
  const test::ScriptedHttpServer other;
  for (const int status : {301, 302, 307, 308}) {
    expect({.status = status, .headers = {{"Location", other.url(kAddress).text()}}});
    EXPECT_THAT(describe(ask().error()), HasSubstr(concat("found ", status)));
  }
  EXPECT_THAT(other.received(), IsEmpty());
}

TEST(GitServer, IsThatOfTheRunner) {
  test::FakeEnvironment environment;
  EXPECT_EQ(find_git_server(environment, Secret("t"))->base.text(), "https://github.com");
  environment.set("GITHUB_SERVER_URL", "https://git.example:8443/below/");
  EXPECT_EQ(find_git_server(environment, Secret("t"))->base.text(), "https://git.example:8443/below");
  environment.set("GITHUB_SERVER_URL", "http://git.example");
  EXPECT_THAT(find_git_server(environment, Secret("t")).error().message, HasSubstr("expected https"));
  environment.set("GITHUB_SERVER_URL", "https://git.example");
  EXPECT_EQ(find_git_server(environment, Secret("a\nb")).error().code, ErrorCode::bad_input);
}

}  // namespace
}  // namespace crategate::github
