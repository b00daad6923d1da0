// A credential and the one place where it may go: threats A41, A42.
#include "registry/authorization.h"

#include <gtest/gtest.h>

namespace crategate::registry {
namespace {

net::Url url(const std::string& text) { return net::Url::parse(text).value(); }

TEST(Authorization, IsTextForItsOwnOrigin) {
  const auto basic = Authorization::basic({"https://ghcr.io:443"}, "me", Secret("pass-word"));
  EXPECT_EQ(basic.header_for(url("https://ghcr.io/v2/")), "Basic bWU6cGFzcy13b3Jk");
  EXPECT_EQ(basic.header_for(url("https://GHCR.io:443/other?query")), "Basic bWU6cGFzcy13b3Jk");
  EXPECT_EQ(Authorization::bearer({"https://ghcr.io:443"}, Secret("some-token")).header_for(url("https://ghcr.io/")),
            "Bearer some-token");
}

TEST(Authorization, A41A42IsNothingForAnyOther) {
  const auto basic = Authorization::basic({"https://ghcr.io:443"}, "me", Secret("pass-word"));
  for (const char* other : {"http://ghcr.io/", "https://ghcr.io:8443/", "http://ghcr.io:443/", "https://evil.example/",
                            "https://ghcr.io.evil.example/", "https://xghcr.io/", "https://sub.ghcr.io/",
                            "https://evil.example/https://ghcr.io:443", "https://evil.example/?ghcr.io"}) {
    EXPECT_EQ(basic.header_for(url(other)), std::nullopt) << other;
  }
  EXPECT_EQ(Authorization::basic({}, "me", Secret("pass-word")).header_for(url("https://ghcr.io/")), std::nullopt);
}

TEST(Authorization, IsTheSameWhenAnotherTryWithItWouldBe) {
  const auto one = Authorization::bearer({"https://a:443"}, Secret("some-token"));
  EXPECT_TRUE(one.same_as(Authorization::bearer({"https://a:443"}, Secret("some-token"))));
  EXPECT_FALSE(one.same_as(Authorization::bearer({"https://a:443"}, Secret("other-token"))));
  EXPECT_FALSE(Authorization::basic({"https://a:443"}, "me", Secret("x"))
                   .same_as(Authorization::bearer({"https://a:443"}, Secret("bWU6eA=="))));
}

}  // namespace
}  // namespace crategate::registry
