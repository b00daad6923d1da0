// NO_PROXY: the servers that are asked directly.
// Belongs here: the list's grammar.  Not here: the proxies (proxy).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"
#include "net/socket.h"

namespace crategate::net {

/// Elements stand between commas or spaces:
///   *                 every server
///   example.org       this name and all below it
///   .example.org      all names below it; so is *.example.org
///   10.1.2.3, ::1     this address
///   10.0.0.0/8        the addresses of this network
/// Names and addresses may end with :port, an IPv6 address is in brackets then. What cannot be read matches nothing.
class NoProxy {
 public:
  NoProxy() = default;
  explicit NoProxy(std::string_view text);
  bool covers(const Url& url) const;

 private:
  struct Rule {
    std::string name;  ///< lower case; "" = `network`
    bool only_below = false;
    std::optional<SocketAddress> network;
    unsigned bits = 0;
    std::uint16_t port = 0;  ///< 0 = any
  };
  static std::optional<Rule> parse(std::string_view element);
  static bool matches(const Rule& rule, const Url& url, const std::optional<SocketAddress>& address);
  bool all_ = false;
  std::vector<Rule> rules_;
};

/// The host of `url` without the brackets of an IPv6 address.
std::string bare_host(const Url& url);

}  // namespace crategate::net
