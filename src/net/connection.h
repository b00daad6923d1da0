// One connection to one server: plain, TLS, or a unix socket. Every wait is the request's patience.
// Belongs here: bytes in and out.  Not here: what they mean (message, exchange).
#pragma once

#include <memory>

#include "net/http.h"
#include "net/patience.h"
#include "net/tls_context.h"
#include "net/transport.h"

namespace crategate::net {

/// integrity: the request wants a public address only, and there is none.
Failure not_public(const Request& request);

class Connection {
 public:
  /// Plain so far. `traffic` outlives the connection.
  /// Effects: network. Errors: unavailable, integrity (no public address), interrupted.
  static Result<std::unique_ptr<Connection>> open(Patience& patience, Traffic& traffic);
  ~Connection();
  /// Errors: unavailable, integrity (certificates), interrupted.
  Result<void> start_tls(const TlsContext& context, Patience& patience);
  Result<void> send(std::string_view bytes, Patience& patience);
  /// Number of bytes put into `buffer`; 0 = the server closed.
  Result<std::size_t> receive(std::string& buffer, Patience& patience);
  /// False when the server closed the idle connection or sent something unasked.
  bool is_usable();
  /// May serve requests that want a public address only.
  bool is_public() const;

 private:
  struct Link;
  explicit Connection(std::unique_ptr<Link> link);
  std::unique_ptr<Link> link_;
};

}  // namespace crategate::net
