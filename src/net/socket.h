// Sockets of the kernel: where they connect to, and plain bytes over them.
// Belongs here: system calls.  Not here: waiting and errors for people (connection).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sys/descriptor.h"

namespace crategate::net {

/// An address as the kernel takes it.
struct SocketAddress {
  alignas(8) std::array<char, 128> bytes{};
  unsigned int size = 0;
  int family = 0;
};

/// The address that `host` is, in any spelling that a resolver takes for a number; nullopt = a name.
std::optional<SocketAddress> numeric_address(const std::string& host, std::uint16_t port);
/// All addresses of a name, or the one that `host` is. The error's message is the resolver's reason. Blocks.
/// Effects: network (name service). Errors: unavailable.
Result<std::vector<SocketAddress>> find_addresses(const std::string& host, std::uint16_t port);
/// Errors: bad_input for a path that is too long.
Result<SocketAddress> unix_address(const std::string& path);

/// A socket on its way to `address`: connected or failed once it can be written to. Non-blocking, but for a unix socket.
/// Effects: network. Errors: unavailable; the message is the kernel's reason.
Result<sys::Descriptor> start_connecting(const SocketAddress& address);
/// What became of it. Errors: unavailable.
Result<void> finish_connecting(int socket);

/// False when `milliseconds` passed first. An error on the socket counts as ready.
bool is_ready(int socket, bool to_write, int milliseconds);
/// The first of the sockets that can be written to; nullopt when `milliseconds` passed first.
std::optional<std::size_t> first_writable(const std::vector<int>& sockets, int milliseconds);

}  // namespace crategate::net
