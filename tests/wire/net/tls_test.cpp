// TLS with OpenSSL's own server as the other side.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <future>
#include <thread>

#include "base/strings.h"
#include "net/http.h"
#include "support/scripted_http_server.h"
#include "support/test_directory.h"
#include "sys/process.h"

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
    make_certificate("good", "subjectAltName=DNS:localhost,IP:127.0.0.1", "2");
    make_certificate("other", "subjectAltName=DNS:registry.example", "2");
    make_certificate("expired", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-1");
    openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
             "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", "self.key", "-out",
             "self.pem"});
    // Read once, when the first TLS connection of the process is made.
    ::setenv("SSL_CERT_FILE", (*directory_ / "ca.pem").c_str(), 1);
  }
  static void TearDownTestSuite() {
    delete directory_;
    directory_ = nullptr;
  }
  static void make_certificate(const std::string& name, const std::string& extension, const std::string& days) {
    directory_->write(name + ".ext", extension);
    openssl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name, "-keyout",
             name + ".key", "-out", name + ".csr"});
    openssl({"x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days",
             days, "-extfile", name + ".ext", "-out", name + ".pem"});
  }
  static void openssl(std::vector<std::string> arguments) {
    const sys::Command command{.program = "openssl",
                               .arguments = std::move(arguments),
                               .directory = directory_->path(),
                               .environment = {{"PATH", "/usr/bin:/bin"}}};
    const auto outcome = sys::PosixProcessRunner().run(command, {.timeout = 10s}).value();
    ASSERT_EQ(outcome.exit_code, 0) << command.text() << outcome.err;
  }
  static test::TestDirectory* directory_;
  PocoHttpClient client_;
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

TEST_F(TlsTest, RefusesACertificateThatIsNotTheServers) {
  for (const char* name : {"other", "expired", "self"}) {
    const TlsServer server(directory_->path(), name, 1);
    const auto response = client_.send(server.request("localhost"));
    ASSERT_FALSE(response) << name;
    EXPECT_EQ(response.error().code, ErrorCode::integrity) << name << ": " << response.error().message;
    EXPECT_THAT(response.error().hint, HasSubstr("SSL_CERT_FILE"));
  }
}

TEST_F(TlsTest, RefusesOldVersionsOfTheProtocol) {
  const TlsServer server(directory_->path(), "good", 1, {"-tls1_1", "-cipher", "ALL:@SECLEVEL=0"});
  EXPECT_FALSE(client_.send(server.request("localhost")));
}

TEST_F(TlsTest, SaysThatAServerDoesNotSpeakTls) {
  test::ScriptedHttpServer server;
  const auto response = client_.send({.url = Url::parse("https://" + server.host() + "/").value(), .timeout = 50ms});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().http.value().status, 0);
}

}  // namespace
}  // namespace crategate::net
