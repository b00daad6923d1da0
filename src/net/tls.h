// TLS 1.2+ as a client.
// Belongs here: OpenSSL's protocol.  Not here: waiting and errors for people (connection).
#pragma once

#include <memory>

#include "base/result.h"
#include "net/channel.h"
#include "net/tls_context.h"

namespace crategate::net {

class TlsChannel final : public Channel {
 public:
  /// `host`: a name or an address without brackets, which the certificate must be valid for.
  /// `socket` stays the caller's and outlives the channel. Errors: internal when OpenSSL cannot be set up.
  static Result<std::unique_ptr<TlsChannel>> over(int socket, const std::string& host, const TlsContext& context);
  ~TlsChannel() override;

  /// Until done. `distrusted`: the certificate is not valid for the host, or the server's TLS is older than 1.2;
  /// `no_tls`: it speaks something else.
  Step handshake();
  Step send(std::string_view bytes) override;
  /// `closed` only when the server said so: a connection that is cut is broken, so that no body can be shortened.
  Step receive(char* buffer, std::size_t size) override;
  bool is_quiet() override;

 private:
  struct Session;
  explicit TlsChannel(std::unique_ptr<Session> session);
  std::unique_ptr<Session> session_;
};

}  // namespace crategate::net
