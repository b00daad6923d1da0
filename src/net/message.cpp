// Heads and framing.
#include "net/message.h"

#include <algorithm>

#include "base/product.h"
#include "base/strings.h"

namespace crategate::net {
namespace {

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

bool is_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c == '\t' || (c != '\x7f' && (c < 0 || c >= ' ')); });
}

Failure malformed(std::string_view why, std::string_view found = {}) {
  return fail(
      ErrorCode::integrity,
      concat("the answer is not HTTP/1.1: ", why, found.empty() ? "" : ", found ", found.empty() ? "" : quoted(found)),
      "check that the address and port are those of the server, and that no proxy answers instead");
}

bool given(const Headers& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const auto& h) { return to_lower(h.first) == to_lower(name); });
}

/// The comma-separated elements of all headers of that name, lower case.
std::vector<std::string> elements(const Headers& headers, std::string_view name) {
  std::vector<std::string> found;
  for (const auto& [key, value] : headers) {
    if (to_lower(key) != name) continue;
    for (const std::string& element : split(value, ',')) found.push_back(to_lower(trim(element)));
  }
  return found;
}

bool contains(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool announces_length(const Request& request) {
  const bool writes = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  return (writes || request.source || !request.body.empty()) && !given(request.headers, "Content-Length");
}

std::string host_header(const Url& url) {
  const bool usual = url.port == (url.scheme == "https" ? 443 : 80);
  return usual ? url.host : concat(url.host, ":", url.port);
}

Result<std::string> next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return malformed("a line does not end");
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (!is_value(line)) return malformed("a control character in its head", line);
  return std::string(line);
}

Result<std::uint64_t> parse_chunk_size(std::string_view line) {
  const std::string_view digits = trim(line.substr(0, line.find(';')));
  std::uint64_t size = 0;
  for (const char c : digits) {
    const std::size_t digit =
        std::string_view("0123456789abcdef").find(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c);
    if (digit == std::string_view::npos || (size >> 60) != 0) return malformed("a chunk without a size", line);
    size = size * 16 + digit;
  }
  if (digits.empty()) return malformed("a chunk without a size", line);
  return size;
}

}  // namespace

bool is_token_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

Result<std::string> encode_head(const Request& request, bool proxied, const Headers& hop) {
  std::string head = concat(request.method, " ", proxied ? request.url.text() : request.url.target, " HTTP/1.1\r\n");
  Headers headers = request.headers;
  headers.insert(headers.end(), hop.begin(), hop.end());
  const auto add = [&headers](std::string name, std::string value) {
    if (!given(headers, name)) headers.emplace_back(std::move(name), std::move(value));
  };
  add("Host", host_header(request.url));
  add("User-Agent", concat("crategate/", product_version()));
  add("Accept-Encoding", "identity");
  if (!request.unix_socket.empty()) add("Connection", "close");
  if (announces_length(request))
    add("Content-Length", std::to_string(request.source ? request.source_length : request.body.size()));
  const bool target_good =
      !request.url.target.empty() &&
      std::all_of(request.url.target.begin(), request.url.target.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (!is_token(request.method) || !target_good)
    return fail(ErrorCode::internal,
                concat("cannot send the request ", quoted(request.method), " ", quoted(request.url.redacted())));
  for (const auto& [name, value] : headers) {
    if (!is_token(name) || !is_value(value))
      return fail(ErrorCode::internal, concat("cannot send the header ", quoted(name)));
    head += concat(name, ": ", value, "\r\n");
  }
  return head + "\r\n";
}

Result<Head> parse_head(std::string_view text) {
  CG_TRY(const std::string status_line, next_line(text));
  Head head;
  const bool http_1_1 = status_line.starts_with("HTTP/1.1 ");
  const auto status =
      parse_unsigned(std::string_view(status_line).substr(0, 12).substr(std::min<std::size_t>(9, status_line.size())));
  if ((!http_1_1 && !status_line.starts_with("HTTP/1.0 ")) || !status || *status < 100 || *status > 599 ||
      (status_line.size() > 12 && status_line[12] != ' '))
    return malformed("its first line", status_line);
  head.status = static_cast<int>(*status);
  while (true) {
    CG_TRY(const std::string line, next_line(text));
    if (line.empty()) break;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || !is_token(std::string_view(line).substr(0, colon)))
      return malformed("a header", line);
    head.headers.emplace_back(line.substr(0, colon), trim(std::string_view(line).substr(colon + 1)));
  }
  const auto connection = elements(head.headers, "connection");
  head.keep_alive = http_1_1 ? !contains(connection, "close") : contains(connection, "keep-alive");
  return head;
}

Result<BodyShape> body_shape(std::string_view method, const Head& head) {
  if (head.status == 101) return BodyShape{Framing::until_close};
  if (method == "CONNECT" && head.status < 300) return BodyShape{};
  if (method == "HEAD" || head.status < 200 || head.status == 204 || head.status == 304) return BodyShape{};
  const auto codings = elements(head.headers, "transfer-encoding");
  const auto lengths = elements(head.headers, "content-length");
  if (!codings.empty()) {
    if (codings.size() != 1 || codings[0] != "chunked")
      return malformed("the transfer coding, expected chunked", join(codings, ","));
    if (!lengths.empty()) return malformed("both a length and chunks");
    return BodyShape{Framing::chunked};
  }
  if (lengths.empty()) return BodyShape{Framing::until_close};
  const auto length = parse_unsigned(lengths[0]);
  if (!length || std::any_of(lengths.begin(), lengths.end(), [&](const auto& other) { return other != lengths[0]; }))
    return malformed("its Content-Length", join(lengths, ", "));
  return BodyShape{Framing::length, *length};
}

Result<void> ChunkedDecoder::end_line(std::string_view line) {
  if (state_ == State::size) {
    CG_TRY(left_, parse_chunk_size(line));
    state_ = left_ == 0 ? State::trailer : State::data;
  } else if (state_ == State::data_end) {
    if (!line.empty()) return malformed("a chunk is longer than its size");
    state_ = State::size;
  } else if (line.empty()) {
    state_ = State::finished;
  } else {
    trailers_ += line.size();
    if (trailers_ > kHeadLimit) return malformed("its trailers are too large");
  }
  return {};
}

Result<std::size_t> ChunkedDecoder::feed(std::string_view bytes, const BodySink& sink) {
  constexpr std::size_t kLineLimit = 4096;
  std::size_t used = 0;
  while (used < bytes.size() && !finished()) {
    const std::string_view rest = bytes.substr(used);
    if (state_ == State::data) {
      const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, rest.size()));
      CG_CHECK(sink(rest.substr(0, taken)));
      left_ -= taken;
      used += taken;
      if (left_ == 0) state_ = State::data_end;
      continue;
    }
    const std::size_t end = rest.find('\n');
    line_ += rest.substr(0, end);
    if (line_.size() > kLineLimit) return malformed("a chunk size or trailer is too long");
    if (end == std::string_view::npos) return bytes.size();
    used += end + 1;
    if (line_.ends_with('\r')) line_.pop_back();
    CG_CHECK(end_line(std::exchange(line_, {})));
  }
  return used;
}

}  // namespace crategate::net
