// Blocking sockets, one thread a connection; what ended is put away when the next one comes.
#include "support/strict_registry_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/strings.h"

namespace crategate::test {

class StrictServer::Input {
 public:
  explicit Input(int socket) : socket_(socket) {}
  /// Up to and with `end`; nullopt when the client closed.
  std::optional<std::string> until(std::string_view end) {
    std::size_t found;
    while ((found = bytes_.find(end)) == std::string::npos)
      if (!more() || !is_text()) return std::nullopt;
    return take(found + end.size());
  }
  std::optional<std::string> exactly(std::size_t size) {
    while (bytes_.size() < size)
      if (!more()) return std::nullopt;
    return take(size);
  }
  void until_closed() {
    while (more()) bytes_.clear();
  }

 private:
  /// A client that tries TLS is told at once.
  bool is_text() const { return bytes_[0] >= 'A' && bytes_[0] <= 'Z'; }
  bool more() {
    const ssize_t count = ::recv(socket_, block_.data(), block_.size(), 0);
    if (count > 0) bytes_.append(block_, 0, static_cast<std::size_t>(count));
    return count > 0;
  }
  std::string take(std::size_t size) {
    std::string taken = bytes_.substr(0, size);
    bytes_.erase(0, size);
    return taken;
  }
  int socket_;
  std::string bytes_, block_ = std::string(64u << 10, '\0');
};

namespace {

constexpr std::size_t kPieces = 50;

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool drip(int socket, std::string_view bytes) {
  const std::size_t piece = std::max<std::size_t>(1, bytes.size() / kPieces);
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    if (!send_all(socket, bytes.substr(0, piece))) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

std::string encode(const Reply& reply, const std::string& method) {
  const bool no_body = reply.status == 204 || reply.status == 304;
  std::string text = concat("HTTP/1.1 ", reply.status, " Strict\r\n");
  bool has_length = no_body;
  for (const auto& [name, value] : reply.headers) {
    text += concat(name, ": ", value, "\r\n");
    has_length = has_length || to_lower(name) == "content-length";
  }
  if (!has_length) text += concat("Content-Length: ", reply.body.size(), "\r\n");
  return text + "\r\n" + (method == "HEAD" || no_body ? std::string() : reply.body);
}

/// nullopt and `why`: it is not HTTP/1.1.
std::optional<ReceivedRequest> parse_head(const std::string& head, std::string& why) {
  ReceivedRequest request;
  std::string_view text = head;
  const auto next = [&text] {
    const std::size_t end = text.find("\r\n");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 2);
    return std::string(line);
  };
  const std::vector<std::string> words = split(next(), ' ');
  why = head.substr(0, head.find("\r\n"));
  if (words.size() != 3 || words[2] != "HTTP/1.1" || !words[1].starts_with('/')) return std::nullopt;
  request.method = words[0];
  request.target = words[1];
  for (std::string line = next(); !line.empty(); line = next()) {
    const std::size_t colon = line.find(':');
    why = line;
    if (colon == std::string::npos || colon == 0 || line.substr(0, colon).find_first_of(" \t\n") != std::string::npos)
      return std::nullopt;
    request.headers.emplace_back(line.substr(0, colon), trim(std::string_view(line).substr(colon + 1)));
  }
  return request;
}

/// What was not sent is discarded, and the client is told so.
void prepare_reset(int socket) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace

StrictServer::StrictServer(Handler handler) : handler_(std::move(handler)) {
  listener_ = bound_socket();
  placeholder_ = bound_socket();
  listen();
}

StrictServer::~StrictServer() {
  close_port();
  put_away();
  ::close(placeholder_);
}

int StrictServer::bound_socket() {
  const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port_);
  socklen_t size = sizeof address;
  if (::bind(made, reinterpret_cast<const sockaddr*>(&address), size) != 0)
    ADD_FAILURE() << "cannot bind: " << std::strerror(errno);
  ::getsockname(made, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  return made;
}

void StrictServer::listen() {
  if (::listen(listener_, 128) != 0) ADD_FAILURE() << "cannot listen: " << std::strerror(errno);
  acceptor_ = std::thread([this, listener = listener_] { accept_all(listener); });
}

void StrictServer::close_port() {
  const std::scoped_lock lock(mutex_);
  if (closed_) return;
  closed_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  for (const Client& client : clients_)
    if (client.socket >= 0) ::shutdown(client.socket, SHUT_RDWR);
}

void StrictServer::open_port() {
  const std::scoped_lock opening(opening_);
  {
    const std::scoped_lock lock(mutex_);
    if (!closed_) return;
  }
  put_away();
  listener_ = bound_socket();
  closed_ = false;
  listen();
}

void StrictServer::put_away() {
  acceptor_.join();
  ::close(listener_);
  end_clients(true);
}

void StrictServer::end_clients(bool all) {
  std::list<Client> ended;
  {
    const std::scoped_lock lock(mutex_);
    for (auto at = clients_.begin(); at != clients_.end();) {
      const auto client = at++;
      if (all || client->done) ended.splice(ended.end(), clients_, client);
    }
  }
  for (Client& client : ended) client.thread.join();
}

void StrictServer::accept_all(int listener) {
  while (true) {
    const int socket = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    const int yes = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    end_clients(false);
    const std::scoped_lock lock(mutex_);
    if (closed_) {
      ::close(socket);
      return;
    }
    Client& client = clients_.emplace_back();
    client.socket = socket;
    client.thread = std::thread([this, &client, number = ++accepted_] { serve(client, number); });
  }
}

void StrictServer::close(Client& client) {
  const std::scoped_lock lock(mutex_);
  ::close(client.socket);
  client.socket = -1;
}

void StrictServer::serve(Client& client, int number) {
  Input input(client.socket);
  while (answer_one(client, input, number)) {
  }
  close(client);
  client.done = true;
}

bool StrictServer::answer_one(Client& client, Input& input, int number) {
  const int socket = client.socket;
  const auto head = input.until("\r\n\r\n");
  if (!head) return false;
  std::string why;
  auto request = parse_head(*head, why);
  if (!request) {
    handler_.complain(concat("not HTTP/1.1: ", quoted(why)));
    return false;
  }
  request->connection = number;
  std::optional<Delivery> delivery = handler_.before_body(*request);
  const bool last = delivery.has_value();
  if (!delivery) {
    if (to_lower(request->header("expect")) == "100-continue") send_all(socket, "HTTP/1.1 100 Continue\r\n\r\n");
    auto body = input.exactly(parse_unsigned(request->header("content-length")).value_or(0));
    if (!body) return false;
    request->body = std::move(*body);
    delivery = handler_.answer(*request);
  }
  if (delivery->way == Delivery::Way::stall) input.until_closed();
  if (delivery->way == Delivery::Way::reset) prepare_reset(socket);
  if (delivery->way == Delivery::Way::reset || delivery->way == Delivery::Way::stall) return false;
  const std::string text = encode(delivery->reply, request->method);
  if (delivery->way == Delivery::Way::drip) return drip(socket, text) && !last;
  const bool half = delivery->way == Delivery::Way::half;
  const bool twice = delivery->way == Delivery::Way::twice;
  return send_all(socket, half ? text.substr(0, text.size() / 2) : twice ? text + text : text) && !half && !last;
}

}  // namespace crategate::test
