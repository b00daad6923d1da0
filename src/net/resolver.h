// From names to addresses, without waiting longer than a request may.
// Belongs here: the wait.  Not here: which of the addresses answers (race).
#pragma once

#include <string>
#include <vector>

#include "net/patience.h"
#include "net/socket.h"

namespace crategate::net {

/// All addresses of `host`: a name, or an address without brackets.
/// Effects: network (name service), a thread for a name.
/// Errors: unavailable, as the resolver or the request's patience says; interrupted.
Result<std::vector<SocketAddress>> resolve_name(const std::string& host, std::uint16_t port, Patience& patience);

}  // namespace crategate::net
