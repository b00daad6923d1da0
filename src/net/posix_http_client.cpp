// Which connection a request goes on, and the one retry that a pool makes necessary.
#include "net/exchange.h"
#include "net/pool.h"
#include "net/socket.h"
#include "net/special_address.h"
#include "net/transport.h"
#include "net/tunnel.h"
#include "sys/cancel.h"

namespace crategate::net {
namespace {

/// A proxy resolves names itself; an address that stands in the URL is known before.
Result<void> check_literal(const Request& request) {
  if (!request.public_address_only) return {};
  const auto literal = numeric_address(bare_host(request.url), request.url.port);
  if (literal && is_special(*literal)) return not_public(request);
  return {};
}

}  // namespace

struct PosixHttpClient::Transport {
  explicit Transport(TransportOptions options)
      : proxies(std::move(options.proxies)), contexts(std::move(options.tls)), pool(options.per_host) {}

  const Proxy* proxy_for(const Request& request) const {
    return request.unix_socket.empty() ? proxies.for_url(request.url) : nullptr;
  }

  Result<std::unique_ptr<Connection>> connect(Patience& patience, const Proxy* proxy) {
    const Request& request = patience.request();
    CG_TRY(auto connection,
           proxy == nullptr ? Connection::open(patience, traffic) : open_through(*proxy, request, traffic));
    if (!request.unix_socket.empty() || request.url.scheme != "https") return connection;
    CG_TRY(const auto context, contexts.for_server(request.url));
    CG_CHECK(connection->start_tls(*context, patience));
    return connection;
  }

  /// One try on a connection, which goes back to the pool where it can be used again.
  Result<Response> exchange(std::unique_ptr<Connection> connection, Patience& patience, const std::string& head,
                            bool& may_repeat) {
    ++traffic.requests;
    Exchange exchange(*connection, patience);
    auto response = exchange.run(head);
    if (response && exchange.reusable()) pool.give(patience.request(), std::move(connection));
    may_repeat = !response && response.error().code == ErrorCode::unavailable && exchange.may_repeat();
    return response;
  }

  Result<Response> send(Patience& patience, const Proxy* proxy, const std::string& head) {
    bool may_repeat = false;
    CG_TRY(const Pool::Place place, pool.enter(patience));
    if (auto idle = pool.take(patience.request(), proxy != nullptr)) {
      auto response = exchange(std::move(idle), patience, head, may_repeat);
      if (!may_repeat) return response;
    }
    CG_TRY(auto fresh, connect(patience, proxy));
    return exchange(std::move(fresh), patience, head, may_repeat);
  }

  const Proxies proxies;
  TlsContexts contexts;
  Traffic traffic;
  Pool pool;
};

PosixHttpClient::PosixHttpClient() : PosixHttpClient(TransportOptions{}) {}
PosixHttpClient::PosixHttpClient(TransportOptions options)
    : transport_(std::make_unique<Transport>(std::move(options))) {
  sys::ignore_broken_pipes();
}
PosixHttpClient::~PosixHttpClient() = default;

Result<Response> PosixHttpClient::send(const Request& request) {
  Patience patience(request);
  CG_CHECK(patience.check());
  const Proxy* proxy = transport_->proxy_for(request);
  if (proxy != nullptr) CG_CHECK(check_literal(request));
  const bool passed_on = proxy != nullptr && request.url.scheme == "http";
  CG_TRY(const std::string head, encode_head(request, passed_on, passed_on ? headers_for(*proxy) : Headers()));
  auto response = transport_->send(patience, proxy, head);
  if (passed_on && response && response->status == 407) return fail(refused_by(*proxy, request, 407));
  return response;
}

TransportCounts PosixHttpClient::counts() const {
  const Traffic& traffic = transport_->traffic;
  return {.requests = traffic.requests,
          .connections = traffic.connections,
          .bytes_sent = traffic.bytes_sent,
          .bytes_received = traffic.bytes_received};
}

}  // namespace crategate::net
