// HTTP/1.1 as bytes.
#include "net/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace crategate::net {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Request get(const std::string& url) { return {.url = Url::parse(url).value()}; }

TEST(EncodeHead, NamesHostAndLength) {
  Request request = get("http://localhost:5000/v2/?n=1");
  EXPECT_THAT(encode_head(request).value(),
              StartsWith("GET /v2/?n=1 HTTP/1.1\r\nHost: localhost:5000\r\nUser-Agent: crategate/"));
  EXPECT_THAT(encode_head(request).value(), ::testing::Not(HasSubstr("Content-Length")));
  request.method = "POST";
  EXPECT_THAT(encode_head(request).value(), HasSubstr("\r\nContent-Length: 0\r\n"));
  request.body = "four";
  request.headers = {{"X-A", "1"}, {"host", "other"}};
  EXPECT_THAT(encode_head(request).value(), HasSubstr("\r\nContent-Length: 4\r\n"));
  EXPECT_THAT(encode_head(request).value(), ::testing::Not(HasSubstr("localhost")));
  EXPECT_THAT(encode_head(get("https://ghcr.io/")).value(), HasSubstr("\r\nHost: ghcr.io\r\n"));
}

TEST(EncodeHead, RefusesToSmuggle) {
  const auto with = [](auto change) {
    Request request = get("http://h/");
    change(request);
    return encode_head(request);
  };
  EXPECT_FALSE(with([](Request& r) { r.headers = {{"X", "a\r\nY: b"}}; }));
  EXPECT_FALSE(with([](Request& r) { r.headers = {{"X", std::string("a\0", 2)}}; }));
  EXPECT_FALSE(with([](Request& r) { r.headers = {{"X: y\r\nZ", "a"}}; }));
  EXPECT_FALSE(with([](Request& r) { r.headers = {{"", "a"}}; }));
  EXPECT_FALSE(with([](Request& r) { r.method = "GET / HTTP/1.1\r\n"; }));
  EXPECT_FALSE(with([](Request& r) { r.url.target = "/a b"; }));
  EXPECT_FALSE(with([](Request& r) { r.url.target = ""; }));
}

TEST(ParseHead, ReadsStatusAndHeaders) {
  const Head head = parse_head("HTTP/1.1 404 Not Found\r\nContent-Type:text/plain \r\nX: \r\n\r\n").value();
  EXPECT_EQ(head.status, 404);
  EXPECT_EQ(head.headers, (Headers{{"Content-Type", "text/plain"}, {"X", ""}}));
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(parse_head("HTTP/1.1 200\r\n\r\n").value().status, 200);
  EXPECT_EQ(parse_head("HTTP/1.1 200 \n\n").value().status, 200);
  EXPECT_FALSE(parse_head("HTTP/1.0 200 OK\r\n\r\n").value().keep_alive);
  EXPECT_FALSE(parse_head("HTTP/1.1 200 OK\r\nConnection: x, Close\r\n\r\n").value().keep_alive);
}

TEST(ParseHead, RefusesWhatIsNotHttp) {
  const std::string rows[] = {
      "\r\n\r\n",
      "HTTP/1.1\r\n\r\n",
      "HTTP/1.1 20 OK\r\n\r\n",
      "HTTP/1.1 2000 OK\r\n\r\n",
      "HTTP/1.1 099 OK\r\n\r\n",
      "HTTP/1.1 -20 OK\r\n\r\n",
      "HTTP/2 200\r\n\r\n",
      "SSH-2.0-OpenSSH_9.2\r\n\r\n",
      "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
      "HTTP/1.1 200 OK\r\n folded: x\r\n\r\n",
      "HTTP/1.1 200 OK\r\nA : x\r\n\r\n",
      "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
      std::string("HTTP/1.1 200 OK\r\nA: \0\r\n\r\n", 26),
      "HTTP/1.1 200 OK\r\nA: x\ry\r\n\r\n",
  };
  for (const std::string& row : rows) {
    const auto head = parse_head(row);
    ASSERT_FALSE(head) << row;
    EXPECT_EQ(head.error().code, ErrorCode::integrity) << row;
  }
}

