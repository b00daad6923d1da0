// Plain HTTP or TLS, where both may be: on loopback what the server answers decides, once for all who ask.
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

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

}  // namespace
}  // namespace crategate::registry
