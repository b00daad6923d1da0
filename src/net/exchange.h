// One request and its response on a connection.
// Belongs here: the order of writing and reading.  Not here: which connection (posix_http_client).
#pragma once

#include "net/connection.h"
#include "net/message.h"

namespace crategate::net {

class Exchange {
 public:
  Exchange(Connection& connection, Patience& patience)
      : connection_(connection), patience_(patience), request_(patience.request()) {}
  /// `head`: what `encode_head` made of the request.
  Result<Response> run(std::string head);
  /// After a failure: the server has answered nothing and the request can be sent once more.
  bool may_repeat() const;
  /// After a success: the connection is at the start of the next message.
  bool reusable() const { return reusable_; }
  /// More came than the answer.
  bool has_surplus() const { return !pending_.empty(); }

 private:
  Result<void> send_request(std::string head);
  Result<void> send_source();
  Result<Head> read_head();
  Result<Head> read_final_head();
  Result<void> read_body(const Head& head, Response& response);
  Result<void> read_until_length(std::uint64_t length, const BodySink& sink);
  Result<void> read_chunks(const BodySink& sink);
  Result<void> read_until_close(const BodySink& sink);
  BodySink collector(Response& response);
  Failure too_short(std::string_view what);
  /// Appends what the server sends to `pending_`; false = it closed.
  Result<bool> fill();

  Connection& connection_;
  Patience& patience_;
  const Request& request_;
  std::string pending_, block_ = std::string(64u << 10, '\0');
  bool source_used_ = false, answered_ = false, reusable_ = false, cut_ = false, too_short_ = false;
};

}  // namespace crategate::net
