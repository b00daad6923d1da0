// URLs and what a Location header may lead to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/http.h"

namespace crategate::net {
namespace {

TEST(Url, IsTakenApart) {
  struct Row {
    std::string text, scheme, host;
    int port;
    std::string target, again;
  };
  const Row rows[] = {
      {"https://ghcr.io/v2/", "https", "ghcr.io", 443, "/v2/", "https://ghcr.io/v2/"},
      {"HTTP://Localhost:5000", "http", "localhost", 5000, "/", "http://localhost:5000/"},
      {"http://[::1]:5000/a?b=c%2F#d", "http", "[::1]", 5000, "/a?b=c%2F", "http://[::1]:5000/a?b=c%2F"},
      {"https://h?q=1", "https", "h", 443, "/?q=1", "https://h/?q=1"},
      {"https://h:443/x", "https", "h", 443, "/x", "https://h/x"},
      {"http://my_registry.local/", "http", "my_registry.local", 80, "/", "http://my_registry.local/"},
  };
  for (const Row& row : rows) {
    const auto url = Url::parse(row.text);
    ASSERT_TRUE(url) << row.text << ": " << url.error().message;
    EXPECT_EQ(url->scheme, row.scheme);
    EXPECT_EQ(url->host, row.host);
    EXPECT_EQ(url->port, row.port);
    EXPECT_EQ(url->target, row.target);
    EXPECT_EQ(url->text(), row.again);
  }
}

TEST(Url, KeepsQueriesOutOfMessages) {
  const Url url = Url::parse("https://blob.example/x?sig=secret").value();
  EXPECT_EQ(url.redacted(), "https://blob.example/x");
  EXPECT_EQ(url.origin(), "https://blob.example:443");
}

TEST(Url, RefusesWhatCouldMeanAnotherServer) {
  const std::string rows[] = {
      "",
      "ghcr.io/v2/",
      "ftp://h/",
      "javascript:alert(1)",
      "https://",
      "https:///path",
      "https://user:hunter2@h/",
      "https://user@h/",
      "https://h@evil/",
      "https://h%2Fevil/",
      "https://h\\evil/",
      "https://h/a\\b",
      "https://h:0/",
      "https://h:65536/",
      "https://h:/",
      "https://h:80x/",
      "https://h:-1/",
      "https://h /",
      "https://h/a b",
      "https://h/\r\nX: y",
      "https://h/\x01",
      "https://h/\xc3\xa9",
      "https://\xef\xbd\x88/",
      "https://-h/",
      "https://.h/",
      "https://a..b/",
      "https://[::1/",
      "https://[]/",
      "https://[::1]x/",
      "https://[g::1]/",
      "https://" + std::string(300, 'a') + "/",
      "https://h/" + std::string(20000, 'a'),
      std::string("https://h/\0x", 12),
  };
  for (const std::string& row : rows) {
    const auto url = Url::parse(row);
    ASSERT_FALSE(url) << row;
    EXPECT_EQ(url.error().code, ErrorCode::bad_input) << row;
    EXPECT_THAT(url.error().message, ::testing::Not(::testing::HasSubstr("hunter2")));
  }
}

TEST(Location, IsResolvedAgainstWhatAnswered) {
  const Url base = Url::parse("https://r.example:8443/v2/a/blobs/uploads/1?state=x").value();
  const std::pair<std::string, std::string> rows[] = {
      {"/v2/x?y", "https://r.example:8443/v2/x?y"},
      {"2", "https://r.example:8443/v2/a/blobs/uploads/2"},
      {"../up/", "https://r.example:8443/v2/a/blobs/up/"},
      {"../../../../../../x", "https://r.example:8443/x"},
      {"/a/./b/../c/.", "https://r.example:8443/a/c/"},
      {"?state=y", "https://r.example:8443/v2/a/blobs/uploads/1?state=y"},
      {"#top", "https://r.example:8443/v2/a/blobs/uploads/1?state=x"},
      {"/v2/a%2Fb?c=../d", "https://r.example:8443/v2/a%2Fb?c=../d"},
      {"https://cdn.example/b", "https://cdn.example/b"},
      {"https://r.example:8443/z", "https://r.example:8443/z"},
  };
  for (const auto& [location, expected] : rows) {
    const auto url = resolve(base, location);
    ASSERT_TRUE(url) << location << ": " << url.error().message;
    EXPECT_EQ(url->text(), expected) << location;
  }
}

TEST(Location, A43IsRefusedWhenItCouldMeanAnotherServer) {
  const Url base = Url::parse("https://r.example/v2/").value();
  const std::string rows[] = {
      "",
      "//evil/x",
      "\\\\evil\\x",
      "/\\evil",
      "https:\\\\evil",
      "http://r.example/v2/",
      "ftp://evil",
      "javascript:x",
      "file:///etc",
      "https:evil",
      "https://a@evil/",
      "https://evil%2F.r.example/",
      "/x\r\nY: z",
      "/x y",
      "https://h:99999/",
      "data:,x",
      "https://h\r\nHost:x",
      "http:////evil",
  };
  for (const std::string& row : rows) {
    const auto url = resolve(base, row);
    ASSERT_FALSE(url) << row << " became " << url->text();
    EXPECT_EQ(url.error().code, ErrorCode::integrity) << row;
  }
  EXPECT_TRUE(resolve(Url::parse("http://localhost:5000/").value(), "http://localhost:5000/x"));
  EXPECT_TRUE(resolve(Url::parse("http://localhost:5000/").value(), "https://localhost/x"));
}

TEST(UrlEncode, KeepsUnreservedCharactersOnly) {
  EXPECT_EQ(url_encode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(url_encode("repository:a/b:pull push&x=\xff"), "repository%3Aa%2Fb%3Apull%20push%26x%3D%FF");
}

}  // namespace
}  // namespace crategate::net
