// TLS through OpenSSL.
#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <system_error>

#include "base/strings.h"

namespace crategate::net {
namespace {

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using Ssl = std::unique_ptr<SSL, FreeSsl>;

std::string last_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason != nullptr ? reason : "an unknown failure";
}

Failure unusable() { return fail(ErrorCode::internal, concat("OpenSSL cannot be set up for TLS: ", last_reason())); }

bool set_expected_host(SSL* ssl, const std::string& host) {
  X509_VERIFY_PARAM* expected = SSL_get0_param(ssl);
  if (X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) == 1) return true;
  ERR_clear_error();
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return X509_VERIFY_PARAM_set1_host(expected, host.data(), host.size()) == 1 &&
         // The macro SSL_set_tlsext_host_name casts the old way.
         SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, std::string(host).data()) == 1;
}

/// What OpenSSL says of bytes that are no record of TLS.
bool is_another_protocol(int reason) {
  return reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_PACKET_LENGTH_TOO_LONG || reason == SSL_R_HTTP_REQUEST;
}

int as_size(std::size_t size) { return static_cast<int>(std::min<std::size_t>(size, INT_MAX)); }

}  // namespace

struct TlsChannel::Session {
  Ssl ssl;
  bool established = false, failed = false;

  /// Runs one OpenSSL call; its errors are in a queue of the thread, which must be empty before.
  template <class Call>
  Step attempt(Call call) {
    ERR_clear_error();
    errno = 0;
    const int answer = call(ssl.get());
    const int number = errno;
    if (answer > 0) return {Progress::done, static_cast<std::size_t>(answer)};
    switch (SSL_get_error(ssl.get(), answer)) {
      case SSL_ERROR_WANT_READ:
        return {Progress::wants_read};
      case SSL_ERROR_WANT_WRITE:
        return {Progress::wants_write};
      case SSL_ERROR_ZERO_RETURN:
        return {Progress::closed};
      case SSL_ERROR_SYSCALL:
        failed = true;
        return {Progress::broken, 0,
                number == 0 ? "the server closed the connection" : std::generic_category().message(number)};
      default:
        failed = true;
        return failure();
    }
  }

  Step failure() const {
    if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
      return {Progress::broken, 0, "the server closed the connection"};
    // Once both sides trust each other only the server's alert says otherwise: ours may be the wrong certificate.
    if (established && ERR_GET_REASON(ERR_peek_last_error()) < SSL_AD_REASON_OFFSET)
      return {Progress::broken, 0, last_reason()};
    if (!established && is_another_protocol(ERR_GET_REASON(ERR_peek_last_error())))
      return {Progress::no_tls, 0, last_reason()};
    const long verdict = SSL_get_verify_result(ssl.get());
    return {Progress::distrusted, 0, verdict == X509_V_OK ? last_reason() : X509_verify_cert_error_string(verdict)};
  }
};

TlsChannel::TlsChannel(std::unique_ptr<Session> session) : session_(std::move(session)) {}

TlsChannel::~TlsChannel() {
  if (!session_->established || session_->failed) return;
  ERR_clear_error();
  SSL_shutdown(session_->ssl.get());
  ERR_clear_error();
}

Result<std::unique_ptr<TlsChannel>> TlsChannel::over(int socket, const std::string& host, const TlsContext& context) {
  ERR_clear_error();
  auto session = std::make_unique<Session>();
  session->ssl.reset(SSL_new(context.native()));
  if (!session->ssl || SSL_set_fd(session->ssl.get(), socket) != 1 || !set_expected_host(session->ssl.get(), host))
    return unusable();
  return std::unique_ptr<TlsChannel>(new TlsChannel(std::move(session)));
}

Step TlsChannel::handshake() {
  Step step = session_->attempt(SSL_connect);
  session_->established = step.progress == Progress::done;
  return step;
}

Step TlsChannel::send(std::string_view bytes) {
  return session_->attempt([&](SSL* ssl) { return SSL_write(ssl, bytes.data(), as_size(bytes.size())); });
}

Step TlsChannel::receive(char* buffer, std::size_t size) {
  return session_->attempt([&](SSL* ssl) { return SSL_read(ssl, buffer, as_size(size)); });
}

bool TlsChannel::is_quiet() {
  // Tickets may come between two responses; reading takes them in.
  char next = 0;
  return session_->attempt([&](SSL* ssl) { return SSL_peek(ssl, &next, 1); }).progress == Progress::wants_read;
}

}  // namespace crategate::net
