// Requests through a proxy: what it is told, what it never sees, and what its refusals come to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "net/transport.h"
#include "support/fakes.h"
#include "support/scripted_http_server.h"
#include "wire/net/tls_fixture.h"

namespace crategate::net {
namespace {

using namespace std::chrono_literals;
using test::LoopbackServer;
using test::ScriptedHttpServer;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kPassword[] = "p@ss:w0rd/";
constexpr char kHeader[] = "Basic YW5uOnBAc3M6dzByZC8=";  // ann:p@ss:w0rd/

TransportOptions options_for(const std::string& host, const std::string& no_proxy = "") {
  const std::string proxy = "http://ann:p%40ss%3Aw0rd%2F@" + host;
  return {.proxies = parse_proxies(proxy, proxy, no_proxy).value(), .tls = {}};
}

Request request_to(const std::string& url) { return {.url = Url::parse(url).value(), .timeout = 3000ms}; }

TEST(HttpProxy, IsAskedForTheWholeUrl) {
  ScriptedHttpServer proxy;
  proxy.expect("GET", "http://registry.example:5000/v2/?a=b", {.body = "answer"});
  proxy.expect("GET", "http://registry.example/", {.body = "usual port"});
  PosixHttpClient client(options_for(proxy.host()));
  Request request = request_to("http://registry.example:5000/v2/?a=b");
  request.headers = {{"Authorization", "Bearer t"}};
  const auto response = client.send(request);
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->body, "answer");
  EXPECT_EQ(client.send(request_to("http://registry.example/"))->body, "usual port");
  const auto received = proxy.received().at(0);
  EXPECT_EQ(received.header("Host"), "registry.example:5000");
  EXPECT_EQ(received.header("Proxy-Authorization"), kHeader);
  EXPECT_EQ(received.header("Authorization"), "Bearer t");
}

TEST(HttpProxy, SeesNothingForThisMachineUnixSocketsAndExceptions) {
  ScriptedHttpServer proxy, server;
  const test::TestDirectory directory;
  ScriptedHttpServer engine((directory / "engine.sock").string());
  server.expect("GET", "/", {.body = "direct"});
  server.expect("GET", "/", {.body = "direct"});
  engine.expect("GET", "/", {.body = "engine"});
  PosixHttpClient client(options_for(proxy.host(), "nothing.invalid"));
  EXPECT_EQ(client.send({.url = server.url("/")})->body, "direct");
  EXPECT_EQ(client.send(request_to(concat("http://localhost:", server.url("/").port, "/")))->body, "direct");
  EXPECT_EQ(client.send({.url = Url::parse("http://docker/").value(), .unix_socket = directory / "engine.sock"})->body,
            "engine");
  EXPECT_THAT(client.send(request_to("https://nothing.invalid/")).error().message, Not(HasSubstr("proxy")));
  EXPECT_EQ(proxy.connections(), 0);
  for (const auto& received : server.received()) EXPECT_EQ(received.header("Proxy-Authorization"), "");
}

TEST(HttpProxy, A40IsNotAskedForAnAddressThatIsNotPublic) {
  ScriptedHttpServer proxy;
  proxy.expect("GET", "http://registry.example/", {});
  PosixHttpClient client(options_for(proxy.host()));
  for (const char* url : {"http://10.0.0.1/", "https://169.254.169.254/", "http://[fd00::1]/", "http://0x0a000001/"}) {
    Request request = request_to(url);
    request.public_address_only = true;
    const auto response = client.send(request);
    ASSERT_FALSE(response) << url;
    EXPECT_EQ(response.error().code, ErrorCode::integrity) << url;
  }
  EXPECT_EQ(proxy.connections(), 0);
  Request named = request_to("http://registry.example/");
  named.public_address_only = true;
  EXPECT_TRUE(client.send(named)) << "the proxy resolves names";
}

struct Refusal {
  std::string url;
  test::Reply reply;
  ErrorCode code;
  const char* hint;
};

TEST(HttpProxy, ThatRefusesIsNamedWithWhatToDo) {
  const std::string tls = "https://registry.example/v2/", plain = "http://registry.example/v2/";
  const Refusal rows[] = {
      {tls, {.status = 407, .body = "who?"}, ErrorCode::unauthenticated, "user:password"},
      {plain, {.status = 407, .body = "who?"}, ErrorCode::unauthenticated, "user:password"},
      {tls, {.status = 403, .body = "no"}, ErrorCode::forbidden, "allow registry.example"},
      {tls, {.status = 405}, ErrorCode::forbidden, "allow registry.example"},
      {tls, {.status = 302, .headers = {{"Location", "https://login.example/"}}}, ErrorCode::forbidden, "NO_PROXY"},
      {tls, {.status = 502}, ErrorCode::unavailable, "reached from the proxy"},
      {tls, {.status = 503}, ErrorCode::unavailable, "reached from the proxy"},
      {tls, {.status = 429}, ErrorCode::unavailable, "try again"},
      {tls, {.reset = true}, ErrorCode::unavailable, "HTTPS_PROXY"},
      {tls, {.cut_after = 10}, ErrorCode::unavailable, "HTTPS_PROXY"},
      {tls, {.raw = "SSH-2.0-x\r\n\r\n", .close = true}, ErrorCode::integrity, "proxy"},
      {tls, {.raw = "HTTP/1.1 200 OK\r\n\r\nsurplus"}, ErrorCode::integrity, "proxy"},
  };
  for (const Refusal& row : rows) {
    ScriptedHttpServer proxy;
    const bool tunnel = row.url == tls;
    proxy.expect(tunnel ? "CONNECT" : "GET", tunnel ? "registry.example:443" : row.url, row.reply);
    PosixHttpClient client(options_for(proxy.host()));
    const auto response = client.send(request_to(row.url));
    const std::string name = concat(row.url, " ", row.reply.status, row.reply.raw);
    ASSERT_FALSE(response) << name;
    const Error& error = response.error();
    EXPECT_EQ(error.code, row.code) << name << describe(error);
    EXPECT_THAT(describe(error), HasSubstr("proxy http://" + proxy.host())) << name;
    EXPECT_THAT(error.hint, HasSubstr(row.hint)) << name;
    EXPECT_THAT(describe(error) + error.hint, Not(HasSubstr(kPassword))) << name;
    EXPECT_THAT(describe(error) + error.hint, Not(HasSubstr("YW5u"))) << name;
    EXPECT_EQ(proxy.connections(), 1) << name;
  }
}

TEST(HttpProxy, ThatIsNotThereIsNamed) {
  std::string gone;
  {
    const ScriptedHttpServer closed;
    gone = closed.host();
  }
  PosixHttpClient client(options_for(gone));
  for (const char* url : {"https://registry.example/", "http://registry.example/"}) {
    const auto response = client.send(request_to(url));
    ASSERT_FALSE(response) << url;
    EXPECT_EQ(response.error().code, ErrorCode::unavailable) << url;
    EXPECT_THAT(describe(response.error()), HasSubstr("through the proxy http://" + gone)) << url;
    EXPECT_THAT(response.error().hint, HasSubstr("NO_PROXY")) << url;
  }
}

TEST(HttpProxy, ThatKeepsUsWaitingEndsWithTheDeadline) {
  ScriptedHttpServer proxy;
  proxy.expect("CONNECT", "registry.example:443", {.stall = true});
  PosixHttpClient client(options_for(proxy.host()));
  Request request = request_to("https://registry.example/");
  request.deadline = std::chrono::steady_clock::now() + 50ms;
  EXPECT_THAT(client.send(request).error().message, HasSubstr("took longer than"));
}

class TunnelTest : public test::TlsTest {};

/// A proxy that joins the client with a server that has the certificate NAME.
LoopbackServer::Script joins(const test::TestDirectory& directory, const std::string& name, std::string& asked,
                             const std::vector<std::string>& answers) {
  return [&directory, &asked, name, answers](int socket) {
    while (asked.find("\r\n\r\n") == std::string::npos) asked += test::read_some(socket, 4096);
    test::write_all(socket, "HTTP/1.0 200 Connection established\r\nProxy-Agent: x\r\n\r\n");
    test::answers_over_tls(directory, name, answers, true)(socket);
  };
}

TEST_F(TunnelTest, EndsAtTheRealServerAndIsUsedAgain) {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";
  std::string asked;
  LoopbackServer proxy({joins(*directory_, "other", asked, {answer, answer})});
  PosixHttpClient client(options_for(concat("127.0.0.1:", proxy.port())));
  for (int i = 0; i < 2; ++i) {
    Request request = request_to("https://registry.example/v2/");
    request.headers = {{"Authorization", "Bearer token"}};
    request.public_address_only = true;
    const auto response = client.send(request);
    ASSERT_TRUE(response) << describe(response.error());
    EXPECT_EQ(response->body, "OK");
  }
  EXPECT_EQ(proxy.connections(), 1);
  EXPECT_THAT(asked, HasSubstr("CONNECT registry.example:443 HTTP/1.1\r\n"));
  EXPECT_THAT(asked, HasSubstr("Host: registry.example:443\r\n"));
  EXPECT_THAT(asked, HasSubstr(concat("Proxy-Authorization: ", kHeader, "\r\n")));
  EXPECT_THAT(asked, Not(HasSubstr("Bearer"))) << "what is for the server is not for the proxy";
  EXPECT_EQ(client.counts().requests, 2U) << "the proxy's CONNECT is none";
}

TEST_F(TunnelTest, ToAServerWithAnotherCertificateIsNotTrusted) {
  std::string asked;
  LoopbackServer proxy({[&](int socket) {
    while (asked.find("\r\n\r\n") == std::string::npos) asked += test::read_some(socket, 4096);
    test::write_all(socket, "HTTP/1.1 200 OK\r\n\r\n");
    test::refuses_tls_of(*directory_, "good")(socket);
  }});
  PosixHttpClient client(options_for(concat("127.0.0.1:", proxy.port())));
  const auto response = client.send(request_to("https://registry.example/"));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::integrity) << describe(response.error());
  EXPECT_THAT(response.error().message, HasSubstr("https://registry.example"));
  EXPECT_EQ(proxy.connections(), 1);
}

}  // namespace
}  // namespace crategate::net