TEST(BodyShape, FollowsTheRulesOfTheProtocol) {
  const auto framing = [](std::string_view method, int status, Headers headers) {
    return body_shape(method, Head{.status = status, .headers = std::move(headers)}).value().framing;
  };
  EXPECT_EQ(framing("GET", 200, {{"content-length", "5"}}), Framing::length);
  EXPECT_EQ(framing("GET", 200, {{"Content-Length", "5"}, {"Content-Length", "5"}}), Framing::length);
  EXPECT_EQ(framing("GET", 200, {{"Transfer-Encoding", "Chunked"}}), Framing::chunked);
  EXPECT_EQ(framing("GET", 200, {}), Framing::until_close);
  EXPECT_EQ(framing("HEAD", 200, {{"Content-Length", "5"}}), Framing::none);
  EXPECT_EQ(framing("GET", 204, {}), Framing::none);
  EXPECT_EQ(framing("GET", 304, {{"Content-Length", "5"}}), Framing::none);
  EXPECT_EQ(framing("POST", 101, {}), Framing::until_close);
}

TEST(BodyShape, RefusesContradictions) {
  const Headers rows[] = {
      {{"Content-Length", "5"}, {"Content-Length", "6"}},
      {{"Content-Length", "5, 6"}},
      {{"Content-Length", "-5"}},
      {{"Content-Length", "+5"}},
      {{"Content-Length", "0x5"}},
      {{"Content-Length", ""}},
      {{"Content-Length", "99999999999999999999"}},
      {{"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}},
      {{"Transfer-Encoding", "gzip, chunked"}},
      {{"Transfer-Encoding", "identity"}},
  };
  for (const Headers& row : rows) {
    const auto shape = body_shape("GET", Head{.status = 200, .headers = row});
    ASSERT_FALSE(shape) << row.front().second;
    EXPECT_EQ(shape.error().code, ErrorCode::integrity);
  }
}

struct Decoded {
  std::string data, rest, error;
  bool finished = false;
};

Decoded decode(const std::string& bytes, std::size_t piece) {
  ChunkedDecoder decoder;
  Decoded decoded;
  const BodySink sink = [&decoded](std::string_view data) {
    decoded.data += data;
    return Result<void>{};
  };
  for (std::size_t i = 0; i < bytes.size() && !decoder.finished(); i += piece) {
    const std::string_view given = std::string_view(bytes).substr(i, piece);
    const auto used = decoder.feed(given, sink);
    if (!used) return {.data = decoded.data, .error = used.error().message};
    decoded.rest = given.substr(*used);
  }
  decoded.finished = decoder.finished();
  return decoded;
}

TEST(ChunkedDecoder, GivesTheSameForEveryTearing) {
  const std::string bytes = "4\r\nWiki\r\nA;name=value\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    const Decoded decoded = decode(bytes, piece);
    EXPECT_EQ(decoded.data, "Wiki0123456789") << piece;
    EXPECT_TRUE(decoded.finished) << piece;
  }
  EXPECT_EQ(decode("0\r\n\r\nHTTP/1.1 200", 100).rest, "HTTP/1.1 200");
}

TEST(ChunkedDecoder, IsNotFinishedWithoutTheLastChunk) {
  for (const char* bytes : {"4\r\nWiki\r\n", "4\r\nWi", "4\r\nWiki\r\n0\r\n", "", "4"})
    EXPECT_FALSE(decode(bytes, 100).finished) << bytes;
}

TEST(ChunkedDecoder, RefusesMalformedChunks) {
  const std::string rows[] = {"x\r\n",
                              "\r\n",
                              "-1\r\n",
                              "4\r\nWikix\r\n",
                              "10000000000000000\r\n",
                              "ffffffffffffffffff\r\n",
                              ";x\r\n",
                              "0\r\n" + std::string(5000, 'a'),
                              std::string(5000, '0')};
  for (const std::string& row : rows) EXPECT_FALSE(decode(row, 7).error.empty()) << row;
}

}  // namespace
}  // namespace crategate::net
