// Waiting for sockets, and their failures as errors.
#include "net/connection.h"

#include <algorithm>

#include "base/strings.h"
#include "net/channel.h"
#include "net/socket.h"
#include "net/tls.h"
#include "sys/cancel.h"
#include "sys/clock.h"

namespace crategate::net {
namespace {

using std::chrono::milliseconds;

/// How soon a wait notices a cancellation.
constexpr milliseconds kSlice{100};

Failure unavailable(const Request& request, std::string_view what, std::string_view why) {
  const std::string server = request.unix_socket.empty() ? request.url.origin() : request.unix_socket;
  Error error{.code = ErrorCode::unavailable,
              .message = concat(what, " ", server, why.empty() ? "" : ": ", why),
              .hint = "check that the server runs and can be reached from here, then try again"};
  return fail(for_request(std::move(error), request, 0));
}

Failure untrusted(const Request& request, std::string_view why) {
  Error error{.code = ErrorCode::integrity,
              .message = concat("no trustworthy TLS connection to ", request.url.origin(), ": ", why),
              .hint = "check the server's certificate; SSL_CERT_FILE names the file of an own certificate authority"};
  return fail(for_request(std::move(error), request, 0));
}

/// Waits until the socket is ready. Errors: unavailable after `limit` of silence (0 = none), interrupted.
Result<void> wait(int socket, bool to_write, const Request& request, milliseconds limit) {
  const auto started = std::chrono::steady_clock::now();
  while (true) {
    if (!request.ignore_cancellation) CG_CHECK(sys::check_cancelled());
    const auto waited = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - started);
    if (limit.count() > 0 && waited >= limit)
      return unavailable(request, "no sign of life from", concat("silent for ", format_duration(waited.count())));
    const milliseconds slice = limit.count() > 0 ? std::min(kSlice, limit - waited) : kSlice;
    if (is_ready(socket, to_write, static_cast<int>(slice.count()))) return {};
  }
}

std::string bare_host(const Url& url) {
  return url.host.starts_with('[') ? url.host.substr(1, url.host.size() - 2) : url.host;
}

Result<std::vector<SocketAddress>> addresses_of(const Request& request) {
  if (request.unix_socket.empty()) return find_addresses(bare_host(request.url), request.url.port);
  CG_TRY(const SocketAddress address, unix_address(request.unix_socket));
  return std::vector{address};
}

Result<sys::Descriptor> connect_address(const Request& request, const SocketAddress& address, milliseconds limit) {
  auto socket = start_connecting(address);
  if (!socket) return unavailable(request, "cannot connect to", socket.error().message);
  CG_CHECK(wait(socket->get(), true, request, limit));
  const auto connected = finish_connecting(socket->get());
  if (!connected) return unavailable(request, "cannot connect to", connected.error().message);
  return socket;
}

/// The first of the host's addresses that answers; together they get the request's time.
Result<sys::Descriptor> connect(const Request& request) {
  const auto addresses = addresses_of(request);
  if (!addresses) return unavailable(request, "cannot connect to", addresses.error().message);
  Error last = unavailable(request, "cannot connect to", "its name has no address").value();
  for (const SocketAddress& address : *addresses) {
    auto socket = connect_address(request, address, request.timeout / static_cast<long>(addresses->size()));
    if (socket || socket.error().code != ErrorCode::unavailable) return socket;
    last = std::move(socket).error();
  }
  return fail(std::move(last));
}

Result<std::unique_ptr<Channel>> start_tls(int socket, const Request& request) {
  CG_TRY(std::unique_ptr<TlsChannel> channel, TlsChannel::over(socket, bare_host(request.url)));
  while (true) {
    const Step step = channel->handshake();
    switch (step.progress) {
      case Progress::done:
        return channel;
      case Progress::wants_read:
      case Progress::wants_write:
        CG_CHECK(wait(socket, step.progress == Progress::wants_write, request, request.timeout));
        break;
      case Progress::closed:
      case Progress::broken:
        return unavailable(request, "no TLS handshake with", step.why);
      case Progress::distrusted:
        return untrusted(request, step.why);
    }
  }
}

}  // namespace

struct Connection::Link {
  sys::Descriptor socket;
  std::unique_ptr<Channel> channel;
};

Connection::Connection(std::unique_ptr<Link> link) : link_(std::move(link)) {}
Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::open(const Request& request) {
  auto link = std::make_unique<Link>();
  CG_TRY(link->socket, connect(request));
  if (request.unix_socket.empty() && request.url.scheme == "https") {
    CG_TRY(link->channel, start_tls(link->socket.get(), request));
  } else {
    link->channel = make_plain_channel(link->socket.get());
  }
  return std::unique_ptr<Connection>(new Connection(std::move(link)));
}

Result<void> Connection::send(std::string_view bytes, const Request& request) {
  while (!bytes.empty()) {
    const Step step = link_->channel->send(bytes);
    if (step.progress == Progress::done) {
      bytes.remove_prefix(step.bytes);
    } else if (step.progress == Progress::wants_read || step.progress == Progress::wants_write) {
      CG_CHECK(wait(link_->socket.get(), step.progress == Progress::wants_write, request, request.timeout));
    } else {
      return unavailable(request, "cannot send to", step.why);
    }
  }
  return {};
}

Result<std::size_t> Connection::receive(std::string& buffer, const Request& request) {
  while (true) {
    if (!request.ignore_cancellation) CG_CHECK(sys::check_cancelled());
    const Step step = link_->channel->receive(buffer.data(), buffer.size());
    if (step.progress == Progress::done) return step.bytes;
    if (step.progress == Progress::closed) return 0;
    if (step.progress != Progress::wants_read && step.progress != Progress::wants_write)
      return unavailable(request, "the connection broke to", step.why);
    CG_CHECK(wait(link_->socket.get(), step.progress == Progress::wants_write, request, request.timeout));
  }
}

bool Connection::is_usable() { return link_->channel->is_quiet(); }

Error for_request(Error error, const Request& request, int status) {
  if (!error.http) error.http = HttpFailure{.method = request.method, .url = request.url.redacted(), .status = status};
  return error;
}

}  // namespace crategate::net
