// Plain HTTP or TLS, where both may be: what the server answers decides, once for all who ask.
#include <gmock/gmock.h>

#include <condition_variable>
#include <mutex>

#include "base/strings.h"
#include "net/request_error.h"
#include "registry/client.h"
#include "support/fakes.h"
#include "sys/parallel.h"

namespace crategate::registry {
namespace {

const oci::Digest kDigest = oci::Digest::of("manifest");

/// A server with TLS. Of two plain requests at a time the second is answered only when TLS has been spoken.
class TlsServer final : public net::HttpClient {
 public:
  Result<net::Response> send(const net::Request& request) override {
    std::unique_lock lock(mutex_);
    if (request.url.scheme == "http") {
      const bool first = ++plain_ == 1;
      changed_.notify_all();
      changed_.wait(lock, [&] { return first ? plain_ == 2 : secure_ > 0; });
      return net::Response{.status = 400, .headers = {}, .body = {}};
    }
    net::Response response{.status = 200, .headers = {{"Docker-Content-Digest", kDigest.text()}}, .body = {}};
    CG_CHECK(request.on_head(response));
    ++secure_;
    changed_.notify_all();
    return response;
  }
  int plain() const { return plain_; }
  int secure() const { return secure_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int plain_ = 0, secure_ = 0;
};

TEST(RegistryScheme, IsSettledForAllWhoAskAtTheSameTime) {
  TlsServer server;
  test::FakeClock clock;
  HttpRegistry client(server, clock,
                      [](const std::string&) -> Result<std::optional<Credentials>> { return std::nullopt; }, {});
  const auto ask = [&](std::size_t) -> Result<void> {
    CG_CHECK(client.digest({{"localhost:5000", "a/b"}, "v1", std::nullopt}));
    return {};
  };
  const auto both = sys::for_each_parallel(2, 2, ask);
  ASSERT_TRUE(both) << describe(both.error());
  EXPECT_EQ(server.plain(), 2);
  EXPECT_EQ(server.secure(), 2);
  ASSERT_TRUE(ask(0));
  EXPECT_EQ(server.plain(), 2) << "what is known is not asked again";
}

/// What a server is on each of its two ways: an answer, or a failure to connect.
struct Way {
  int status = 0;  ///< 0 = no answer
  ErrorCode code = ErrorCode::unavailable;
  std::string mark = {};  ///< HttpFailure::code
  net::Headers headers = {};
  std::string method = {};  ///< of the failure, where it is another's
};

/// Keeps what it was asked, and answers by scheme; a request with credentials is satisfied.
class TwoWays final : public net::HttpClient {
 public:
  TwoWays(Way secure, Way plain) : secure_(std::move(secure)), plain_(std::move(plain)) {}
  Result<net::Response> send(const net::Request& request) override {
    const Way& way = request.url.scheme == "https" ? secure_ : plain_;
    const bool authorized =
        std::ranges::any_of(request.headers, [](const auto& h) { return h.first == "Authorization"; });
    asked.push_back(concat(request.url.scheme, authorized ? " with login" : ""));
    if (way.status == 0) {
      Error error{.code = way.code, .message = concat("no ", request.url.scheme)};
      error.http = HttpFailure{.method = way.method.empty() ? request.method : way.method,
                               .url = request.url.redacted(),
                               .status = way.method.empty() ? 0 : 503,
                               .code = way.mark};
      return fail(std::move(error));
    }
    net::Response response{.status = authorized ? 200 : way.status, .headers = way.headers, .body = {}};
    if (response.status == 200) response.headers.emplace_back("Docker-Content-Digest", kDigest.text());
    CG_CHECK(request.on_head(response));
    return response;
  }
  std::vector<std::string> asked;

