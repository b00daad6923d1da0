// Connections and their use: B09, B11, B13, how many requests at a time, and what is counted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "base/strings.h"
#include "net/http.h"
#include "net/transport.h"
#include "support/scripted_http_server.h"
#include "wire/net/loopback_server.h"

namespace crategate::net {
namespace {

using namespace std::chrono_literals;
using test::LoopbackServer;
using test::ScriptedHttpServer;
using ::testing::HasSubstr;

std::string read_request(int socket) {
  std::string head;
  while (head.find("\r\n\r\n") == std::string::npos) {
    const std::string more = test::read_some(socket, 4096);
    if (more.empty()) break;
    head += more;
  }
  return head;
}

Request request_to(const LoopbackServer& server, const std::string& method = "GET") {
  return {.method = method, .url = server.url("http", "/"), .timeout = 5000ms};
}

const std::string kJunk = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";

/// What the server of the second connection answers.
void serve_the_next(int socket) {
  EXPECT_THAT(read_request(socket), HasSubstr(" / HTTP/1.1"));
  test::write_all(socket, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood");
}

struct Surplus {
  const char* name;
  const char* method;
  std::string answer, body;
};

TEST(Reuse, B13NeverOfAConnectionWithMoreOnItThanTheAnswer) {
  const Surplus rows[] = {
      {"a second answer", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc" + kJunk, "abc"},
      {"a byte", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc\n", "abc"},
      {"B11 a length that is too small", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef", "abc"},
      {"behind the last chunk", "GET",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + kJunk, "abc"},
      {"behind no content", "GET", "HTTP/1.1 204 No Content\r\n\r\n" + kJunk, ""},
      {"behind not modified", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\nabc", ""},
      {"a body for HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", ""},
  };
  for (const Surplus& row : rows) {
    LoopbackServer server({[&row](int socket) {
                             read_request(socket);
                             test::write_all(socket, row.answer);
                             EXPECT_EQ(read_request(socket), "") << row.name << ": no further request";
                           },
                           serve_the_next});
    PosixHttpClient client;
    const auto first = client.send(request_to(server, row.method));
    ASSERT_TRUE(first) << row.name << ": " << first.error().message;
    EXPECT_EQ(first->body, row.body) << row.name;
    const auto next = client.send(request_to(server));
    ASSERT_TRUE(next) << row.name << ": " << next.error().message;
    EXPECT_EQ(next->body, "good") << row.name;
  }
}

TEST(Reuse, B13NeverAfterAnAnswerThatNobodyAskedForCameLater) {
  std::promise<void> read, written;
  LoopbackServer server({[&](int socket) {
                           read_request(socket);
                           test::write_all(socket, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
                           read.get_future().wait();
                           test::write_all(socket, kJunk);
                           written.set_value();
                           EXPECT_EQ(read_request(socket), "") << "no further request";
                         },
                         serve_the_next});
  PosixHttpClient client;
  EXPECT_EQ(client.send(request_to(server))->body, "abc");
  read.set_value();
  written.get_future().wait();
  EXPECT_EQ(client.send(request_to(server))->body, "good");
}

struct Broken {
  const char* name;
  LoopbackServer::Script script;
  ErrorCode code;
};

LoopbackServer::Script resets_after(std::string answer) {
  return [answer = std::move(answer)](int socket) {
    read_request(socket);
    test::write_all(socket, answer);
    test::reset_on_close(socket);
  };
}

LoopbackServer::Script closes_after(std::string answer) {
  return [answer = std::move(answer)](int socket) {
    read_request(socket);
    test::write_all(socket, answer);
  };
}

TEST(BrokenConnection, B09AndB11EndAsWhatTheyAreAndOnlyOnce) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
  const Broken rows[] = {
      {"B09 reset before bytes", [](int socket) { test::reset_on_close(socket); }, ErrorCode::unavailable},
      {"B09 reset after the last byte, before the status", resets_after(""), ErrorCode::unavailable},
      {"B09 reset within the head", resets_after("HTTP/1.1 200 OK\r\nConte"), ErrorCode::unavailable},
      {"B09 reset after the head", resets_after(head), ErrorCode::unavailable},
      {"B09 reset within the body", resets_after(head + "abc"), ErrorCode::unavailable},
      {"B11 closed after the head", closes_after(head), ErrorCode::integrity},
      {"B11 closed within the body", closes_after(head + "abc"), ErrorCode::integrity},
      {"B11 closed within a chunk", closes_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nabc"),
       ErrorCode::integrity},
      {"closed before the status", closes_after(""), ErrorCode::unavailable},
  };
  for (const Broken& row : rows) {
    LoopbackServer server({row.script, serve_the_next});
    PosixHttpClient client;
    std::string seen;
    Request request = request_to(server, "PUT");
    request.body = "content";
    request.sink = [&seen](std::string_view bytes) -> Result<void> {
      seen += bytes;
      return {};
    };
    const auto response = client.send(request);
    ASSERT_FALSE(response) << row.name;
    EXPECT_EQ(response.error().code, row.code) << row.name << ": " << response.error().message;
    EXPECT_EQ(server.connections(), 1) << row.name << ": whoever asked decides about another try";
    EXPECT_LE(seen.size(), 3U);
    EXPECT_EQ(client.send(request_to(server))->body, "good") << row.name;
  }
}

TEST(BrokenConnection, B09WithinAnUploadIsUnavailable) {
  ScriptedHttpServer server;
  server.serve_with({.answer = [](auto&) { return test::Reply{.status = 201}; },
                     .reset_after = [](const auto&) { return std::optional<std::size_t>(1000); }});
  Request request{.method = "PUT", .url = server.url("/"), .body = std::string(4u << 20, 'x'), .timeout = 5000ms};
  const auto response = PosixHttpClient().send(request);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::unavailable) << response.error().message;
  EXPECT_EQ(server.connections(), 1);
}

TEST(RequestsAtATime, AreAsManyAsAnOriginMayHaveAndNoMore) {
  constexpr int kLimit = 3, kRequests = 12;
  std::mutex mutex;
  std::condition_variable changed;
  int running = 0, most = 0, served = 0;
  ScriptedHttpServer server;
  server.serve_with({.answer = [&](auto&) {
    std::unique_lock lock(mutex);
    most = std::max(most, ++running);
    changed.notify_all();
    // All places are taken before the first is left.
    changed.wait(lock, [&] { return most >= kLimit; });
    ++served;
    --running;
    return test::Reply{};
  }});
  PosixHttpClient client(TransportOptions{.proxies = {}, .tls = {}, .per_host = kLimit});
  std::vector<std::thread> threads;
  for (int i = 0; i < kRequests; ++i)
    threads.emplace_back([&] { EXPECT_TRUE(client.send({.url = server.url("/"), .timeout = 5000ms})); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(served, kRequests);
  EXPECT_EQ(most, kLimit);
  EXPECT_LE(server.connections(), kLimit);
  EXPECT_EQ(client.counts().connections, static_cast<std::uint64_t>(server.connections()));
}

TEST(RequestsAtATime, MayBeHeldByOneThatAsksAnotherOrigin) {
  ScriptedHttpServer first, second;
  first.expect("GET", "/", {.body = "abc"});
  second.expect("GET", "/", {});
  PosixHttpClient client(TransportOptions{.proxies = {}, .tls = {}, .per_host = 1});
  Request request{.url = first.url("/"), .timeout = 5000ms};
  request.sink = [&](std::string_view) -> Result<void> {
    CG_CHECK(client.send({.url = second.url("/"), .timeout = 5000ms}));
    return {};
  };
  EXPECT_TRUE(client.send(request));
}

TEST(TransportCounts, AreRequestsConnectionsAndBytes) {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
  std::size_t sent = 0;
  LoopbackServer server({[&](int socket) {
    for (int i = 0; i < 2; ++i) {
      sent += read_request(socket).size();
      test::write_all(socket, answer);
    }
  }});
  PosixHttpClient client;
  EXPECT_EQ(client.counts().requests, 0U);
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(client.send(request_to(server)));
  const TransportCounts counts = client.counts();
  EXPECT_EQ(counts.requests, 2U);
  EXPECT_EQ(counts.connections, 1U);
  EXPECT_EQ(counts.bytes_sent, sent);
  EXPECT_EQ(counts.bytes_received, 2 * answer.size());
}

}  // namespace
}  // namespace crategate::net
