// Through a proxy: as its request (http) or in a tunnel that it opens (https).
// Belongs here: speaking to the proxy.  Not here: which one (proxy).
#pragma once

#include "net/connection.h"

namespace crategate::net {

/// What only the proxy may see of a request's headers.
Headers headers_for(const Proxy& proxy);

/// A connection to `proxy`; for https one that the proxy has joined with the request's server, no TLS yet.
///
/// Effects: network.
/// Errors: unauthenticated (407), forbidden (other refusals), unavailable (no answer, 429, 5xx), integrity.
Result<std::unique_ptr<Connection>> open_through(const Proxy& proxy, const Request& request, Traffic& traffic);

/// What the proxy's `status` instead of an answer of the request's server means.
Error refused_by(const Proxy& proxy, const Request& request, int status);

}  // namespace crategate::net
