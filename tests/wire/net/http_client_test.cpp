// The client against real sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/strings.h"
#include "net/http.h"
#include "net/request_error.h"
#include "support/scripted_http_server.h"
#include "support/test_directory.h"
#include "sys/cancel.h"
#include "wire/net/loopback_server.h"

namespace crategate::net {
namespace {

using namespace std::chrono_literals;
using test::Reply;
using test::ScriptedHttpServer;
using ::testing::HasSubstr;

class HttpClientTest : public ::testing::Test {
 protected:
  Request request(std::string method, const std::string& target) const {
    return {.method = std::move(method), .url = server_.url(target), .timeout = 2000ms};
  }
  Result<Response> get(const std::string& target) { return client_.send(request("GET", target)); }

  ScriptedHttpServer server_;
  PosixHttpClient client_;
};

TEST_F(HttpClientTest, SendsARequestAndReadsTheAnswer) {
  server_.expect("PUT", "/v2/x?a=b", {.status = 201, .headers = {{"Location", "/y"}}, .body = "made"});
  Request put = request("PUT", "/v2/x?a=b");
  put.headers = {{"Authorization", "Bearer t"}};
  put.body = std::string("\0\r\n", 3);
  const Response response = client_.send(put).value();
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.header("location"), "/y");
  EXPECT_EQ(response.header("none"), "");
  EXPECT_EQ(response.body, "made");
  const auto received = server_.received().at(0);
  EXPECT_EQ(received.body, put.body);
  EXPECT_EQ(received.header("authorization"), "Bearer t");
  EXPECT_EQ(received.header("host"), server_.host());
  EXPECT_EQ(received.header("accept-encoding"), "identity");
}

TEST_F(HttpClientTest, ShowsTheHeadBeforeTheBodyAndStopsWhereThatIsRefused) {
  server_.expect("GET", "/part", {.status = 206, .headers = {{"Content-Range", "bytes 1-2/3"}}, .body = "bc"});
  server_.expect("GET", "/part", {.status = 206, .body = "bc"});
  std::string seen;
  Request ranged = request("GET", "/part");
  ranged.on_head = [&](const Response& head) -> Result<void> {
    seen += concat(head.status, head.header("content-range"), ";");
    if (head.header("content-range").empty()) return fail(ErrorCode::integrity, "no range");
    return {};
  };
  ranged.sink = [&](std::string_view bytes) -> Result<void> {
    seen += bytes;
    return {};
  };
  EXPECT_EQ(client_.send(ranged).value().status, 206);
  EXPECT_EQ(client_.send(ranged).error().message, "no range");
  EXPECT_EQ(seen, "206bytes 1-2/3;bc206;");
}

TEST_F(HttpClientTest, UsesAConnectionAgainForEveryKindOfBody) {
  server_.expect("GET", "/length", {.body = "abc"});
  server_.expect("GET", "/chunks",
                 {.raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"});
  server_.expect("HEAD", "/head", {.headers = {{"Content-Length", "1000"}}});
  server_.expect("GET", "/none", {.raw = "HTTP/1.1 204 No Content\r\n\r\n"});
  server_.expect("GET", "/interim",
                 {.raw = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 "
                         "OK\r\nContent-Length: 3\r\n\r\nabc"});
  server_.expect("GET", "/missing", {.status = 404, .body = "no"});
  EXPECT_EQ(get("/length").value().body, "abc");
  EXPECT_EQ(get("/chunks").value().body, "abc");
  EXPECT_EQ(client_.send(request("HEAD", "/head")).value().header("Content-Length"), "1000");
  EXPECT_EQ(get("/none").value().status, 204);
  EXPECT_EQ(get("/interim").value().body, "abc");
  EXPECT_EQ(get("/missing").value().body, "no");
  EXPECT_EQ(server_.connections(), 1);
}

TEST_F(HttpClientTest, ReadsABodyThatEndsWithTheConnection) {
  server_.expect("GET", "/", {.raw = "HTTP/1.0 200 OK\r\n\r\nuntil the end", .close = true});
  server_.expect("GET", "/again", {.headers = {{"Connection", "close"}}, .body = "x"});
  server_.expect("GET", "/third", {});
  EXPECT_EQ(get("/").value().body, "until the end");
  EXPECT_EQ(get("/again").value().body, "x");
  EXPECT_EQ(get("/third").value().status, 200);
  EXPECT_EQ(server_.connections(), 3);
}

TEST_F(HttpClientTest, A42A50FollowsAndDecodesNothing) {
  server_.expect(
      "GET", "/",
      {.status = 307, .headers = {{"Location", "/elsewhere"}, {"Content-Encoding", "gzip"}}, .body = "\x1f\x8b"});
  const Response response = get("/").value();
  EXPECT_EQ(response.status, 307);
  EXPECT_EQ(response.body, "\x1f\x8b");
}

struct BrokenAnswer {
  std::string name;
  Reply reply;
  ErrorCode code;
  bool cut_short = false;
};

TEST_F(HttpClientTest, A49B11NamesWhatIsWrongWithAnAnswer) {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const BrokenAnswer rows[] = {
      {"short body",
       {.headers = {{"Content-Length", "10"}}, .body = "short", .close = true},
       ErrorCode::integrity,
       true},
      {"cut within the body", {.body = std::string(1000, 'x'), .cut_after = 500}, ErrorCode::integrity, true},
      {"no last chunk", {.raw = chunked + "3\r\nabc\r\n", .close = true}, ErrorCode::integrity, true},
      {"cut within a chunk", {.raw = chunked + "30\r\nabc", .close = true}, ErrorCode::integrity, true},
      {"malformed chunk", {.raw = chunked + "zz\r\n", .close = true}, ErrorCode::integrity},
      {"too large", {.body = std::string(2001, 'x')}, ErrorCode::integrity},
      {"too large without a length",
       {.raw = "HTTP/1.1 200 OK\r\n\r\n" + std::string(5000, 'x'), .close = true},
       ErrorCode::integrity},
      {"endless head",
       {.raw = "HTTP/1.1 200 OK\r\nX: " + std::string(70000, 'x'), .close = true},
       ErrorCode::integrity},
      {"another protocol", {.raw = "SSH-2.0-OpenSSH_9.2\r\n\r\n", .close = true}, ErrorCode::integrity},
      {"two lengths",
       {.headers = {{"Content-Length", "1"}, {"Content-Length", "2"}}, .body = "xx"},
       ErrorCode::integrity},
      {"closed without an answer", {.cut_after = 0}, ErrorCode::unavailable},
      {"closed within the head", {.cut_after = 20}, ErrorCode::unavailable},
  };
  for (const BrokenAnswer& row : rows) {
    PosixHttpClient client;
    server_.expect("GET", "/x?sig=secret", row.reply);
    Request broken = request("GET", "/x?sig=secret");
    broken.body_limit = 2000;
    const auto response = client.send(broken);
    ASSERT_FALSE(response) << row.name;
    EXPECT_EQ(response.error().code, row.code) << row.name << ": " << response.error().message;
    EXPECT_EQ(is_cut_short(response.error()), row.cut_short) << row.name;
    ASSERT_TRUE(response.error().http) << row.name;
    EXPECT_EQ(response.error().http->method, "GET");
    EXPECT_EQ(response.error().http->url, "http://" + server_.host() + "/x") << row.name;
  }
}

TEST_F(HttpClientTest, A49CutsTheBodyOfAnErrorAnswer) {
  server_.expect("GET", "/", {.status = 500, .body = std::string(5000, 'x')});
  server_.expect("GET", "/next", {});
  Request limited = request("GET", "/");
  limited.body_limit = 1000;
  const Response response = client_.send(limited).value();
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body.size(), 1000u);
  EXPECT_TRUE(get("/next"));
  EXPECT_EQ(server_.connections(), 2) << "what is left of the body must not be read as the next answer";
}

TEST_F(HttpClientTest, StreamsIntoASinkAndStopsWhenItRefuses) {
  server_.expect("GET", "/blob", {.body = std::string(3u << 20, 'x')});
  Request streamed = request("GET", "/blob");
  std::size_t seen = 0;
  std::size_t largest = 0;
  streamed.sink = [&](std::string_view bytes) {
    seen += bytes.size();
    largest = std::max(largest, bytes.size());
    return Result<void>{};
  };
  EXPECT_EQ(client_.send(streamed).value().body, "");
  EXPECT_EQ(seen, 3u << 20);
  EXPECT_LE(largest, 64u << 10);
  server_.expect("GET", "/refused", {.body = "abc"});
  streamed.url = server_.url("/refused");
  streamed.sink = [](std::string_view) -> Result<void> { return fail(ErrorCode::no_space, "full"); };
  EXPECT_EQ(client_.send(streamed).error().code, ErrorCode::no_space);
  server_.expect("GET", "/denied", {.status = 403, .body = "why"});
  streamed.url = server_.url("/denied");
  EXPECT_EQ(client_.send(streamed).value().body, "why") << "the sink gets bodies of successes only";
}

BodySource pieces(std::vector<std::string> parts) {
  return [parts = std::move(parts), next = std::size_t{0}]() mutable -> Result<std::string> {
    return next < parts.size() ? parts[next++] : std::string();
  };
}

TEST_F(HttpClientTest, SendsABodyFromASource) {
  server_.expect("PUT", "/", {.status = 201});
  Request put = request("PUT", "/");
  put.source = pieces({"abc", std::string(1u << 20, 'x')});
  put.source_length = 3 + (1u << 20);
  EXPECT_EQ(client_.send(put).value().status, 201);
  EXPECT_EQ(server_.received().at(0).body.size(), put.source_length);
}

TEST_F(HttpClientTest, WaitsForAServerThatReadsMoreSlowlyThanWeSend) {
  constexpr std::size_t kSize = 64u << 20, kPiece = 1u << 20;
  std::atomic<std::size_t> offered = 0;
  std::size_t read = 0;
  test::LoopbackServer slow({[&](int socket) {
    // Begins when the client has offered more than any socket's buffers hold, or has been stopped by full ones.
    for (int i = 0; i < 100 && offered < kSize / 2; ++i) std::this_thread::sleep_for(1ms);
    std::string head;
    while (head.find("\r\n\r\n") == std::string::npos) head += test::read_some(socket, 4096);
    read = head.size() - head.find("\r\n\r\n") - 4;
    while (read < kSize) {
      const std::size_t count = test::read_some(socket, 16u << 10).size();
      if (count == 0) return;
      read += count;
    }
    test::write_all(socket, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
  }});
  Request put{.method = "PUT", .url = slow.url("http", "/"), .timeout = 10000ms};
  put.source_length = kSize;
  put.source = [&]() -> Result<std::string> {
    if (offered == kSize) return std::string();
    offered += kPiece;
    return std::string(kPiece, 'x');
  };
  const auto response = client_.send(put);
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(read, kSize);
}

TEST_F(HttpClientTest, RefusesASourceOfAnotherLength) {
  for (const std::uint64_t announced : {1u, 2u, 4u}) {
    Request put = request("PUT", "/");
    put.source = pieces({"ab", "c"});
    put.source_length = announced;
    const auto response = client_.send(put);
    ASSERT_FALSE(response) << announced;
    EXPECT_EQ(response.error().code, ErrorCode::internal) << announced;
  }
}

TEST_F(HttpClientTest, RepeatsOnlyWhatIsSafeWhenAnIdleConnectionWasClosed) {
  for (const std::string method : {"GET", "HEAD", "PUT", "DELETE", "POST", "PATCH"}) {
    PosixHttpClient client;
    const int before = server_.connections();
    server_.expect("GET", "/first", {});
    EXPECT_TRUE(client.send(request("GET", "/first")));
    server_.expect(method, "/second", {.cut_after = 0});
    const bool safe = method == "GET" || method == "HEAD";
    if (safe) server_.expect(method, "/second", {});
    EXPECT_EQ(client.send(request(method, "/second")).has_value(), safe) << method;
    EXPECT_EQ(server_.connections() - before, safe ? 2 : 1) << method;
  }
}

TEST_F(HttpClientTest, DoesNotUseAConnectionThatTheServerHasClosed) {
  server_.expect("GET", "/", {.close = true});
  server_.expect("POST", "/", {.status = 202});
  EXPECT_TRUE(get("/"));
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(client_.send(request("POST", "/")).value().status, 202);
}

TEST_F(HttpClientTest, GivesUpOnSilence) {
  server_.expect("GET", "/", {.delay = 50ms});
  Request impatient = request("GET", "/");
  impatient.timeout = 10ms;
  const auto response = client_.send(impatient);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::unavailable);
  EXPECT_THAT(response.error().message, HasSubstr("silent"));
}

TEST_F(HttpClientTest, NamesAServerThatIsNotThere) {
  std::string closed;
  {
    const ScriptedHttpServer gone;
    closed = gone.host();
  }
  for (const std::string& row : {"http://" + closed + "/", std::string("http://nothing.invalid/")}) {
    const auto response = client_.send({.url = Url::parse(row).value(), .timeout = 2000ms});
    ASSERT_FALSE(response) << row;
    EXPECT_EQ(response.error().code, ErrorCode::unavailable) << row;
    EXPECT_FALSE(response.error().hint.empty());
  }
  const auto missing = client_.send({.url = Url::parse("http://docker/").value(), .unix_socket = "/nonexistent.sock"});
  EXPECT_EQ(missing.error().code, ErrorCode::unavailable);
  EXPECT_THAT(missing.error().message, HasSubstr("/nonexistent.sock"));
}

TEST_F(HttpClientTest, ServesManyThreads) {
  constexpr int kThreads = 8, kEach = 20;
  for (int i = 0; i < kThreads * kEach; ++i) server_.expect("GET", "/", {.body = "abc"});
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&] {
      for (int k = 0; k < kEach; ++k) good += get("/") ? 1 : 0;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, kThreads * kEach);
  EXPECT_LE(server_.connections(), kThreads);
}

TEST(HttpClientOnAUnixSocket, AsksAndReadsARawStream) {
  const test::TestDirectory directory;
  ScriptedHttpServer server((directory / "engine.sock").string());
  server.expect("GET", "/_ping", {.body = "OK"});
  server.expect(
      "POST", "/attach",
      {.raw = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nraw bytes", .close = true});
  PosixHttpClient client;
  Request request{.url = Url::parse("http://docker/_ping").value(), .unix_socket = directory / "engine.sock"};
  EXPECT_EQ(client.send(request).value().body, "OK");
  EXPECT_EQ(server.received().at(0).header("Host"), "docker");
  std::string raw;
  request.method = "POST";
  request.url.target = "/attach";
  request.headers = {{"Connection", "Upgrade"}, {"Upgrade", "tcp"}};
  request.sink = [&raw](std::string_view bytes) {
    raw += bytes;
    return Result<void>{};
  };
  EXPECT_EQ(client.send(request).value().status, 101);
  EXPECT_EQ(raw, "raw bytes");
}

class CancelledHttpClientTest : public HttpClientTest {
 protected:
  void TearDown() override { sys::reset_cancellation(); }
};

TEST_F(CancelledHttpClientTest, EndsAWaitingRead) {
  server_.expect("GET", "/", {.raw = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"});
  Request streamed = request("GET", "/");
  streamed.timeout = 0ms;
  std::thread person([] {
    std::this_thread::sleep_for(20ms);
    sys::request_cancellation(ErrorCode::interrupted);
  });
  EXPECT_EQ(client_.send(streamed).error().code, ErrorCode::interrupted);
  person.join();
}

TEST_F(CancelledHttpClientTest, SendsOnlyWhatCleansUp) {
  sys::request_cancellation(ErrorCode::terminated);
  EXPECT_EQ(get("/").error().code, ErrorCode::terminated);
  server_.expect("DELETE", "/container", {.status = 204, .raw = "HTTP/1.1 204 No Content\r\n\r\n"});
  Request cleanup = request("DELETE", "/container");
  cleanup.ignore_cancellation = true;
  EXPECT_EQ(client_.send(cleanup).value().status, 204);
}

}  // namespace
}  // namespace crategate::net
