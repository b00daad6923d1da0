// HTTP as a seam. Redirects, credentials and retries are the caller's business; nothing is followed or decoded here.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace crategate::net {

struct Response;

using Headers = std::vector<std::pair<std::string, std::string>>;

/// An absolute http(s) URL, parsed and checked (no user info, no control characters).
struct Url {
  std::string scheme, host;  ///< lower case; an IPv6 address keeps its brackets
  std::uint16_t port = 0;
  std::string target;  ///< path and query, begins with '/'
  /// The fragment is dropped.
  /// Errors: bad_input.
  static Result<Url> parse(std::string_view text);
  std::string origin() const;  ///< scheme://host:port
  std::string text() const;
  std::string redacted() const;  ///< without query
};

/// Resolves a Location header against the URL that answered (RFC 3986 §5.2).
///
/// Narrower than the RFC: `//host`, a backslash, another scheme than http(s) and a downgrade from https to http are
/// refused, so that what a client compares as "same origin" is what it then connects to.
/// Errors: integrity.
Result<Url> resolve(const Url& base, std::string_view location);
std::string url_encode(std::string_view text);  ///< RFC 3986 unreserved stay

/// Yields the next bytes of a body; empty = end.
using BodySource = std::function<Result<std::string>()>;
/// Takes bytes as they arrive; an error aborts the transfer.
using BodySink = std::function<Result<void>(std::string_view)>;

struct Request {
  std::string method = "GET";
  Url url;
  std::string unix_socket;  ///< path; then host and port of `url` are only for the Host header
  Headers headers;
  std::string body;
  BodySource source;  ///< instead of `body`
  std::uint64_t source_length = 0;
  std::chrono::milliseconds timeout{30000};  ///< silence allowed while connecting, sending or receiving; 0 = any
  /// Ends every wait of the whole request.
  std::optional<std::chrono::steady_clock::time_point> deadline;
  /// While a body or an answer is on its way: bytes per second on average over `rate_window` of waiting (B10).
  /// 0 = any; not asked of a unix socket or a request without `timeout`.
  std::uint64_t minimum_rate = 1024;
  std::chrono::milliseconds rate_window{60000};
  /// Refuses addresses that are not on the public internet, after names are resolved (A40). A proxy resolves names
  /// itself: then only an address that stands in the URL is looked at.
  bool public_address_only = false;
  /// Of a response without sink; more is an integrity error. The body of an error answer is cut there instead.
  std::size_t body_limit = 4u << 20;
  /// For bodies of 2xx and for what follows 101 (raw, until the server closes); others go to `Response::body`.
  BodySink sink;
  /// Sees status and headers before the first byte of the body; an error aborts the transfer.
  std::function<Result<void>(const Response&)> on_head;
  bool ignore_cancellation = false;  ///< for cleaning up after the invocation was cancelled
};

struct Response {
  int status = 0;
  Headers headers;
  std::string body;
  bool from_public = true;  ///< whoever was connected to, server or proxy, has an address of the public internet
  /// First value, name compared without case; empty = none.
  std::string header(std::string_view name) const;
};

class HttpClient {
 public:
  virtual ~HttpClient() = default;
  /// Effects: network.
  /// Errors: unavailable (no answer, reset, time-out, too slow), integrity (short or too large body, an answer that is
  /// not HTTP, a certificate that is not valid for the host, an address that is not public), interrupted or terminated,
  /// bad_input (certificate files), unauthenticated or forbidden (by a proxy), internal (a header with control
  /// characters), and whatever `source`, `on_head` and `sink` answer.
  virtual Result<Response> send(const Request& request) = 0;
};

struct TransportOptions;  // transport.h
struct TransportCounts;

/// Keep-alive per origin, TLS 1.2+ with the system's certificates (SSL_CERT_FILE/SSL_CERT_DIR honoured). Thread-safe.
class PosixHttpClient final : public HttpClient {
 public:
  PosixHttpClient();
  explicit PosixHttpClient(TransportOptions options);  ///< nothing is read or connected before the first request
  ~PosixHttpClient() override;
  Result<Response> send(const Request& request) override;
  TransportCounts counts() const;

 private:
  struct Transport;
  std::unique_ptr<Transport> transport_;
};

}  // namespace crategate::net
