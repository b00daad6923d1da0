// A certificate authority of the test's own, and servers that use its certificates.
// Belongs here: making certificates, serving TLS.  Not here: what the client is to do (tests).
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <string>
#include <thread>
#include <vector>

#include "net/http.h"
#include "support/test_directory.h"
#include "sys/process.h"
#include "wire/net/loopback_server.h"

namespace crategate::test {

/// `openssl s_server` for some connections, on a port of its own choice.
class TlsServer {
 public:
  TlsServer(const sys::Path& directory, const std::string& name, int connections,
            std::vector<std::string> options = {});
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  ~TlsServer() { thread_.join(); }
  net::Request request(const std::string& host) const;
  std::string port() const { return port_text_; }

 private:
  void serve(const sys::Command& command);
  std::promise<std::string> port_;
  std::string port_text_;
  std::thread thread_;
};

/// In `directory_`: NAME.pem and NAME.key of an authority that the client trusts (ca), of one that it does not
/// (other-ca), and of servers: good (localhost, 127.0.0.1), other (registry.example), expired, self (signed by itself),
/// unknown (by other-ca), client (by other-ca); locked.key
/// is the key of client, with a passphrase.
class TlsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  static test::TestDirectory* directory_;
  net::PosixHttpClient client_;
};

/// The server's side of TLS with the certificate NAME: answers each request of a connection in turn, then says that it
/// closes, or does not.
LoopbackServer::Script answers_over_tls(const TestDirectory& directory, std::string name,
                                        std::vector<std::string> answers, bool says_it_closes);

/// The same for a client that does not want the certificate.
LoopbackServer::Script refuses_tls_of(const TestDirectory& directory, std::string name);

}  // namespace crategate::test
