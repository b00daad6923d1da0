// Sockets through Poco, all of them non-blocking.
#include "net/connection.h"

#include <Poco/Exception.h>
#include <Poco/Net/Context.h>
#include <Poco/Net/DNS.h>
#include <Poco/Net/HostEntry.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/NetSSL.h>
#include <Poco/Net/SSLException.h>
#include <Poco/Net/SecureStreamSocket.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/SocketImpl.h>
#include <Poco/Net/StreamSocket.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>

#include "base/strings.h"
#include "sys/cancel.h"
#include "sys/clock.h"

namespace crategate::net {
namespace {

namespace poco = Poco::Net;
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
Result<void> wait(const poco::StreamSocket& socket, int mode, const Request& request, milliseconds limit) {
  const auto started = std::chrono::steady_clock::now();
  while (true) {
    if (!request.ignore_cancellation) CG_CHECK(sys::check_cancelled());
    const auto waited = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - started);
    if (limit.count() > 0 && waited >= limit)
      return unavailable(request, "no sign of life from", concat("silent for ", format_duration(waited.count())));
    const milliseconds slice = limit.count() > 0 ? std::min(kSlice, limit - waited) : kSlice;
    if (socket.poll(Poco::Timespan(slice.count() * 1000), mode | poco::Socket::SELECT_ERROR)) return {};
  }
}

poco::Context::Ptr tls_context() {
  static const poco::Context::Ptr context = [] {
    poco::initializeSSL();
    poco::Context::Params params;
    params.verificationMode = poco::Context::VERIFY_STRICT;
    params.verificationDepth = 9;
    params.loadDefaultCAs = true;
    poco::Context::Ptr made(new poco::Context(poco::Context::TLS_CLIENT_USE, params));
    made->requireMinimumProtocol(poco::Context::PROTO_TLSV1_2);
    made->enableExtendedCertificateVerification(true);
    return made;
  }();
  return context;
}

std::string bare_host(const Url& url) {
  return url.host.starts_with('[') ? url.host.substr(1, url.host.size() - 2) : url.host;
}

std::vector<poco::SocketAddress> addresses_of(const Url& url) {
  poco::IPAddress literal;
  if (poco::IPAddress::tryParse(bare_host(url), literal)) return {poco::SocketAddress(literal, url.port)};
  std::vector<poco::SocketAddress> addresses;
  const poco::HostEntry entry = poco::DNS::hostByName(url.host, poco::DNS::DNS_HINT_NONE);
  for (const poco::IPAddress& address : entry.addresses()) addresses.emplace_back(address, url.port);
  return addresses;
}

Result<poco::StreamSocket> connect_unix(const Request& request) {
  poco::StreamSocket socket;
  socket.connect(poco::SocketAddress(poco::SocketAddress::UNIX_LOCAL, request.unix_socket));
  socket.setBlocking(false);
  return socket;
}

Result<poco::StreamSocket> connect_address(const Request& request, const poco::SocketAddress& address,
                                           milliseconds limit) {
  poco::StreamSocket socket;
  socket.connectNB(address);
  CG_CHECK(wait(socket, poco::Socket::SELECT_WRITE, request, limit));
  if (const int number = socket.impl()->socketError(); number != 0)
    return unavailable(request, "cannot connect to", std::generic_category().message(number));
  socket.setNoDelay(true);
  return socket;
}

/// The first of the host's addresses that answers; together they get the request's time.
Result<poco::StreamSocket> connect_tcp(const Request& request) {
  const auto addresses = addresses_of(request.url);
  Error last = unavailable(request, "cannot connect to", "its name has no address").value();
  for (const poco::SocketAddress& address : addresses) {
    try {
      auto socket = connect_address(request, address, request.timeout / static_cast<long>(addresses.size()));
      if (socket || socket.error().code != ErrorCode::unavailable) return socket;
      last = std::move(socket).error();
    } catch (const Poco::Exception& problem) {
      last = unavailable(request, "cannot connect to", problem.displayText()).value();
    }
  }
  return fail(std::move(last));
}

Result<poco::SecureStreamSocket> start_tls(const poco::StreamSocket& socket, const Request& request) {
  try {
    const std::string host = bare_host(request.url);
    auto secure = poco::SecureStreamSocket::attach(socket, host, tls_context());
    int answer = 0;
    while ((answer = secure.completeHandshake()) != 1) {
      if (answer == 0) return unavailable(request, "no TLS handshake with", "the server closed the connection");
      const bool reads = answer == poco::SecureStreamSocket::ERR_SSL_WANT_READ;
      CG_CHECK(wait(socket, reads ? poco::Socket::SELECT_READ : poco::Socket::SELECT_WRITE, request, request.timeout));
    }
    secure.verifyPeerCertificate(host);
    return secure;
  } catch (const poco::SSLConnectionUnexpectedlyClosedException& problem) {
    return unavailable(request, "no TLS handshake with", problem.displayText());
  } catch (const poco::SSLException& problem) {
    return untrusted(request, problem.displayText());
  }
}

/// Bytes sent, or a negative answer when the socket must be waited for (Poco 1.11 throws for a full socket buffer).
int send_some(poco::StreamSocket& socket, std::string_view bytes) {
  try {
    return socket.sendBytes(bytes.data(), static_cast<int>(bytes.size()));
  } catch (const Poco::IOException& problem) {
    if (problem.code() == EAGAIN || problem.code() == EWOULDBLOCK) return -1;
    throw;
  }
}

}  // namespace

