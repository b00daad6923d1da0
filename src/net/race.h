// The first of several addresses that connects (RFC 8305): an address that swallows packets costs a quarter of a
// second, not the request.
// Belongs here: when which address is tried.  Not here: where addresses come from (resolver).
#pragma once

#include <chrono>
#include <vector>

#include "net/patience.h"
#include "net/socket.h"

namespace crategate::net {

/// How long an address is alone before the next one is tried beside it.
inline constexpr std::chrono::milliseconds kHeadStart{250};

struct Winner {
  sys::Descriptor socket;
  SocketAddress address;
};

/// The order to try them in: families take turns, the first one is that of the first address.
std::vector<SocketAddress> alternate_families(const std::vector<SocketAddress>& addresses);

/// Connects to the first address that accepts, in this order; attempts that lost are closed. The error's message is the
/// reason of the last one that failed.
/// Effects: network. Errors: unavailable without an address that accepts in time; interrupted.
Result<Winner> connect_first(const std::vector<SocketAddress>& addresses, Patience& patience);

}  // namespace crategate::net
