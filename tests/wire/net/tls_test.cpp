// TLS with OpenSSL's own server as the other side.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <cstdlib>
#include <future>
#include <thread>

#include "base/strings.h"
#include "net/http.h"
#include "support/test_directory.h"
#include "sys/process.h"
#include "wire/net/loopback_server.h"

namespace crategate::net {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// `openssl s_server` for some connections, on a port of its own choice.
class TlsServer {
 public:
  TlsServer(const sys::Path& directory, const std::string& name, int connections,
            std::vector<std::string> options = {}) {
    sys::Command command{
        .program = "openssl",
        .arguments = {"s_server", "-accept", "127.0.0.1:0", "-naccept", std::to_string(connections), "-cert",
                      (directory / (name + ".pem")).string(), "-key", (directory / (name + ".key")).string(), "-www"},
        .environment = {{"PATH", "/usr/bin:/bin"}}};
    command.arguments.insert(command.arguments.end(), options.begin(), options.end());
    std::future<std::string> port = port_.get_future();
    thread_ = std::thread([this, command] { serve(command); });
    port_text_ = port.get();
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  ~TlsServer() { thread_.join(); }
  Request request(const std::string& host) const {
    return {.url = Url::parse(concat("https://", host, ":", port_text_, "/")).value(), .timeout = 3000ms};
  }

 private:
  void serve(const sys::Command& command) {
    std::string seen;
    sys::RunOptions options{.timeout = 10s, .merge_streams = true, .grace = 100ms};
    options.on_output = [this, &seen](sys::Stream, std::string_view bytes) {
      const bool known = seen.find("ACCEPT 127.0.0.1:") != std::string::npos;
      seen += bytes;
      const std::size_t found = seen.find("ACCEPT 127.0.0.1:");
      if (known || found == std::string::npos) return;
      port_.set_value(seen.substr(found + 17, seen.find('\n', found) - found - 17));
    };
    const auto outcome = sys::PosixProcessRunner().run(command, options);
    EXPECT_TRUE(outcome && !outcome->timed_out) << seen;
  }
  std::promise<std::string> port_;
  std::string port_text_;
  std::thread thread_;
};

class TlsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    directory_ = new test::TestDirectory;
    openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
             "/CN=CA", "-keyout", "ca.key", "-out", "ca.pem"});
    make_certificate("good", "subjectAltName=DNS:localhost,IP:127.0.0.1");
    make_certificate("other", "subjectAltName=DNS:registry.example");
    make_expired_certificate("expired", "subjectAltName=DNS:localhost,IP:127.0.0.1");
    openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
             "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", "self.key", "-out",
             "self.pem"});
    openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
             "/CN=Other CA", "-keyout", "other-ca.key", "-out", "other-ca.pem"});
    make_certificate("unknown", "subjectAltName=DNS:localhost,IP:127.0.0.1", "other-ca");
    // Read once, when the first TLS connection of the process is made.
    ::setenv("SSL_CERT_FILE", (*directory_ / "ca.pem").c_str(), 1);
  }
  static void TearDownTestSuite() {
    delete directory_;
    directory_ = nullptr;
  }
  static void make_certificate(const std::string& name, const std::string& extension,
                               const std::string& authority = "ca") {
    make_request(name, extension);
    openssl(signing(name, authority, {"-days", "2"}));
  }
  static void make_expired_certificate(const std::string& name, const std::string& extension) {
    make_request(name, extension);
    // Up to OpenSSL 3.3 days may be negative; since 3.4 there are dates.
    if (try_openssl(signing(name, "ca", {"-days", "-1"})).exit_code == 0) return;
    openssl(signing(name, "ca", {"-not_before", "20200101000000Z", "-not_after", "20200102000000Z"}));
  }
  static void make_request(const std::string& name, const std::string& extension) {
    directory_->write(name + ".ext", extension);
    openssl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name, "-keyout",
             name + ".key", "-out", name + ".csr"});
  }
  static std::vector<std::string> signing(const std::string& name, const std::string& authority,
                                          const std::vector<std::string>& validity) {
    std::vector<std::string> arguments = {"x509",
                                          "-req",
                                          "-in",
                                          name + ".csr",
                                          "-CA",
                                          authority + ".pem",
                                          "-CAkey",
                                          authority + ".key",
                                          "-CAcreateserial",
                                          "-extfile",
                                          name + ".ext",
                                          "-out",
                                          name + ".pem"};
    arguments.insert(arguments.end(), validity.begin(), validity.end());
    return arguments;
  }
  static sys::ProcessOutcome try_openssl(std::vector<std::string> arguments) {
    const sys::Command command{.program = "openssl",
                               .arguments = std::move(arguments),
                               .directory = directory_->path(),
                               .environment = {{"PATH", "/usr/bin:/bin"}}};
    return sys::PosixProcessRunner().run(command, {.timeout = 10s}).value();
  }
  static void openssl(std::vector<std::string> arguments) {
    const std::string shown = join(arguments, " ");
    const auto outcome = try_openssl(std::move(arguments));
    ASSERT_EQ(outcome.exit_code, 0) << shown << outcome.err;
  }
  static test::TestDirectory* directory_;
  PosixHttpClient client_;
};

