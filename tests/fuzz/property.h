// What the libFuzzer targets of parsers share: how a broken property ends, and what holds for every URL.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "net/http.h"

namespace crategate::fuzz {

inline void require(bool fact) {
  if (!fact) std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

inline void check_url(const net::Url& url) {
  require(url.scheme == "http" || url.scheme == "https");
  require(!url.host.empty() && url.host.find_first_of("@/\\ \r\n") == std::string::npos);
  require(url.target.starts_with('/') && url.port != 0);
  for (const char c : url.text()) require(c > ' ' && c < '\x7f' && c != '\\');
  const auto again = net::Url::parse(url.text());
  require(again && again->origin() == url.origin() && again->target == url.target);
}

/// Any text as an address: what is accepted names one host, and no user.
inline void check_address(std::string_view text) {
  if (const auto url = net::Url::parse(text)) check_url(*url);
  const net::Url base{"https", "registry.example", 443, "/v2/a/b/tags/list"};
  const auto target = net::resolve(base, text);
  if (!target) return;
  require(target->scheme == "https");
  check_url(*target);
}

}  // namespace crategate::fuzz
