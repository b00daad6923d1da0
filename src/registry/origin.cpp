// Host rules.
#include "registry/origin.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/strings.h"

namespace crategate::registry {
namespace {

std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, std::min(host.size(), host.find(']') + 1));
  return host.substr(0, host.find(':'));
}

std::optional<std::array<unsigned, 4>> parse_ipv4(std::string_view host) {
  const auto parts = split(host, '.');
  if (parts.size() != 4) return std::nullopt;
  std::array<unsigned, 4> address{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto number = parse_unsigned(parts[i]);
    if (!number || *number > 255 || (parts[i].size() > 1 && parts[i][0] == '0')) return std::nullopt;
    address[i] = static_cast<unsigned>(*number);
  }
  return address;
}

bool is_special_ipv4(const std::array<unsigned, 4>& a) {
  return a[0] == 0 || a[0] == 10 || a[0] == 127 || a[0] >= 224 || (a[0] == 100 && a[1] >= 64 && a[1] < 128) ||
         (a[0] == 169 && a[1] == 254) || (a[0] == 172 && a[1] >= 16 && a[1] < 32) || (a[0] == 192 && a[1] == 168);
}

// Only 2000::/3 is global; mapped addresses and everything special lies outside.
bool is_special_ipv6(std::string_view bracketed) {
  return bracketed.size() < 6 || (bracketed[1] != '2' && bracketed[1] != '3') || bracketed.substr(1, 5).find(':') != 4;
}

// What a resolver may read as a number although it is no dotted quad: "2130706433", "0x7f.1", "127.1".
bool looks_numeric(std::string_view host) {
  const auto labels = split(host, '.');
  const std::string& last = labels.back().empty() && labels.size() > 1 ? labels[labels.size() - 2] : labels.back();
  return !last.empty() && last[0] >= '0' && last[0] <= '9';
}

}  // namespace

std::string api_host(std::string_view registry) {
  return registry == "docker.io" || registry == "index.docker.io" ? "registry-1.docker.io" : std::string(registry);
}

bool is_loopback(std::string_view host) {
  const std::string name = to_lower(without_port(host));
  if (name == "localhost" || name == "[::1]") return true;
  const auto address = parse_ipv4(name);
  return address && (*address)[0] == 127;
}

bool is_special_address(std::string_view host) {
  const std::string name = to_lower(without_port(host));
  if (name == "localhost" || name.ends_with(".localhost") || name.empty()) return true;
  if (name.starts_with('[')) return is_special_ipv6(name);
  const auto address = parse_ipv4(name);
  return address ? is_special_ipv4(*address) : looks_numeric(name);
}

bool OriginPolicy::may_be_plain(std::string_view registry) const {
  return is_loopback(registry) || std::find(insecure_.begin(), insecure_.end(), registry) != insecure_.end();
}

bool OriginPolicy::must_be_public(std::string_view registry, const net::Url& target) const {
  const std::string own = api_host(registry);
  return !may_be_plain(registry) && without_port(own) != target.host && !is_special_address(own);
}

Result<void> OriginPolicy::check_target(std::string_view registry, const net::Url& target,
                                        std::string_view what) const {
  const std::string own = api_host(registry);
  const bool trusted = may_be_plain(registry);
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::integrity,
                concat("registry ", registry, " names ", target.redacted(), " as ", what, ": ", why),
                "check the registry's configuration; a registry that may use plain HTTP must be listed as insecure");
  };
  if (target.scheme != "https" && !trusted) return refuse("expected https");
  const bool own_host = without_port(own) == target.host;
  if (!trusted && !own_host && is_special_address(target.host) && !is_special_address(own)) {
    return refuse("expected a public address");
  }
  return {};
}

}  // namespace crategate::registry
