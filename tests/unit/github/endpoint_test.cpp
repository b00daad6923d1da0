#include "github/endpoint.h"

#include <gmock/gmock.h>

#include "support/fakes.h"

namespace crategate::github {
namespace {

using testing::HasSubstr;
using testing::Not;

struct UrlRow {
  const char* name;
  const char *api, *server, *configured;
  const char* base;  ///< nullptr = refused
};

class A61Endpoint : public testing::TestWithParam<UrlRow> {};

TEST_P(A61Endpoint, BelongsToTheServerOrWasChosen) {
  test::FakeEnvironment environment;
  if (GetParam().api != nullptr) environment.set("GITHUB_API_URL", GetParam().api);
  if (GetParam().server != nullptr) environment.set("GITHUB_SERVER_URL", GetParam().server);
  const auto found = find_endpoint(
      environment, Secret("a-token"),
      GetParam().configured != nullptr ? std::optional<std::string>(GetParam().configured) : std::nullopt);
  ASSERT_EQ(found.has_value(), GetParam().base != nullptr);
  if (found) {
    EXPECT_EQ(found->base.text(), GetParam().base);
    EXPECT_EQ(found->token.reveal(), "a-token");
  } else {
    EXPECT_EQ(found.error().code, ErrorCode::bad_input);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Rows, A61Endpoint,
    testing::Values(
        UrlRow{"Nothing", nullptr, nullptr, nullptr, "https://api.github.com"},
        UrlRow{"Empty", "", "", "", "https://api.github.com"},
        UrlRow{"Hosted", "https://api.github.com", "https://github.com", nullptr, "https://api.github.com"},
        UrlRow{"Enterprise", "https://ghe.example/api/v3", "https://ghe.example", nullptr,
               "https://ghe.example/api/v3"},
        UrlRow{"SlashesAtTheEnd", "https://ghe.example/api/v3//", "https://ghe.example/", nullptr,
               "https://ghe.example/api/v3"},
        UrlRow{"DataResidency", "https://api.acme.ghe.com", "https://acme.ghe.com", nullptr,
               "https://api.acme.ghe.com"},
        UrlRow{"Loopback", "http://127.0.0.1:4000", "http://127.0.0.1:3000", nullptr, "http://127.0.0.1:4000"},
        UrlRow{"Chosen", "https://evil.example", nullptr, "https://mine.example/api/v3", "https://mine.example/api/v3"},
        UrlRow{"ChosenLoopback", nullptr, nullptr, "http://localhost:4000", "http://localhost:4000"},
        UrlRow{"AnotherHost", "https://evil.example", "https://github.com", nullptr, nullptr},
        UrlRow{"AnotherHostWithoutServer", "https://evil.example", nullptr, nullptr, nullptr},
        UrlRow{"LoopbackOfAHostedServer", "http://127.0.0.1:4000", "https://github.com", nullptr, nullptr},
        UrlRow{"HostWithTheNameAtItsEnd", "https://evilgithub.com", "https://github.com", nullptr, nullptr},
        UrlRow{"HostWithTheNameInFront", "https://github.com.evil.example", "https://github.com", nullptr, nullptr},
        UrlRow{"AnotherPort", "https://api.github.com:8443", "https://github.com", nullptr, nullptr},
        UrlRow{"ServerAlone", nullptr, "https://ghe.example", nullptr, nullptr},
        UrlRow{"Plain", "http://api.github.com", "http://github.com", nullptr, nullptr},
        UrlRow{"ChosenPlain", nullptr, nullptr, "http://mine.example", nullptr},
        UrlRow{"NearlyLoopback", nullptr, nullptr, "http://127.0.0.1.evil.example", nullptr},
        UrlRow{"Query", nullptr, nullptr, "https://mine.example/?x=1", nullptr},
        UrlRow{"UserInformation", nullptr, nullptr, "https://me:word@mine.example", nullptr},
        UrlRow{"NoAddress", "api.github.com", nullptr, nullptr, nullptr}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(Endpoint, HasGraphQlBesideIt) {
  const std::pair<std::string, std::string> rows[] = {
      {"https://api.github.com", "https://api.github.com/graphql"},
      {"https://api.octo.ghe.com/", "https://api.octo.ghe.com/graphql"},
      {"https://ghes.example/api/v3", "https://ghes.example/api/graphql"},
      {"https://ghes.example/api/v3/", "https://ghes.example/api/graphql"},
      {"http://127.0.0.1:8080", "http://127.0.0.1:8080/graphql"},
  };
  for (const auto& [api, expected] : rows) {
    const auto endpoint = find_endpoint(test::FakeEnvironment(), Secret(), api);
    ASSERT_TRUE(endpoint) << api;
    EXPECT_EQ(graphql_url(*endpoint).text(), expected);
  }
}

TEST(Endpoint, RefusesATokenThatIsNoneAndDoesNotRepeatIt) {
  for (const char* text : {"ghs_abcdef\n", "ghs abcdef", "ghs_abc\r\nX-Evil: 1", "ghs_\xc3\xa4"}) {
    const auto found = find_endpoint(test::FakeEnvironment(), Secret(text));
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, ErrorCode::bad_input);
    EXPECT_THAT(describe(found.error()) + found.error().hint, Not(HasSubstr("ghs")));
  }
}

TEST(Site, IsWherePeopleLook) {
  const auto site = [](const char* base) { return site_of({net::Url::parse(base).value(), Secret("a-token")}); };
  EXPECT_EQ(site("https://api.github.com"), "https://github.com");
  EXPECT_EQ(site("https://ghe.example/api/v3"), "https://ghe.example");
  EXPECT_EQ(site("https://api.acme.ghe.com"), "https://acme.ghe.com");
  EXPECT_EQ(site("http://127.0.0.1:4000/api/v3"), "http://127.0.0.1:4000");
}

TEST(ContainerRegistry, IsThatOfTheServer) {
  const auto registry_of = [](const char* base) {
    return container_registry({net::Url::parse(base).value(), Secret("a-token")});
  };
  EXPECT_EQ(registry_of("https://api.github.com"), "ghcr.io");
  EXPECT_EQ(registry_of("https://ghe.example/api/v3"), "containers.ghe.example");
  EXPECT_EQ(registry_of("https://api.acme.ghe.com"), "containers.acme.ghe.com");
  EXPECT_EQ(registry_of("http://127.0.0.1:4000"), "ghcr.io");
}

}  // namespace
}  // namespace crategate::github
