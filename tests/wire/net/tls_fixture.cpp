// The openssl command, and OpenSSL as a server.
#include "wire/net/tls_fixture.h"

#include <openssl/ssl.h>

#include <cstdlib>
#include <memory>

#include "base/strings.h"

namespace crategate::test {
namespace {

using namespace std::chrono_literals;

constexpr char kThisMachine[] = "subjectAltName=DNS:localhost,IP:127.0.0.1";

/// Makes certificates in a directory.
class Authority {
 public:
  explicit Authority(const TestDirectory& directory) : directory_(directory) {}

  void make_self_signed(const std::string& name, const std::string& subject, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {
        "req",         "-x509", "-newkey",    "ec",    "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes",      "-days", "2",          "-subj", subject,    "-keyout",
        name + ".key", "-out",  name + ".pem"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    run(arguments);
  }
  void make(const std::string& name, const std::string& extension, const std::string& authority = "ca") const {
    make_request(name, extension);
    run(signing(name, authority, {"-days", "2"}));
  }
  void make_locked_key(const std::string& name, const std::string& from) const {
    run({"pkcs8", "-topk8", "-in", from + ".key", "-out", name + ".key", "-passout", "pass:opensesame"});
  }
  void make_expired(const std::string& name, const std::string& extension) const {
    make_request(name, extension);
    // Up to OpenSSL 3.3 days may be negative; since 3.4 there are dates.
    if (attempt(signing(name, "ca", {"-days", "-1"})).exit_code == 0) return;
    run(signing(name, "ca", {"-not_before", "20200101000000Z", "-not_after", "20200102000000Z"}));
  }

 private:
  void make_request(const std::string& name, const std::string& extension) const {
    directory_.write(name + ".ext", extension);
    run({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name, "-keyout",
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
  sys::ProcessOutcome attempt(std::vector<std::string> arguments) const {
    const sys::Command command{.program = "openssl",
                               .arguments = std::move(arguments),
                               .directory = directory_.path(),
                               .environment = {{"PATH", "/usr/bin:/bin"}}};
    return sys::PosixProcessRunner().run(command, {.timeout = 10s}).value();
  }
  void run(std::vector<std::string> arguments) const {
    const std::string shown = join(arguments, " ");
    const auto outcome = attempt(std::move(arguments));
    ASSERT_EQ(outcome.exit_code, 0) << shown << outcome.err;
  }
  const TestDirectory& directory_;
};

/// The server's side of one connection.
class ServerSession {
 public:
  ServerSession(const TestDirectory& directory, const std::string& name, int socket)
      : context_(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free) {
    SSL_CTX_use_certificate_file(context_.get(), (directory / (name + ".pem")).c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(context_.get(), (directory / (name + ".key")).c_str(), SSL_FILETYPE_PEM);
    session_.reset(SSL_new(context_.get()));
    SSL_set_fd(session_.get(), socket);
  }
  SSL* get() const { return session_.get(); }

 private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> session_{nullptr, &SSL_free};
};

}  // namespace

TlsServer::TlsServer(const sys::Path& directory, const std::string& name, int connections,
                     std::vector<std::string> options) {
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

net::Request TlsServer::request(const std::string& host) const {
  return {.url = net::Url::parse(concat("https://", host, ":", port_text_, "/")).value(), .timeout = 3000ms};
}

void TlsServer::serve(const sys::Command& command) {
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

void TlsTest::SetUpTestSuite() {
  directory_ = new test::TestDirectory;
  const Authority authority(*directory_);
  authority.make_self_signed("ca", "/CN=CA");
  authority.make_self_signed("other-ca", "/CN=Other CA");
  authority.make_self_signed("self", "/CN=localhost", {"-addext", kThisMachine});
  authority.make("good", kThisMachine);
  authority.make("other", "subjectAltName=DNS:registry.example");
  authority.make("unknown", kThisMachine, "other-ca");
  authority.make("client", "subjectAltName=DNS:client.example", "other-ca");
  authority.make_locked_key("locked", "client");
  authority.make_expired("expired", kThisMachine);
  // Read when a client makes its first TLS connection.
  ::setenv("SSL_CERT_FILE", (*directory_ / "ca.pem").c_str(), 1);
}

void TlsTest::TearDownTestSuite() {
  delete directory_;
  directory_ = nullptr;
}

test::TestDirectory* TlsTest::directory_ = nullptr;

LoopbackServer::Script answers_over_tls(const TestDirectory& directory, std::string name,
                                        std::vector<std::string> answers, bool says_it_closes) {
  return [&directory, name = std::move(name), answers = std::move(answers), says_it_closes](int socket) {
    const ServerSession session(directory, name, socket);
    ASSERT_EQ(SSL_accept(session.get()), 1);
    for (const std::string& answer : answers) {
      std::string request;
      char block[4096];
      while (!request.ends_with("\r\n\r\n")) {
        const int count = SSL_read(session.get(), block, sizeof block);
        ASSERT_GT(count, 0);
        request.append(block, static_cast<std::size_t>(count));
      }
      const int size = static_cast<int>(answer.size());
      ASSERT_EQ(SSL_write(session.get(), answer.data(), size), size);
    }
    if (says_it_closes) SSL_shutdown(session.get());
  };
}

LoopbackServer::Script refuses_tls_of(const TestDirectory& directory, std::string name) {
  return [&directory, name = std::move(name)](int socket) {
    const ServerSession session(directory, name, socket);
    EXPECT_NE(SSL_accept(session.get()), 1);
  };
}

}  // namespace crategate::test
