// What a client is configured with, and what it has done.
// Belongs here: values.  Not here: where they come from (app), or one request (http).
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>

#include "net/certificates.h"
#include "net/proxy.h"

namespace crategate::net {

struct TransportOptions {
  Proxies proxies;
  TlsMaterials tls;
  /// Requests in flight to one origin at most, the others wait; and connections kept for it. Not for unix sockets.
  std::size_t per_host = 64;
};

/// Of a client's whole life.
struct TransportCounts {
  std::uint64_t requests = 0;  ///< put on a connection; one that was repeated counts twice, a proxy's CONNECT not
  std::uint64_t connections = 0;
  std::uint64_t bytes_sent = 0, bytes_received = 0;  ///< heads and bodies, before encryption
};

/// The same, while they grow.
struct Traffic {
  std::atomic<std::uint64_t> requests = 0, connections = 0, bytes_sent = 0, bytes_received = 0;
};

}  // namespace crategate::net
