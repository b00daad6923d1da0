// Which addresses are not on the public internet (A40).
// Belongs here: addresses as bytes, as the kernel connects to them.  Not here: names and URLs.
#pragma once

#include "net/socket.h"

namespace crategate::net {

bool is_loopback(const SocketAddress& address);

/// Private, loopback, link-local, shared (CGNAT), multicast, for documentation and benchmarks, reserved, or an IPv6
/// address that carries such an IPv4 address (mapped, 6to4, NAT64, Teredo). Everything that is not IP, too.
bool is_special(const SocketAddress& address);

}  // namespace crategate::net
