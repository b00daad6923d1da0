// Rules and matching.
#include "net/no_proxy.h"

#include <algorithm>
#include <cstring>

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/strings.h"

namespace crategate::net {
namespace {

std::string_view without_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

/// An address as its 4 or 16 bytes; a mapped one as the IPv4 address that it is.
std::string bytes_of(const SocketAddress& address) {
  if (address.family == AF_INET) return {address.bytes.data() + offsetof(sockaddr_in, sin_addr), 4};
  const std::string whole(address.bytes.data() + offsetof(sockaddr_in6, sin6_addr), 16);
  const bool mapped = whole.starts_with(std::string(10, '\0') + "\xFF\xFF");
  return mapped ? whole.substr(12) : whole;
}

bool share_bits(const std::string& a, const std::string& b, unsigned bits) {
  if (a.size() != b.size() || bits > a.size() * 8) return false;
  const unsigned whole = bits / 8, rest = bits % 8;
  if (a.compare(0, whole, b, 0, whole) != 0) return false;
  return rest == 0 ||
         ((static_cast<unsigned char>(a[whole]) ^ static_cast<unsigned char>(b[whole])) >> (8 - rest)) == 0;
}

/// An IPv6 address may stand in brackets.
std::optional<SocketAddress> parse_address(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  return numeric_address(std::string(text), 0);
}

}  // namespace

std::string bare_host(const Url& url) {
  return url.host.starts_with('[') ? url.host.substr(1, url.host.size() - 2) : url.host;
}

std::optional<NoProxy::Rule> NoProxy::parse(std::string_view element) {
  Rule rule;
  if (const std::size_t slash = element.find('/'); slash != std::string_view::npos) {
    const auto bits = parse_unsigned(element.substr(slash + 1));
    rule.network = parse_address(element.substr(0, slash));
    if (!rule.network || !bits || *bits > 128) return std::nullopt;
    rule.bits = static_cast<unsigned>(*bits);
    return rule;
  }
  const std::size_t colon = element.rfind(':');
  const bool has_port = colon != std::string_view::npos && (element.find(':') == colon || element[colon - 1] == ']');
  if (has_port) {
    const auto port = parse_unsigned(element.substr(colon + 1));
    if (!port || *port == 0 || *port > 65535) return std::nullopt;
    rule.port = static_cast<std::uint16_t>(*port);
    element = element.substr(0, colon);
  }
  rule.network = parse_address(element);
  if (rule.network) {
    rule.bits = static_cast<unsigned>(bytes_of(*rule.network).size()) * 8;
    return rule;
  }
  if (element.starts_with("*.")) element.remove_prefix(1);
  rule.only_below = element.starts_with('.');
  rule.name = to_lower(without_dot(element.substr(rule.only_below ? 1 : 0)));
  if (rule.name.empty()) return std::nullopt;
  return rule;
}

NoProxy::NoProxy(std::string_view text) {
  std::string separated(text);
  std::replace_if(
      separated.begin(), separated.end(), [](char c) { return c == ' ' || c == '\t'; }, ',');
  for (const std::string& element : split(separated, ',')) {
    if (element == "*") all_ = true;
    if (element.empty()) continue;
    if (auto rule = parse(element)) rules_.push_back(std::move(*rule));
  }
}

bool NoProxy::matches(const Rule& rule, const Url& url, const std::optional<SocketAddress>& address) {
  if (rule.port != 0 && rule.port != url.port) return false;
  if (rule.network) return address && share_bits(bytes_of(*rule.network), bytes_of(*address), rule.bits);
  const std::string_view host = without_dot(url.host);
  if (host.ends_with("." + rule.name)) return true;
  return !rule.only_below && host == rule.name;
}

bool NoProxy::covers(const Url& url) const {
  if (all_) return true;
  if (rules_.empty()) return false;
  const auto address = numeric_address(bare_host(url), url.port);
  return std::any_of(rules_.begin(), rules_.end(), [&](const Rule& rule) { return matches(rule, url, address); });
}

}  // namespace crategate::net
