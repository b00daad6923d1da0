// TLS with OpenSSL's own server as the other side.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "net/request_error.h"
#include "net/retry.h"
#include "net/transport.h"
#include "wire/net/loopback_server.h"
#include "wire/net/tls_fixture.h"

namespace crategate::net {
namespace {

using namespace std::chrono_literals;
using test::answers_over_tls;
using test::TlsServer;
using test::TlsTest;
using ::testing::HasSubstr;

TEST_F(TlsTest, TrustsACertificateOfTheConfiguredAuthority) {
  for (const char* host : {"localhost", "127.0.0.1"}) {
    const TlsServer server(directory_->path(), "good", 1);
    const auto response = client_.send(server.request(host));
    ASSERT_TRUE(response) << host << ": " << response.error().message;
    EXPECT_EQ(response->status, 200);
    EXPECT_THAT(response->body, HasSubstr("TLSv1.3"));
  }
}

struct BadCertificate {
  std::string name, host, why;
};

TEST_F(TlsTest, B16RefusesACertificateThatIsNotTheServers) {
  const BadCertificate rows[] = {{"other", "localhost", "hostname mismatch"},
                                 {"other", "127.0.0.1", "IP address mismatch"},
                                 {"expired", "localhost", "expired"},
                                 {"self", "localhost", "self"},
                                 {"unknown", "localhost", "unable to"}};
  for (const auto& [name, host, why] : rows) {
    const TlsServer server(directory_->path(), name, 1);
    const auto response = client_.send(server.request(host));
    ASSERT_FALSE(response) << name;
    EXPECT_EQ(response.error().code, ErrorCode::integrity) << name << ": " << response.error().message;
    EXPECT_THAT(response.error().message, HasSubstr("https://" + host)) << name;
    EXPECT_THAT(to_lower(response.error().message), HasSubstr(to_lower(why))) << name;
    EXPECT_THAT(response.error().hint, HasSubstr("SSL_CERT_FILE"));
    EXPECT_EQ(response.error().http.value().code, "") << "it does speak TLS";
  }
}

TEST_F(TlsTest, RefusesOldVersionsOfTheProtocol) {
  const TlsServer server(directory_->path(), "good", 1, {"-tls1_1", "-cipher", "ALL:@SECLEVEL=0"});
  const auto response = client_.send(server.request("localhost"));
  ASSERT_FALSE(response);
  EXPECT_NE(response.error().http.value().code, kNoTls) << "an old TLS is one all the same";
}

TEST_F(TlsTest, SaysThatAServerDoesNotSpeakTls) {
  test::LoopbackServer server({[](int socket) {
    test::read_some(socket, 5);
    test::write_all(socket, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
  }});
  const auto response = client_.send({.url = server.url("https", "/"), .timeout = 3000ms});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::integrity) << response.error().message;
  EXPECT_EQ(response.error().http.value().status, 0);
  EXPECT_EQ(response.error().http.value().code, kNoTls);
}

TEST_F(TlsTest, SaysThatAServerClosesWithoutAHandshake) {
  test::LoopbackServer server({[](int socket) { test::read_some(socket, 5); }});
  const auto response = client_.send({.url = server.url("https", "/"), .timeout = 3000ms});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::unavailable) << response.error().message;
}

TEST_F(TlsTest, UsesAConnectionAgain) {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";
  test::LoopbackServer server({answers_over_tls(*directory_, "good", {answer, answer, answer}, true)});
  for (int i = 0; i < 3; ++i) {
    const auto response = client_.send({.url = server.url("https", "/"), .timeout = 3000ms});
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, "OK");
  }
}

TEST_F(TlsTest, TellsTheEndOfABodyFromACutConnection) {
  const std::string until_close = "HTTP/1.1 200 OK\r\n\r\nsome of it";
  for (const bool says_it_closes : {true, false}) {
    test::LoopbackServer server({answers_over_tls(*directory_, "good", {until_close}, says_it_closes)});
    const auto response = client_.send({.url = server.url("https", "/"), .timeout = 3000ms});
    ASSERT_EQ(response.has_value(), says_it_closes);
    if (says_it_closes) {
      EXPECT_EQ(response->body, "some of it");
    } else {
      EXPECT_EQ(response.error().code, ErrorCode::unavailable) << response.error().message;
    }
  }
}

