// Writing a request and reading its response with bounded memory.
#include "net/exchange.h"

#include <algorithm>

#include "base/strings.h"
#include "net/request_error.h"

namespace crategate::net {
namespace {

/// One past the empty line that ends a head; npos = not complete.
std::size_t head_end(std::string_view text) {
  for (std::size_t line = text.find('\n'); line != std::string_view::npos; line = text.find('\n', line + 1)) {
    if (text.substr(line + 1, 1) == "\n") return line + 2;
    if (text.substr(line + 1, 2) == "\r\n") return line + 3;
  }
  return std::string_view::npos;
}

bool is_success(int status) { return status == 101 || (status >= 200 && status < 300); }

Failure broken(ErrorCode code, std::string message) {
  return fail(code, std::move(message), "try again; if it stays, look at the server's log");
}

}  // namespace

bool Exchange::may_repeat() const {
  // What may have changed something is repeated by those who know how to look first.
  const bool safe = request_.method == "GET" || request_.method == "HEAD" || request_.method == "OPTIONS";
  return safe && !answered_ && !source_used_ && !patience_.exhausted();
}

Result<bool> Exchange::fill() {
  CG_TRY(const std::size_t count, connection_.receive(block_, patience_));
  if (count > 0) {
    answered_ = true;
    patience_.begin_flow();
  }
  pending_.append(block_, 0, count);
  return count > 0;
}

Result<void> Exchange::send_source() {
  std::uint64_t sent = 0;
  source_used_ = true;
  CG_TRY(std::string bytes, request_.source());
  while (!bytes.empty()) {
    // The next piece first: a body that is too long must not reach the server as a complete one.
    CG_TRY(std::string next, request_.source());
    sent += bytes.size();
    if (sent + next.size() > request_.source_length) break;
    CG_CHECK(connection_.send(bytes, patience_));
    bytes = std::move(next);
  }
  if (bytes.empty() && sent == request_.source_length) return {};
  return fail(ErrorCode::internal,
              concat("a request body has another length than the ", request_.source_length,
                     " bytes that were announced: ", bytes.empty() ? "it ends after " : "it goes on after ", sent));
}

Result<void> Exchange::send_request(std::string head) {
  if (!request_.source) head += request_.body;
  patience_.begin_flow();
  CG_CHECK(connection_.send(head, patience_));
  if (request_.source) CG_CHECK(send_source());
  patience_.end_flow();
  return {};
}

Result<Head> Exchange::read_head() {
  while (true) {
    const std::size_t end = head_end(pending_);
    if (end != std::string::npos) {
      const std::string text = pending_.substr(0, end);
      pending_.erase(0, end);
      return parse_head(text);
    }
    if (pending_.size() > kHeadLimit)
      return broken(ErrorCode::integrity, concat("the head of the answer is larger than ", format_bytes(kHeadLimit)));
    CG_TRY(const bool more, fill());
    if (!more)
      return broken(ErrorCode::unavailable,
                    concat("the server closed the connection ", answered_ ? "within" : "before", " its answer"));
  }
}

/// Interim answers (100, 103) are passed over.
Result<Head> Exchange::read_final_head() {
  constexpr int kInterim = 16;
  for (int i = 0; i < kInterim; ++i) {
    CG_TRY(Head head, read_head());
    if (head.status >= 200 || head.status == 101) return head;
    patience_.end_flow();  // the server works on it
  }
  return broken(ErrorCode::integrity, "the server sends interim answers without end");
}

BodySink Exchange::collector(Response& response) {
  if (is_success(response.status) && request_.sink) return request_.sink;
  return [this, &response](std::string_view bytes) -> Result<void> {
    const std::size_t room = request_.body_limit - response.body.size();
    response.body += bytes.substr(0, room);
    if (bytes.size() <= room) return {};
    cut_ = true;
    return broken(ErrorCode::integrity, concat("the answer is larger than ", format_bytes(request_.body_limit)));
  };
}

Failure Exchange::too_short(std::string_view what) {
  too_short_ = true;
  return broken(ErrorCode::integrity, concat("the answer is too short: ", what));
}

Result<void> Exchange::read_until_length(std::uint64_t length, const BodySink& sink) {
  std::uint64_t left = length;
  while (true) {
    const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(left, pending_.size()));
    if (taken > 0) CG_CHECK(sink(std::string_view(pending_).substr(0, taken)));
    pending_.erase(0, taken);
    left -= taken;
    if (left == 0) return {};
    CG_TRY(const bool more, fill());
    if (!more) return too_short(concat("expected ", length, " bytes, found ", length - left));
  }
}

Result<void> Exchange::read_chunks(const BodySink& sink) {
  ChunkedDecoder decoder;
  while (true) {
    CG_TRY(const std::size_t used, decoder.feed(pending_, sink));
    pending_.erase(0, used);
    if (decoder.finished()) return {};
    CG_TRY(const bool more, fill());
    if (!more) return too_short("its last chunk is missing");
  }
}

Result<void> Exchange::read_until_close(const BodySink& sink) {
  while (true) {
    if (!pending_.empty()) CG_CHECK(sink(pending_));
    pending_.clear();
    CG_TRY(const bool more, fill());
    if (!more) return {};
  }
}

Result<void> Exchange::read_body(const Head& head, Response& response) {
  CG_TRY(const BodyShape shape, body_shape(request_.method, head));
  const BodySink sink = collector(response);
  switch (shape.framing) {
    case Framing::none:
      break;
    case Framing::length:
      CG_CHECK(read_until_length(shape.length, sink));
      break;
    case Framing::chunked:
      CG_CHECK(read_chunks(sink));
      break;
    case Framing::until_close:
      CG_CHECK(read_until_close(sink));
      break;
  }
  reusable_ = head.keep_alive && shape.framing != Framing::until_close && pending_.empty();
  return {};
}

Result<Response> Exchange::run(std::string head_text) {
  patience_.end_flow();
  const auto sent = send_request(std::move(head_text));
  if (!sent && (sent.error().code != ErrorCode::unavailable || patience_.exhausted())) return fail(sent.error());
  // A server that refuses a body answers and closes while we still send: its answer is worth more than the reset.
  patience_.end_flow();
  auto head = read_final_head();
  if (!head) return fail(for_request(sent ? std::move(head).error() : sent.error(), request_, 0));
  Response response{.status = head->status, .headers = head->headers, .from_public = connection_.is_public()};
  if (request_.on_head) CG_CHECK(request_.on_head(response));
  const auto read = read_body(*head, response);
  if (!read && (!cut_ || is_success(response.status))) {
    Error error = for_request(read.error(), request_, response.status);
    if (too_short_) error.http->code = kCutShort;
    return fail(std::move(error));
  }
  reusable_ = reusable_ && sent && read;
  return response;
}

}  // namespace crategate::net
