// HTTP/1.1 messages as bytes (RFC 9112): the head we send, the head we read, and where a body ends.
// Belongs here: grammar and framing, without I/O.  Not here: sockets (connection) and pooling (posix_http_client).
#pragma once

#include "net/http.h"

namespace crategate::net {

/// Of a `token` (RFC 9110 §5.6.2): names of methods, headers and parameters.
bool is_token_character(char c);

inline constexpr std::size_t kHeadLimit = 64u << 10;

/// Request line and headers with the empty line. Host, User-Agent, Accept-Encoding, Connection and Content-Length are
/// added where the caller gave none.
/// `proxied`: to a proxy that passes it on; the whole URL is the target then, and `hop` are headers for the proxy.
/// Errors: internal for control characters in method, target or headers.
Result<std::string> encode_head(const Request& request, bool proxied = false, const Headers& hop = {});

struct Head {
  int status = 0;
  Headers headers;
  bool keep_alive = false;  ///< by version and Connection header
};

/// `text`: from the status line to the empty line, both included.
/// Errors: integrity.
Result<Head> parse_head(std::string_view text);

/// Where a response's body ends (RFC 9112 §6.3).
enum class Framing : unsigned char { none, length, chunked, until_close };
struct BodyShape {
  Framing framing = Framing::none;
  std::uint64_t length = 0;
};
/// Errors: integrity for two different lengths, a length that is no number, a coding other than chunked, or both.
Result<BodyShape> body_shape(std::string_view method, const Head& head);

/// Takes the bytes of a chunked body as they come and hands on the data (RFC 9112 §7.1).
class ChunkedDecoder {
 public:
  /// Bytes consumed; fewer than given only when the body has ended.
  /// Errors: integrity, and what `sink` answers.
  Result<std::size_t> feed(std::string_view bytes, const BodySink& sink);
  bool finished() const { return state_ == State::finished; }

 private:
  enum class State : unsigned char { size, data, data_end, trailer, finished };
  Result<void> end_line(std::string_view line);
  State state_ = State::size;
  std::uint64_t left_ = 0;
  std::string line_;
  std::size_t trailers_ = 0;
};

}  // namespace crategate::net
