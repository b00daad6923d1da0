// Sockets through POSIX.
#include "net/socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include "net/channel.h"

namespace crategate::net {
namespace {

std::string reason_of(int number) { return std::generic_category().message(number); }
Failure unavailable(std::string reason) { return fail(ErrorCode::unavailable, std::move(reason)); }

SocketAddress made_from(const void* bytes, std::size_t size, int family) {
  SocketAddress address{.size = static_cast<unsigned int>(size), .family = family};
  std::memcpy(address.bytes.data(), bytes, std::min(size, address.bytes.size()));
  return address;
}

/// 0, or the resolver's code.
int look_up(const std::string& host, std::uint16_t port, int flags, std::vector<SocketAddress>& addresses) {
  const addrinfo hints{.ai_flags = flags | AI_NUMERICSERV, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (code != 0) return code;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, &::freeaddrinfo);
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next)
    addresses.push_back(made_from(entry->ai_addr, entry->ai_addrlen, entry->ai_family));
  return 0;
}

class PlainChannel final : public Channel {
 public:
  explicit PlainChannel(int socket) : socket_(socket) {}

  Step send(std::string_view bytes) override {
    return step(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT), Progress::wants_write);
  }
  Step receive(char* buffer, std::size_t size) override {
    const Step received = step(::recv(socket_, buffer, size, MSG_DONTWAIT), Progress::wants_read);
    return received.progress == Progress::done && received.bytes == 0 ? Step{Progress::closed} : received;
  }
  bool is_quiet() override { return !is_ready(socket_, false, 0); }

 private:
  static Step step(ssize_t count, Progress otherwise) {
    if (count >= 0) return {Progress::done, static_cast<std::size_t>(count)};
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {otherwise};
    return {Progress::broken, 0, reason_of(errno)};
  }
  int socket_;
};

}  // namespace

std::optional<SocketAddress> numeric_address(const std::string& host, std::uint16_t port) {
  std::vector<SocketAddress> found;
  if (look_up(host, port, AI_NUMERICHOST, found) != 0 || found.empty()) return std::nullopt;
  return found.front();
}

Result<std::vector<SocketAddress>> find_addresses(const std::string& host, std::uint16_t port) {
  std::vector<SocketAddress> found;
  if (const int code = look_up(host, port, 0, found); code != 0)
    return unavailable(code == EAI_SYSTEM ? reason_of(errno) : ::gai_strerror(code));
  return found;
}

Result<SocketAddress> unix_address(const std::string& path) {
  sockaddr_un address{.sun_family = AF_UNIX};
  if (path.size() >= sizeof address.sun_path)
    return fail(ErrorCode::bad_input, "the path of a socket has less than " + std::to_string(sizeof address.sun_path) +
                                          " bytes, found " + std::to_string(path.size()));
  std::memcpy(address.sun_path, path.data(), path.size());
  return made_from(&address, sizeof address, AF_UNIX);
}

Result<sys::Descriptor> start_connecting(const SocketAddress& address) {
  // A unix socket whose queue is full would not say when there is room: connecting to it waits.
  const int waiting = address.family == AF_UNIX ? 0 : SOCK_NONBLOCK;
  sys::Descriptor socket(::socket(address.family, SOCK_STREAM | SOCK_CLOEXEC | waiting, 0));
  if (!socket.valid()) return unavailable(reason_of(errno));
  const int on = 1;
  if (address.family != AF_UNIX) ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_storage target{};
  std::memcpy(&target, address.bytes.data(), address.size);
  const int answer = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&target), address.size);
  if (answer != 0 && errno != EINPROGRESS && errno != EINTR) return unavailable(reason_of(errno));
  return socket;
}

Result<void> finish_connecting(int socket) {
  int number = 0;
  socklen_t size = sizeof number;
  if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &number, &size) != 0) number = errno;
  return number == 0 ? Result<void>{} : unavailable(reason_of(number));
}

bool is_ready(int socket, bool to_write, int milliseconds) {
  pollfd waited{.fd = socket, .events = to_write ? short{POLLOUT} : short{POLLIN}};
  return ::poll(&waited, 1, milliseconds) > 0;
}

std::optional<std::size_t> first_writable(const std::vector<int>& sockets, int milliseconds) {
  std::vector<pollfd> waited;
  for (const int socket : sockets) waited.push_back({.fd = socket, .events = POLLOUT});
  if (::poll(waited.data(), waited.size(), milliseconds) <= 0) return std::nullopt;
  const auto ready =
      std::find_if(waited.begin(), waited.end(), [](const pollfd& socket) { return socket.revents != 0; });
  return static_cast<std::size_t>(ready - waited.begin());
}

std::unique_ptr<Channel> make_plain_channel(int socket) { return std::make_unique<PlainChannel>(socket); }

}  // namespace crategate::net
