// How long a request may take: B10 and deadlines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>
#include <utility>

#include "net/http.h"
#include "net/transport.h"
#include "support/scripted_http_server.h"
#include "support/test_directory.h"
#include "wire/net/loopback_server.h"

namespace crategate::net {
namespace {

using namespace std::chrono_literals;
using test::LoopbackServer;
using test::ScriptedHttpServer;
using ::testing::HasSubstr;

using Clock = std::chrono::steady_clock;

void read_head(int socket) {
  std::string head;
  while (head.find("\r\n\r\n") == std::string::npos) {
    const std::string more = test::read_some(socket, 4096);
    if (more.empty()) return;
    head += more;
  }
}

/// Sends `lead`, and then a byte every few milliseconds until nobody listens or `count` are sent.
LoopbackServer::Script drips(std::string lead, int count) {
  return [lead = std::move(lead), count](int socket) {
    read_head(socket);
    test::write_all(socket, lead);
    for (int i = 0; i < count && test::try_write(socket, "x"); ++i) std::this_thread::sleep_for(2ms);
  };
}

/// Takes a few bytes at a time, as long as it lives.
class SlowReader {
 public:
  ~SlowReader() { done_ = true; }
  Request upload() const {
    Request request{.method = "PUT", .url = server_.url("http", "/"), .timeout = 5000ms};
    request.source_length = 1u << 30;
    request.source = []() -> Result<std::string> { return std::string(1u << 20, 'x'); };
    return request;
  }

 private:
  std::atomic<bool> done_ = false;
  LoopbackServer server_{{[this](int socket) {
    while (!done_ && !test::read_some(socket, 64).empty()) std::this_thread::sleep_for(1ms);
  }}};
};

constexpr int kForever = 5000;
const std::string kHead = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";

Request request_to(const LoopbackServer& server) { return {.url = server.url("http", "/"), .timeout = 5000ms}; }

void expect_late(const Result<Response>& response, Clock::time_point started) {
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::unavailable) << response.error().message;
  EXPECT_THAT(response.error().message, HasSubstr("took longer than"));
  EXPECT_LT(Clock::now() - started, 3s);
}

TEST(RequestDeadline, EndsTheWaitForAnAnswer) {
  ScriptedHttpServer server;
  server.expect("GET", "/", {.stall = true});
  PosixHttpClient client;
  const auto started = Clock::now();
  expect_late(client.send({.url = server.url("/"), .deadline = started + 30ms}), started);
}

TEST(RequestDeadline, EndsAnAnswerThatNeverPausesLongEnoughForSilence) {
  LoopbackServer server({drips(kHead, kForever)});
  Request request = request_to(server);
  const auto started = Clock::now();
  request.deadline = started + 50ms;
  expect_late(PosixHttpClient().send(request), started);
}

TEST(RequestDeadline, EndsAnAnswerThatNeverMakesUsWait) {
  LoopbackServer server({[](int socket) {
    read_head(socket);
    test::write_all(socket, "HTTP/1.1 200 OK\r\n\r\n");
    while (test::try_write(socket, std::string(64u << 10, 'x'))) {
    }
  }});
  Request request = request_to(server);
  const auto started = Clock::now();
  request.deadline = started + 50ms;
  request.sink = [](std::string_view) { return Result<void>{}; };
  expect_late(PosixHttpClient().send(request), started);
}

TEST(RequestDeadline, EndsASlowUpload) {
  SlowReader server;
  Request request = server.upload();
  const auto started = Clock::now();
  request.deadline = started + 50ms;
  expect_late(PosixHttpClient().send(request), started);
}

TEST(RequestDeadline, ThatIsOverSendsNothing) {
  ScriptedHttpServer server;
  PosixHttpClient client;
  const auto started = Clock::now();
  expect_late(client.send({.url = server.url("/"), .deadline = started - 1s}), started);
  EXPECT_EQ(server.connections(), 0);
}

TEST(RequestDeadline, EndsTheWaitForAPlaceAmongTheRequestsOfAnOrigin) {
  ScriptedHttpServer server;
  std::promise<void> arrived, go_on;
  server.expect_with("GET", "/slow", [&](const auto&) {
    arrived.set_value();
    go_on.get_future().wait();
    return test::Reply{};
  });
  PosixHttpClient client(TransportOptions{.proxies = {}, .tls = {}, .per_host = 1});
  std::thread holder([&] { EXPECT_TRUE(client.send({.url = server.url("/slow")})); });
  arrived.get_future().wait();
  const auto started = Clock::now();
  expect_late(client.send({.url = server.url("/late"), .deadline = started + 30ms}), started);
  go_on.set_value();
  holder.join();
  EXPECT_EQ(server.received().size(), 1U);
}

TEST(RequestDeadline, LeavesAnAnswerInTimeAlone) {
  ScriptedHttpServer server;
  server.expect("GET", "/", {.body = "abc"});
  PosixHttpClient client;
  EXPECT_EQ(client.send({.url = server.url("/"), .deadline = Clock::now() + 20s})->body, "abc");
}

void expect_too_slow(const Result<Response>& response) {
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::unavailable);
  EXPECT_THAT(response.error().message, HasSubstr("expected at least"));
}