TEST_F(TlsTest, B16AnUntrustedCertificateIsNotTriedAgain) {
  for (const std::string name : {"expired", "other", "unknown"}) {
    test::LoopbackServer server({test::refuses_tls_of(*directory_, name), test::refuses_tls_of(*directory_, name)});
    const auto response = client_.send({.url = server.url("https", "/"), .timeout = 3000ms});
    ASSERT_FALSE(response) << name;
    EXPECT_EQ(response.error().code, ErrorCode::integrity) << name;
    EXPECT_FALSE(may_recover(response.error())) << name;
    EXPECT_EQ(server.connections(), 1) << name;
  }
}

TEST_F(TlsTest, TrustsAnAuthorityForItsHostOnlyAndBesideTheSystems) {
  const TlsServer unknown(directory_->path(), "unknown", 3), good(directory_->path(), "good", 1);
  const TlsMaterial material{.authorities = {*directory_ / "other-ca.pem"}, .certificate = {}, .key = {}};
  PosixHttpClient client(TransportOptions{
      .proxies = {}, .tls = {{"localhost:" + unknown.port(), material}, {"localhost:" + good.port(), material}}});
  const auto trusted = client.send(unknown.request("localhost"));
  ASSERT_TRUE(trusted) << trusted.error().message;
  EXPECT_EQ(trusted->status, 200);
  EXPECT_EQ(client.send(unknown.request("127.0.0.1")).error().code, ErrorCode::integrity);
  EXPECT_TRUE(client.send(good.request("localhost"))) << "the system's authorities count, too";
  EXPECT_EQ(client_.send(unknown.request("localhost")).error().code, ErrorCode::integrity);
}

TEST_F(TlsTest, ShowsItsCertificateToAServerThatWantsOne) {
  const std::vector<std::string> wants_one = {"-Verify", "1", "-verify_return_error", "-CAfile",
                                              (*directory_ / "other-ca.pem").string()};
  const TlsServer server(directory_->path(), "good", 2, wants_one);
  PosixHttpClient client(TransportOptions{
      .proxies = {},
      .tls = {{"localhost:" + server.port(),
               {.authorities = {}, .certificate = *directory_ / "client.pem", .key = *directory_ / "client.key"}}}});
  const auto response = client.send(server.request("localhost"));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_THAT(response->body, HasSubstr("CN=client"));
  const auto without = client_.send(server.request("localhost"));
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().code, ErrorCode::integrity) << without.error().message;
  EXPECT_THAT(without.error().message, HasSubstr("certificate required"));
}

struct BadMaterial {
  const char* name;
  std::vector<sys::Path> authorities;
  sys::Path certificate, key;
  const char* file;
  const char* why;
};

TEST_F(TlsTest, NamesAFileThatCannotBeUsed) {
  const auto path = [](const char* name) { return *directory_ / name; };
  directory_->write("empty.pem", "");
  directory_->write("text.pem", "not a certificate");
  const BadMaterial rows[] = {
      {"no authority", {path("absent.crt")}, {}, {}, "absent.crt", "No such file"},
      {"a directory", {directory_->path()}, {}, {}, "", "not a regular file"},
      {"an empty authority", {path("empty.pem")}, {}, {}, "empty.pem", ""},
      {"a text as authority", {path("text.pem")}, {}, {}, "text.pem", ""},
      {"no certificate", {}, path("absent.cert"), path("client.key"), "absent.cert", "No such file"},
      {"no key", {}, path("client.pem"), path("absent.key"), "absent.key", "No such file"},
      {"no key named", {}, path("client.pem"), {}, "", "No such file"},
      {"a text as certificate", {}, path("text.pem"), path("client.key"), "text.pem", ""},
      {"a text as key", {}, path("client.pem"), path("text.pem"), "text.pem", ""},
      {"another's key", {}, path("client.pem"), path("good.key"), "good.key", "mismatch"},
      {"a key with a passphrase", {}, path("client.pem"), path("locked.key"), "locked.key", ""},
  };
  for (const BadMaterial& row : rows) {
    test::LoopbackServer server({[](int socket) { test::read_some(socket, 1); }});
    PosixHttpClient client(
        TransportOptions{.proxies = {},
                         .tls = {{concat("127.0.0.1:", server.port()),
                                  {.authorities = row.authorities, .certificate = row.certificate, .key = row.key}}}});
    const auto response = client.send({.url = server.url("https", "/"), .timeout = 3000ms});
    ASSERT_FALSE(response) << row.name;
    EXPECT_EQ(response.error().code, ErrorCode::bad_input) << row.name << ": " << response.error().message;
    EXPECT_THAT(response.error().message, HasSubstr(row.file)) << row.name;
    EXPECT_THAT(response.error().message, HasSubstr(row.why)) << row.name;
  }
}

}  // namespace
}  // namespace crategate::net
