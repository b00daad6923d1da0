// Which requests go through a proxy, and through which.
// Belongs here: HTTPS_PROXY, HTTP_PROXY and NO_PROXY as values.  Not here: speaking to a proxy (tunnel).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "net/http.h"
#include "net/no_proxy.h"
#include "sys/environment.h"

namespace crategate::net {

/// A proxy that is spoken to in plain HTTP.
struct Proxy {
  std::string variable;  ///< HTTPS_PROXY or HTTP_PROXY, for messages
  Url url;               ///< without user information
  Secret credentials;    ///< user:password, decoded
  /// The value of Proxy-Authorization; empty = none.
  std::string authorization() const;
};

struct Proxies {
  std::optional<Proxy> https, http;
  NoProxy exceptions;
  /// For requests to `url`; null = none. Loopback never has one.
  const Proxy* for_url(const Url& url) const;
};

/// The values of the three variables; empty = not set. `host:port` is http://host:port.
///
/// Errors: bad_input for what is no URL, or a proxy of another kind (https, socks5); no value is repeated in them.
Result<Proxies> parse_proxies(std::string_view https_proxy, std::string_view http_proxy, std::string_view no_proxy);

/// From https_proxy, http_proxy, no_proxy in lower case, else in upper case. HTTP_PROXY is not believed where
/// REQUEST_METHOD is set: there a web server makes it from a header of its client.
Result<Proxies> parse_proxies(const sys::Environment& environment);

}  // namespace crategate::net