struct Connection::Sockets {
  poco::StreamSocket plain;
  std::optional<poco::SecureStreamSocket> secure;
  poco::StreamSocket& top() { return secure ? *secure : plain; }
  /// What a negative answer of the socket waits for.
  int wanted(int answer, int usual) const {
    if (!secure) return usual;
    return answer == poco::SecureStreamSocket::ERR_SSL_WANT_WRITE ? poco::Socket::SELECT_WRITE
                                                                  : poco::Socket::SELECT_READ;
  }
};

Connection::Connection(std::unique_ptr<Sockets> sockets) : sockets_(std::move(sockets)) {}
Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::open(const Request& request) {
  try {
    auto sockets = std::make_unique<Sockets>();
    CG_TRY(sockets->plain, request.unix_socket.empty() ? connect_tcp(request) : connect_unix(request));
    if (request.unix_socket.empty() && request.url.scheme == "https") {
      CG_TRY(sockets->secure, start_tls(sockets->plain, request));
    }
    return std::unique_ptr<Connection>(new Connection(std::move(sockets)));
  } catch (const Poco::Exception& problem) {
    return unavailable(request, "cannot connect to", problem.displayText());
  }
}

Result<void> Connection::send(std::string_view bytes, const Request& request) {
  constexpr std::size_t kBlock = 1u << 20;
  try {
    while (!bytes.empty()) {
      const int sent = send_some(sockets_->top(), bytes.substr(0, kBlock));
      if (sent > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(sent));
        continue;
      }
      const int mode = sockets_->wanted(sent, poco::Socket::SELECT_WRITE);
      CG_CHECK(wait(sockets_->plain, mode, request, request.timeout));
    }
    return {};
  } catch (const Poco::Exception& problem) {
    return unavailable(request, "cannot send to", problem.displayText());
  }
}

Result<std::size_t> Connection::receive(std::string& buffer, const Request& request) {
  try {
    while (true) {
      if (!request.ignore_cancellation) CG_CHECK(sys::check_cancelled());
      const int received = sockets_->top().receiveBytes(buffer.data(), static_cast<int>(buffer.size()));
      if (received >= 0) return static_cast<std::size_t>(received);
      const int mode = sockets_->wanted(received, poco::Socket::SELECT_READ);
      CG_CHECK(wait(sockets_->plain, mode, request, request.timeout));
    }
  } catch (const Poco::Exception& problem) {
    return unavailable(request, "the connection broke to", problem.displayText());
  }
}

bool Connection::is_usable() {
  try {
    return !sockets_->plain.poll(Poco::Timespan(0), poco::Socket::SELECT_READ | poco::Socket::SELECT_ERROR);
  } catch (const Poco::Exception&) {
    return false;
  }
}

Error for_request(Error error, const Request& request, int status) {
  if (!error.http) error.http = HttpFailure{.method = request.method, .url = request.url.redacted(), .status = status};
  return error;
}

}  // namespace crategate::net
