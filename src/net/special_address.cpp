// Tables of networks: the IANA registries of special-purpose addresses.
#include "net/special_address.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace crategate::net {
namespace {

using Ipv6 = std::array<std::uint8_t, 16>;

struct Network4 {
  std::uint32_t prefix;
  int bits;
};

// https://www.iana.org/assignments/iana-ipv4-special-registry
constexpr Network4 kSpecial4[] = {
    {0x00000000, 8},   // "this network"
    {0x0A000000, 8},   // private
    {0x64400000, 10},  // shared by carriers
    {0x7F000000, 8},   // loopback
    {0xA9FE0000, 16},  // link-local, with the metadata services of clouds
    {0xAC100000, 12},  // private
    {0xC0000000, 24},  // protocol assignments
    {0xC0000200, 24},  // documentation
    {0xC0586300, 24},  // 6to4 relays, deprecated
    {0xC0A80000, 16},  // private
    {0xC6120000, 15},  // benchmarks
    {0xC6336400, 24},  // documentation
    {0xCB007100, 24},  // documentation
    {0xE0000000, 3},   // multicast, reserved, broadcast
};

bool is_special4(std::uint32_t address) {
  return std::any_of(std::begin(kSpecial4), std::end(kSpecial4), [address](const Network4& network) {
    return ((address ^ network.prefix) >> (32 - network.bits)) == 0;
  });
}

std::uint32_t word(const Ipv6& address, std::size_t at) {
  return std::uint32_t{address[at]} << 24 | std::uint32_t{address[at + 1]} << 16 | std::uint32_t{address[at + 2]} << 8 |
         address[at + 3];
}

bool begins_with(const Ipv6& address, std::initializer_list<std::uint8_t> prefix) {
  return std::equal(prefix.begin(), prefix.end(), address.begin());
}

// https://www.iana.org/assignments/iana-ipv6-special-registry; only 2000::/3 is given out for the internet.
bool is_special6(const Ipv6& address) {
  if (begins_with(address, {0x00, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0})) return is_special4(word(address, 12));
  if ((address[0] & 0xE0) != 0x20) return true;
  if (begins_with(address, {0x20, 0x02})) return is_special4(word(address, 2));     // 6to4
  if (begins_with(address, {0x20, 0x01}) && (address[2] & 0xFE) == 0) return true;  // protocols, Teredo
  if (begins_with(address, {0x20, 0x01, 0x0D, 0xB8})) return true;                  // documentation
  return begins_with(address, {0x3F, 0xFF}) && (address[2] & 0xF0) == 0;            // documentation
}

std::uint32_t ipv4_of(const SocketAddress& address) {
  sockaddr_in internet{};
  std::memcpy(&internet, address.bytes.data(), sizeof internet);
  return ntohl(internet.sin_addr.s_addr);
}

Ipv6 ipv6_of(const SocketAddress& address) {
  sockaddr_in6 internet{};
  std::memcpy(&internet, address.bytes.data(), sizeof internet);
  Ipv6 bytes{};
  std::memcpy(bytes.data(), &internet.sin6_addr, bytes.size());
  return bytes;
}

bool is_mapped(const Ipv6& address) { return begins_with(address, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF}); }

}  // namespace

bool is_loopback(const SocketAddress& address) {
  if (address.family == AF_INET) return ipv4_of(address) >> 24 == 127;
  if (address.family != AF_INET6) return false;
  const Ipv6 bytes = ipv6_of(address);
  return is_mapped(bytes) ? bytes[12] == 127 : bytes == Ipv6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
}

bool is_special(const SocketAddress& address) {
  if (address.family == AF_INET) return is_special4(ipv4_of(address));
  return address.family != AF_INET6 || is_special6(ipv6_of(address));
}

}  // namespace crategate::net