TEST(MinimumRate, B10EndsADripAfterOrWithinTheHead) {
  for (const std::string& lead : {kHead, std::string("HTTP/1.1 200 OK\r\nX: "), std::string()}) {
    LoopbackServer server({drips(lead, kForever)});
    Request request = request_to(server);
    request.minimum_rate = 100000;
    request.rate_window = 50ms;
    expect_too_slow(PosixHttpClient().send(request));
  }
}

TEST(MinimumRate, B10EndsAnUploadThatTrickles) {
  SlowReader server;
  Request request = server.upload();
  request.minimum_rate = 1u << 30;
  request.rate_window = 50ms;
  expect_too_slow(PosixHttpClient().send(request));
}

TEST(MinimumRate, B10StallAfterTheHeadEndsBySilence) {
  LoopbackServer server({[](int socket) {
    read_head(socket);
    test::write_all(socket, kHead);
    test::read_some(socket, 1);
  }});
  Request request = request_to(server);
  request.timeout = 30ms;
  const auto response = PosixHttpClient().send(request);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::unavailable);
  EXPECT_THAT(response.error().message, HasSubstr("silent for"));
}

TEST(MinimumRate, IsNotAskedOfAServerThatStillThinks) {
  ScriptedHttpServer server;
  server.expect("GET", "/", {.delay = 50ms});
  PosixHttpClient client;
  EXPECT_TRUE(client.send({.url = server.url("/"), .minimum_rate = 1u << 30, .rate_window = 5ms}));
  LoopbackServer interim({[](int socket) {
    read_head(socket);
    test::write_all(socket, "HTTP/1.1 100 Continue\r\n\r\n");
    std::this_thread::sleep_for(50ms);
    test::write_all(socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  }});
  Request request = request_to(interim);
  request.minimum_rate = 1u << 30;
  request.rate_window = 20ms;
  EXPECT_TRUE(client.send(request));
}

TEST(MinimumRate, CountsOnlyTheTimeThatTheServerTakes) {
  ScriptedHttpServer server;
  server.expect("GET", "/", {.body = std::string(1u << 20, 'x')});
  PosixHttpClient client;
  Request request{.url = server.url("/"), .minimum_rate = 1u << 20, .rate_window = 20ms};
  request.sink = [slow = true](std::string_view) mutable -> Result<void> {
    if (std::exchange(slow, false)) std::this_thread::sleep_for(60ms);
    return {};
  };
  const auto response = client.send(request);
  EXPECT_TRUE(response) << response.error().message;
}

TEST(MinimumRate, IsNotAskedOfLongWaitsAndUnixSockets) {
  LoopbackServer tcp({drips("HTTP/1.1 200 OK\r\n\r\n", 30)});
  Request request = request_to(tcp);
  request.minimum_rate = 1u << 30;
  request.rate_window = 10ms;
  request.timeout = 0ms;
  EXPECT_EQ(PosixHttpClient().send(request)->body.size(), 30U);
  const test::TestDirectory directory;
  const std::string path = directory / "engine.sock";
  LoopbackServer engine(path, {drips("HTTP/1.1 200 OK\r\n\r\n", 30)});
  request.url = Url::parse("http://docker/").value();
  request.unix_socket = path;
  request.timeout = 5000ms;
  EXPECT_EQ(PosixHttpClient().send(request)->body.size(), 30U);
}

}  // namespace
}  // namespace crategate::net
