// Which of a server's addresses is used: B16 (happy eyeballs) and A40 (public addresses).
#include "net/race.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <filesystem>

#include "net/http.h"
#include "support/scripted_http_server.h"
#include "wire/net/loopback_server.h"

namespace crategate::net {
namespace {

using namespace std::chrono_literals;
using test::LoopbackServer;
using ::testing::HasSubstr;

using Clock = std::chrono::steady_clock;

/// Listens and never answers: the queue of its connections is full, so that the kernel drops what comes.
class BlackHole {
 public:
  BlackHole() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_.get(), 0), 0);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    for (int i = 0; i < 4; ++i) waiting_.push_back(start_connecting(this->address()).value());
  }
  SocketAddress address() const { return numeric_address("127.0.0.1", port_).value(); }
  Url url() const { return {.scheme = "http", .host = "127.0.0.1", .port = port_, .target = "/"}; }

 private:
  sys::Descriptor listener_;
  std::uint16_t port_ = 0;
  std::vector<sys::Descriptor> waiting_;
};

SocketAddress address_of(const LoopbackServer& server) {
  return numeric_address("127.0.0.1", static_cast<std::uint16_t>(server.port())).value();
}

/// An address where nobody listens.
SocketAddress refused() {
  const LoopbackServer gone({});
  return address_of(gone);
}

bool same(const SocketAddress& a, const SocketAddress& b) {
  return a.size == b.size && std::memcmp(a.bytes.data(), b.bytes.data(), a.size) == 0;
}

std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
}

void hold(int socket) { test::read_some(socket, 1); }

struct RaceRow {
  const char* name;
  std::vector<SocketAddress> before;
  std::chrono::milliseconds at_least, at_most;
};

TEST(Race, B16IsWonByTheFirstAddressThatConnects) {
  const BlackHole hole;
  const RaceRow rows[] = {{"alone", {}, 0ms, 200ms},
                          {"after a refusal", {refused(), refused()}, 0ms, 200ms},
                          {"beside a black hole", {hole.address()}, kHeadStart, 1000ms},
                          {"beside two of them", {hole.address(), hole.address()}, 2 * kHeadStart, 1500ms},
                          {"after a refusal beside a black hole", {hole.address(), refused()}, kHeadStart, 1000ms}};
  for (const RaceRow& row : rows) {
    LoopbackServer server({hold});
    const auto before = open_descriptors();
    std::vector<SocketAddress> addresses = row.before;
    addresses.push_back(address_of(server));
    addresses.push_back(hole.address());
    const Request request{.url = server.url("http", "/")};
    Patience patience(request);
    const auto started = Clock::now();
    {
      const auto winner = connect_first(addresses, patience);
      const auto took = Clock::now() - started;
      ASSERT_TRUE(winner) << row.name << ": " << winner.error().message;
      EXPECT_TRUE(same(winner->address, address_of(server))) << row.name;
      EXPECT_GE(took, row.at_least) << row.name;
      EXPECT_LT(took, row.at_most) << row.name;
      // The server's thread may have accepted by now.
      EXPECT_LE(open_descriptors(), before + 2) << row.name << ": those that lost are closed";
    }
  }
}

TEST(Race, B16OfNobodyNamesTheReasonAndEndsInTime) {
  const Request request{.url = Url::parse("http://server.example/").value(), .timeout = 50ms};
  Patience patience(request);
  const auto none = connect_first({refused()}, patience);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::unavailable);
  EXPECT_THAT(none.error().message, HasSubstr("http://server.example:80: Connection refused"));
  EXPECT_FALSE(connect_first({}, patience));
  const BlackHole hole;
  const auto started = Clock::now();
  EXPECT_THAT(connect_first({hole.address()}, patience).error().message, HasSubstr("silent for"));
  EXPECT_LT(Clock::now() - started, 2s);
}

TEST(Race, LetsFamiliesTakeTurns) {
  std::vector<SocketAddress> given;
  for (const char* text : {"2001:db8::1", "2001:db8::2", "2001:db8::3", "10.0.0.1", "10.0.0.2"})
    given.push_back(numeric_address(text, 1).value());
  const auto ordered = alternate_families(given);
  ASSERT_EQ(ordered.size(), 5U);
  for (const auto& [at, from] : {std::pair{0, 0}, {1, 3}, {2, 1}, {3, 4}, {4, 2}})
    EXPECT_TRUE(same(ordered[static_cast<std::size_t>(at)], given[static_cast<std::size_t>(from)])) << at;
  EXPECT_TRUE(alternate_families({}).empty());
}

TEST(Connecting, EndsWithTheDeadline) {
  const BlackHole hole;
  const auto started = Clock::now();
  const auto response = PosixHttpClient().send({.url = hole.url(), .deadline = started + 50ms});
  ASSERT_FALSE(response);
  EXPECT_THAT(response.error().message, HasSubstr("took longer than"));
  EXPECT_LT(Clock::now() - started, 2s);
}

TEST(Connecting, B16ToANameThatNobodyKnowsIsUnavailable) {
  const auto response = PosixHttpClient().send({.url = Url::parse("https://nothing.invalid/").value()});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::unavailable);
  EXPECT_THAT(response.error().message, HasSubstr("https://nothing.invalid:443: "));
}

class PublicAddress : public ::testing::Test {
 protected:
  void expect_refused(const std::string& url) {
    const auto response = client_.send({.url = Url::parse(url).value(), .timeout = 500ms, .public_address_only = true});
    ASSERT_FALSE(response) << url;
    EXPECT_EQ(response.error().code, ErrorCode::integrity) << url << ": " << response.error().message;
    EXPECT_THAT(response.error().message, HasSubstr("not on the public internet")) << url;
  }
  std::string port() const { return std::to_string(server_.url("/").port); }

  test::ScriptedHttpServer server_;
  PosixHttpClient client_;
};

TEST_F(PublicAddress, A40IsAskedOfLiteralsInEverySpelling) {
  for (const char* host : {"127.0.0.1",
                           "127.1",
                           "2130706433",
                           "0x7f000001",
                           "0177.0.0.1",
                           "[::1]",
                           "[::ffff:127.0.0.1]",
                           "0.0.0.0",
                           "[::]",
                           "10.0.0.1",
                           "172.16.0.1",
                           "192.168.1.1",
                           "100.64.0.1",
                           "169.254.169.254",
                           "[fe80::1]",
                           "[fd00::1]",
                           "[fec0::1]",
                           "[ff02::1]",
                           "224.0.0.1",
                           "255.255.255.255",
                           "[2002:7f00:1::]",
                           "[2002:a9fe:a9fe::]",
                           "[64:ff9b::a00:1]",
                           "[::ffff:8.8.8.8]",
                           "[2001:db8::1]",
                           "198.18.0.1"})
    expect_refused("http://" + std::string(host) + ":" + port() + "/");
  EXPECT_EQ(server_.connections(), 0);
}

TEST_F(PublicAddress, A40IsAskedAfterTheNameIsResolved) {
  expect_refused("http://localhost:" + port() + "/");
  EXPECT_EQ(server_.connections(), 0);
}

TEST_F(PublicAddress, A40IsAskedOfAConnectionThatIsOpenAlready) {
  server_.expect("GET", "/", {});
  EXPECT_TRUE(client_.send({.url = server_.url("/")}));
  expect_refused(server_.url("/").text());
  EXPECT_EQ(server_.received().size(), 1U);
}

}  // namespace
}  // namespace crategate::net
