// One connection to one server: plain, TLS, or a unix socket. Every wait ends on silence and on cancellation.
// Belongs here: bytes in and out.  Not here: what they mean (message, exchange).
#pragma once

#include <memory>

#include "net/http.h"

namespace crategate::net {

class Connection {
 public:
  /// Effects: network.
  /// Errors: unavailable, integrity (TLS), interrupted.
  static Result<std::unique_ptr<Connection>> open(const Request& request);
  ~Connection();
  Result<void> send(std::string_view bytes, const Request& request);
  /// Number of bytes put into `buffer`; 0 = the server closed.
  Result<std::size_t> receive(std::string& buffer, const Request& request);
  /// False when the server closed the idle connection or sent something unasked.
  bool is_usable();

 private:
  struct Link;
  explicit Connection(std::unique_ptr<Link> link);
  std::unique_ptr<Link> link_;
};

/// `error` with the request it belongs to; `status` 0 = no answer.
Error for_request(Error error, const Request& request, int status);

}  // namespace crategate::net