test::TestDirectory* TlsTest::directory_ = nullptr;

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

TEST_F(TlsTest, RefusesACertificateThatIsNotTheServers) {
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
  }
}

TEST_F(TlsTest, RefusesOldVersionsOfTheProtocol) {
  const TlsServer server(directory_->path(), "good", 1, {"-tls1_1", "-cipher", "ALL:@SECLEVEL=0"});
  EXPECT_FALSE(client_.send(server.request("localhost")));
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
}

TEST_F(TlsTest, SaysThatAServerClosesWithoutAHandshake) {
  test::LoopbackServer server({[](int socket) { test::read_some(socket, 5); }});
  const auto response = client_.send({.url = server.url("https", "/"), .timeout = 3000ms});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::unavailable) << response.error().message;
}

/// The server's side of TLS: answers each request of a connection in turn, then says that it closes, or does not.
test::LoopbackServer::Script answers_over_tls(const test::TestDirectory& directory, std::vector<std::string> answers,
                                              bool says_it_closes) {
  return [&directory, answers = std::move(answers), says_it_closes](int socket) {
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
    SSL_CTX_use_certificate_file(context.get(), (directory / "good.pem").c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(context.get(), (directory / "good.key").c_str(), SSL_FILETYPE_PEM);
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), &SSL_free);
    SSL_set_fd(ssl.get(), socket);
    ASSERT_EQ(SSL_accept(ssl.get()), 1);
    for (const std::string& answer : answers) {
      std::string request;
      char block[4096];
      while (!request.ends_with("\r\n\r\n")) {
        const int count = SSL_read(ssl.get(), block, sizeof block);
        ASSERT_GT(count, 0);
        request.append(block, static_cast<std::size_t>(count));
      }
      ASSERT_EQ(SSL_write(ssl.get(), answer.data(), static_cast<int>(answer.size())), static_cast<int>(answer.size()));
    }
    if (says_it_closes) SSL_shutdown(ssl.get());
  };
}

TEST_F(TlsTest, UsesAConnectionAgain) {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK";
  test::LoopbackServer server({answers_over_tls(*directory_, {answer, answer, answer}, true)});
  for (int i = 0; i < 3; ++i) {
    const auto response = client_.send({.url = server.url("https", "/"), .timeout = 3000ms});
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, "OK");
  }
}

TEST_F(TlsTest, TellsTheEndOfABodyFromACutConnection) {
  const std::string until_close = "HTTP/1.1 200 OK\r\n\r\nsome of it";
  for (const bool says_it_closes : {true, false}) {
    test::LoopbackServer server({answers_over_tls(*directory_, {until_close}, says_it_closes)});
    const auto response = client_.send({.url = server.url("https", "/"), .timeout = 3000ms});
    ASSERT_EQ(response.has_value(), says_it_closes);
    if (says_it_closes) {
      EXPECT_EQ(response->body, "some of it");
    } else {
      EXPECT_EQ(response.error().code, ErrorCode::unavailable) << response.error().message;
    }
  }
}

}  // namespace
}  // namespace crategate::net