 private:
  Way secure_, plain_;
};

struct SchemeRow {
  const char* name;
  Way secure, plain;
  std::vector<std::string> asked;  ///< by two digests, one after the other
  std::optional<ErrorCode> error = std::nullopt;
};
void PrintTo(const SchemeRow& row, std::ostream* out) { *out << row.name; }

class InsecureRegistry : public testing::TestWithParam<SchemeRow> {};

TEST_P(InsecureRegistry, IsAskedOverTlsFirst) {
  TwoWays server(GetParam().secure, GetParam().plain);
  test::FakeClock clock;
  RegistryOptions options;
  options.insecure = {"registry.example"};
  options.patience.retry.tries = 1;
  HttpRegistry client(
      server, clock,
      [](const std::string&) -> Result<std::optional<Credentials>> {
        return Credentials{"me", Secret("pass-word")};
      },
      options);
  for (int i = 0; i < 2; ++i) {
    const auto digest = client.digest({{"registry.example", "a/b"}, "v1", std::nullopt});
    ASSERT_EQ(digest.has_value(), !GetParam().error) << (digest ? "" : describe(digest.error()));
    if (digest) continue;
    EXPECT_EQ(digest.error().code, *GetParam().error);
    EXPECT_THAT(digest.error().message, testing::HasSubstr("no https"));
  }
  EXPECT_EQ(server.asked, GetParam().asked);
}

const Way kServes{.status = 200}, kNobody{}, kWantsLogin{.status = 401, .headers = {{"WWW-Authenticate", "Basic"}}};

INSTANTIATE_TEST_SUITE_P(
    Rows, InsecureRegistry,
    testing::Values(
        SchemeRow{"TlsIsTaken", kServes, kServes, {"https", "https"}},
        SchemeRow{"ALoginGoesOverTls", kWantsLogin, kServes, {"https", "https with login", "https with login"}},
        SchemeRow{"PlainWhereNobodyAnswersTls", kNobody, kServes, {"https", "http", "http"}},
        SchemeRow{"PlainWhereSomethingElseIsSpoken",
                  {.code = ErrorCode::integrity, .mark = std::string(net::kNoTls)},
                  kServes,
                  {"https", "http", "http"}},
        SchemeRow{"PlainWhereAProxyOpensNoWay", {.method = "CONNECT"}, kServes, {"https", "http", "http"}},
        SchemeRow{"NoLoginBeforeTheServerAskedForItInPlain",
                  kNobody,
                  kWantsLogin,
                  {"https", "http", "http with login", "http with login"}},
        SchemeRow{"NeverPlainWhereTheCertificateDoesNotHold",
                  {.code = ErrorCode::integrity},
                  kServes,
                  {"https", "https"},
                  ErrorCode::integrity},
        SchemeRow{"NotPlainWhereThatWantsTls",
                  kNobody,
                  {.status = 400},
                  {"https", "http", "https", "http"},
                  ErrorCode::unavailable},
        SchemeRow{"NotPlainWhereThatLeadsToTls",
                  kNobody,
                  {.status = 301, .headers = {{"Location", "https://registry.example/v2/a/b/manifests/v1"}}},
                  {"https", "http", "https", "http"},
                  ErrorCode::unavailable},
        SchemeRow{"NobodyAtAll", kNobody, kNobody, {"https", "http", "https", "http"}, ErrorCode::unavailable}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(PlainRegistryOnThisMachine, IsAskedAgainWhereItsFirstConnectionWasCut) {
  class CutsOnce final : public net::HttpClient {
   public:
    Result<net::Response> send(const net::Request& request) override {
      asked.push_back(request.url.scheme);
      if (request.url.scheme == "https") {
        Error error{.code = ErrorCode::integrity, .message = "no TLS handshake"};
        error.http =
            HttpFailure{.method = request.method, .url = request.url.redacted(), .code = std::string(net::kNoTls)};
        return fail(std::move(error));
      }
      if (asked.size() == 1) return net::no_contact(request, "no answer from", "the connection was cut");
      net::Response response{.status = 200, .headers = {{"Docker-Content-Digest", kDigest.text()}}, .body = {}};
      CG_CHECK(request.on_head(response));
      return response;
    }
    std::vector<std::string> asked;
  } server;
  test::FakeClock clock;
  HttpRegistry client(server, clock,
                      [](const std::string&) -> Result<std::optional<Credentials>> { return std::nullopt; }, {});
  const auto digest = client.digest({{"localhost:5000", "a/b"}, "v1", std::nullopt});
  ASSERT_TRUE(digest) << describe(digest.error());
  EXPECT_THAT(server.asked, testing::ElementsAre("http", "https", "http"));
}

TEST(InsecureRegistryOnceAskedOverTls, IsNeverAskedInPlain) {
  class FailsLater final : public net::HttpClient {
   public:
    Result<net::Response> send(const net::Request& request) override {
      EXPECT_EQ(request.url.scheme, "https");
      if (++asked_ > 1) {
        return net::no_contact(request, "cannot connect to", "the network is down");
      }
      net::Response response{.status = 200, .headers = {{"Docker-Content-Digest", kDigest.text()}}, .body = {}};
      CG_CHECK(request.on_head(response));
      return response;
    }

   private:
    int asked_ = 0;
  } server;
  test::FakeClock clock;
  HttpRegistry client(server, clock,
                      [](const std::string&) -> Result<std::optional<Credentials>> { return std::nullopt; },
                      {.insecure = {"registry.example"}, .mirrors = {}, .patience = {}});
  const oci::Reference tag{{"registry.example", "a/b"}, "v1", std::nullopt};
  ASSERT_TRUE(client.digest(tag));
  EXPECT_FALSE(client.digest(tag));
}

}  // namespace
}  // namespace crategate::registry
