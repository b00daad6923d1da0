// Sockets and channels, and their failures as errors.
#include "net/connection.h"

#include <algorithm>

#include "base/strings.h"
#include "net/channel.h"
#include "net/race.h"
#include "net/request_error.h"
#include "net/resolver.h"
#include "net/special_address.h"
#include "net/tls.h"

namespace crategate::net {
namespace {

Failure untrusted(const Request& request, std::string_view why) {
  Error error{.code = ErrorCode::integrity,
              .message = concat("no trustworthy TLS connection to ", request.url.origin(), ": ", why),
              .hint = "check the server's certificate; SSL_CERT_FILE names the file of an own certificate authority"};
  return fail(for_request(std::move(error), request, 0));
}

Failure speaks_no_tls(const Request& request, std::string_view why) {
  Error error{.code = ErrorCode::integrity,
              .message = concat("no TLS handshake with ", request.url.origin(), ": ", why),
              .hint = "the server speaks something else there: check host and port"};
  Error framed = for_request(std::move(error), request, 0);
  framed.http->code = kNoTls;
  return fail(std::move(framed));
}

/// A step that moved nothing and waits for nothing.
Failure broken(const Request& request, std::string_view what, const Step& step) {
  if (step.progress == Progress::distrusted) return untrusted(request, step.why);
  if (step.progress == Progress::no_tls) return speaks_no_tls(request, step.why);
  return no_contact(request, what, step.why);
}

bool is_waiting(const Step& step) {
  return step.progress == Progress::wants_read || step.progress == Progress::wants_write;
}

Result<std::vector<SocketAddress>> addresses_of(Patience& patience) {
  const Request& request = patience.request();
  if (!request.unix_socket.empty()) {
    const auto address = unix_address(request.unix_socket);
    if (!address) return no_contact(request, "cannot connect to", address.error().message);
    return std::vector{*address};
  }
  CG_TRY(auto addresses, resolve_name(bare_host(request.url), request.url.port, patience));
  if (!request.public_address_only) return addresses;
  std::erase_if(addresses, [](const SocketAddress& address) { return is_special(address); });
  if (addresses.empty()) return not_public(request);
  return addresses;
}

}  // namespace

Failure not_public(const Request& request) {
  Error error{.code = ErrorCode::integrity,
              .message = concat("the address of ", request.url.origin(), " is not on the public internet"),
              .hint = "nothing was sent there; ask whoever runs the server that named this address"};
  return fail(for_request(std::move(error), request, 0));
}

struct Connection::Link {
  Link(Winner winner, Traffic& counted)
      : socket(std::move(winner.socket)),
        channel(make_plain_channel(socket.get())),
        is_public(!is_special(winner.address)),
        traffic(counted) {}
  sys::Descriptor socket;
  std::unique_ptr<Channel> channel;
  bool is_public;
  Traffic& traffic;
};

Connection::Connection(std::unique_ptr<Link> link) : link_(std::move(link)) {}
Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::open(Patience& patience, Traffic& traffic) {
  CG_TRY(const auto addresses, addresses_of(patience));
  CG_TRY(Winner winner, connect_first(alternate_families(addresses), patience));
  ++traffic.connections;
  return std::unique_ptr<Connection>(new Connection(std::make_unique<Link>(std::move(winner), traffic)));
}

Result<void> Connection::start_tls(const TlsContext& context, Patience& patience) {
  const int socket = link_->socket.get();
  CG_TRY(auto channel, TlsChannel::over(socket, bare_host(patience.request().url), context));
  Step step = channel->handshake();
  for (; is_waiting(step); step = channel->handshake())
    CG_CHECK(patience.wait(socket, step.progress == Progress::wants_write));
  if (step.progress != Progress::done) return broken(patience.request(), "no TLS handshake with", step);
  link_->channel = std::move(channel);
  return {};
}

Result<void> Connection::send(std::string_view bytes, Patience& patience) {
  while (!bytes.empty()) {
    CG_CHECK(patience.check());
    const Step step = link_->channel->send(bytes);
    if (step.progress == Progress::done) {
      bytes.remove_prefix(step.bytes);
      link_->traffic.bytes_sent += step.bytes;
      patience.moved(step.bytes);
    } else if (is_waiting(step)) {
      CG_CHECK(patience.wait(link_->socket.get(), step.progress == Progress::wants_write));
    } else {
      return broken(patience.request(), "cannot send to", step);
    }
  }
  return {};
}

Result<std::size_t> Connection::receive(std::string& buffer, Patience& patience) {
  while (true) {
    CG_CHECK(patience.check());
    const Step step = link_->channel->receive(buffer.data(), buffer.size());
    if (step.progress == Progress::closed) return 0;
    if (step.progress == Progress::done) {
      link_->traffic.bytes_received += step.bytes;
      patience.moved(step.bytes);
      return step.bytes;
    }
    if (!is_waiting(step)) return broken(patience.request(), "the connection broke to", step);
    CG_CHECK(patience.wait(link_->socket.get(), step.progress == Progress::wants_write));
  }
}

bool Connection::is_usable() { return link_->channel->is_quiet(); }
bool Connection::is_public() const { return link_->is_public; }

}  // namespace crategate::net
