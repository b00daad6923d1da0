// Blocking sockets, one thread a connection.
#include "support/scripted_http_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/strings.h"

namespace crategate::test {

/// The bytes that a connection has received and nobody has used.
class ScriptedHttpServer::Input {
 public:
  explicit Input(int socket) : socket_(socket) {}
  /// Up to and with `end`; nullopt when the client closed.
  std::optional<std::string> until(std::string_view end) {
    std::size_t found;
    while ((found = bytes_.find(end)) == std::string::npos)
      if (!more()) return std::nullopt;
    return take(found + end.size());
  }
  /// Fewer only when the client closed.
  std::string exactly(std::size_t size) {
    std::string body = take(std::min(size, bytes_.size()));
    constexpr std::size_t kStep = 1u << 20;
    while (body.size() < size) {
      const std::size_t had = body.size();
      body.resize(had + std::min(kStep, size - had));
      const ssize_t count = ::recv(socket_, body.data() + had, body.size() - had, 0);
      body.resize(had + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
      if (count <= 0) break;
    }
    return body;
  }

 private:
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

void send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string find_header(const net::Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers)
    if (to_lower(key) == to_lower(name)) return value;
  return {};
}

std::string encode(const Reply& reply, const std::string& method) {
  if (!reply.raw.empty()) return reply.raw;
  std::string text = concat("HTTP/1.1 ", reply.status, " Scripted\r\n");
  for (const auto& [name, value] : reply.headers) text += concat(name, ": ", value, "\r\n");
  if (find_header(reply.headers, "Content-Length").empty() && find_header(reply.headers, "Transfer-Encoding").empty())
    text += concat("Content-Length: ", reply.body.size(), "\r\n");
  return text + "\r\n" + (method == "HEAD" ? "" : reply.body);
}

std::optional<ReceivedRequest> parse_head(const std::optional<std::string>& head) {
  if (!head) return std::nullopt;
  ReceivedRequest request;
  const std::vector<std::string> lines = split(*head, '\n');
  const std::vector<std::string> words = split(trim(lines.front()), ' ');
  if (words.size() != 3) ADD_FAILURE() << "not a request line: " << lines.front();
  request.method = words.at(0);
  request.target = words.at(1);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::size_t colon = lines[i].find(':');
    if (colon != std::string::npos)
      request.headers.emplace_back(lines[i].substr(0, colon), trim(std::string_view(lines[i]).substr(colon + 1)));
  }
  return request;
}

/// Discards what was not sent and tells the client so. The number stays taken until the server ends.
void reset(int socket) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup3(nothing, socket, O_CLOEXEC);
  ::close(nothing);
}

void listen_on(int listener, const sockaddr* address, socklen_t size) {
  if (::bind(listener, address, size) != 0 || ::listen(listener, 64) != 0)
    ADD_FAILURE() << "cannot listen: " << std::strerror(errno);
}

}  // namespace

std::string ReceivedRequest::header(std::string_view name) const { return find_header(headers, name); }

ScriptedHttpServer::ScriptedHttpServer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  listen_on(listener_, reinterpret_cast<const sockaddr*>(&address), size);
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

ScriptedHttpServer::ScriptedHttpServer(const std::string& socket_path)
    : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket_path.copy(address.sun_path, sizeof address.sun_path - 1);
  listen_on(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  acceptor_ = std::thread([this] { accept_all(); });
}

ScriptedHttpServer::~ScriptedHttpServer() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::scoped_lock lock(mutex_);
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
  }
  for (std::thread& worker : workers_) worker.join();
  for (const int socket : sockets_) ::close(socket);
  ::close(listener_);
  for (const Expectation& left : expectations_)
    ADD_FAILURE() << "this request was expected and never came: " << left.method << " " << left.target;
}

void ScriptedHttpServer::expect(std::string method, std::string target, Reply reply) {
  expect_with(std::move(method), std::move(target),
              [reply = std::move(reply)](const ReceivedRequest&) { return reply; });
}

void ScriptedHttpServer::expect_with(std::string method, std::string target,
                                     std::function<Reply(const ReceivedRequest&)> reply) {
  const std::scoped_lock lock(mutex_);
  expectations_.push_back({std::move(method), std::move(target), std::move(reply)});
}

void ScriptedHttpServer::serve_with(Handler handler) {
  const std::scoped_lock lock(mutex_);
  handler_ = std::move(handler);
}

std::string ScriptedHttpServer::host() const { return concat("127.0.0.1:", port_); }

net::Url ScriptedHttpServer::url(const std::string& target) const {
  return {.scheme = "http", .host = "127.0.0.1", .port = port_, .target = target};
}

std::vector<ReceivedRequest> ScriptedHttpServer::received() const {
  const std::scoped_lock lock(mutex_);
  return received_;
}

void ScriptedHttpServer::accept_all() {
  while (!stopping_) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    const int yes = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    const std::scoped_lock lock(mutex_);
    sockets_.push_back(socket);
    workers_.emplace_back([this, socket, number = ++accepted_] { serve(socket, number); });
  }
}

Reply ScriptedHttpServer::reply_to(ReceivedRequest& request) {
  std::function<Reply(ReceivedRequest&)> reply;
  {
    const std::scoped_lock lock(mutex_);
    const auto found =
        std::find_if(expectations_.begin(), expectations_.end(), [&request](const Expectation& expected) {
          return expected.method == request.method && expected.target == request.target;
        });
    if (found != expectations_.end()) {
      reply = std::move(found->reply);
      expectations_.erase(found);
    } else if (handler_.answer) {
      reply = handler_.answer;
    } else {
      ADD_FAILURE() << "nobody expected this request: " << request.method << " " << request.target;
      return {.status = 500, .body = "unexpected request", .close = true};
    }
  }
  Reply answer = reply(request);
  const std::scoped_lock lock(mutex_);
  if (watcher_) watcher_(request, answer);
  return answer;
}

void ScriptedHttpServer::watch(std::function<void(const ReceivedRequest&, const Reply&)> watcher) {
  const std::scoped_lock lock(mutex_);
  watcher_ = std::move(watcher);
}

Handler ScriptedHttpServer::handler() {
  const std::scoped_lock lock(mutex_);
  return handler_;
}

bool ScriptedHttpServer::read_body(Input& input, const Handler& handler, ReceivedRequest& request) {
  const std::size_t length = parse_unsigned(request.header("Content-Length")).value_or(0);
  std::optional<std::size_t> reset_after;
  if (handler.reset_after) reset_after = handler.reset_after(request);
  request.body = input.exactly(std::min(length, reset_after.value_or(length)));
  return !reset_after && request.body.size() == length;
}

void ScriptedHttpServer::serve(int socket, int number) {
  Input input(socket);
  const Handler handler = this->handler();
  while (auto request = parse_head(input.until("\r\n\r\n"))) {
    request->connection = number;
    Reply reply{.reset = true};
    if (read_body(input, handler, *request)) reply = reply_to(*request);
    if (reply.stall) input.exactly(std::string::npos);
    if (reply.reset || reply.stall) return reset(socket);
    if (!handler.answer) {
      const std::scoped_lock lock(mutex_);
      received_.push_back(*request);
    }
    std::this_thread::sleep_for(reply.delay);
    const std::string answer = encode(reply, request->method);
    send_all(socket, std::string_view(answer).substr(0, reply.cut_after.value_or(answer.size())));
    if (reply.close || reply.cut_after) break;
  }
  ::shutdown(socket, SHUT_RDWR);
}

}  // namespace crategate::test
