// CONNECT (RFC 9110 §9.3.6) and the absolute form of a target (RFC 9112 §3.2.2).
#include "net/tunnel.h"

#include "base/strings.h"
#include "net/exchange.h"
#include "net/no_proxy.h"

namespace crategate::net {
namespace {

/// The part of the way that ends at the proxy, with the patience of the whole.
Request hop_to(const Proxy& proxy, const Request& request) {
  const std::string target = concat(request.url.host, ":", request.url.port);
  Request hop{.method = "CONNECT", .url = proxy.url};
  hop.url.target = target;
  hop.headers = headers_for(proxy);
  hop.headers.emplace_back("Host", target);
  hop.timeout = request.timeout;
  hop.deadline = request.deadline;
  hop.minimum_rate = request.minimum_rate;
  hop.rate_window = request.rate_window;
  hop.ignore_cancellation = request.ignore_cancellation;
  hop.on_head = [&proxy, &request](const Response& answer) -> Result<void> {
    if (answer.status >= 200 && answer.status < 300) return {};
    return fail(refused_by(proxy, request, answer.status));
  };
  return hop;
}

/// Failures on the way to the proxy, as the request's; what the proxy has answered names it already.
Failure on_the_way(const Proxy& proxy, const Request& request, Error error) {
  const bool cancelled = error.code == ErrorCode::interrupted || error.code == ErrorCode::terminated;
  if (cancelled || (error.http && error.http->status != 0)) return fail(std::move(error));
  if (error.http) error.http->url = proxy.url.origin();
  if (error.code == ErrorCode::unavailable)
    error.hint = concat("check ", proxy.variable, ", or name ", request.url.host, " in NO_PROXY");
  return fail(std::move(error).within(concat("through the proxy ", proxy.url.origin())));
}

Result<void> join(Connection& connection, Patience& patience) {
  CG_TRY(const std::string head, encode_head(patience.request()));
  Exchange exchange(connection, patience);
  CG_CHECK(exchange.run(head));
  if (exchange.has_surplus())
    return fail(ErrorCode::integrity, "bytes came before the server was asked for any", "check the proxy");
  return {};
}

}  // namespace

Headers headers_for(const Proxy& proxy) {
  const std::string authorization = proxy.authorization();
  if (authorization.empty()) return {};
  return {{"Proxy-Authorization", authorization}};
}

Result<std::unique_ptr<Connection>> open_through(const Proxy& proxy, const Request& request, Traffic& traffic) {
  const Request hop = hop_to(proxy, request);
  Patience patience(hop);
  auto connection = Connection::open(patience, traffic);
  if (!connection) return on_the_way(proxy, request, std::move(connection).error());
  if (request.url.scheme != "https") return connection;
  if (auto joined = join(**connection, patience); !joined) return on_the_way(proxy, request, std::move(joined).error());
  return connection;
}

Error refused_by(const Proxy& proxy, const Request& request, int status) {
  const bool later = status == 429 || status >= 500;
  const std::string own = concat(" or name ", request.url.host, " in NO_PROXY, if it can be reached directly");
  Error error{
      .code = status == 407 ? ErrorCode::unauthenticated
              : later       ? ErrorCode::unavailable
                            : ErrorCode::forbidden,
      .message = concat("the proxy ", proxy.url.origin(), " opens no way to ", request.url.origin(), ": it ",
                        status == 407 ? "wants user and password" : "answers", " (", status, ")"),
      .hint = status == 407 ? concat("write them into ", proxy.variable, " as http://user:password@host:port,", own)
              : later       ? concat("check that ", request.url.host, " can be reached from the proxy, try again,", own)
                            : concat("ask whoever runs the proxy to allow ", request.url.host, ",", own)};
  error.http = HttpFailure{.method = request.url.scheme == "https" ? "CONNECT" : request.method,
                           .url = proxy.url.origin(),
                           .status = status};
  return error;
}

}  // namespace crategate::net
