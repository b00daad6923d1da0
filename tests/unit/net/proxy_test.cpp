// What the environment says about proxies.
#include "net/proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fakes.h"

namespace crategate::net {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct ProxyRow {
  const char* value;
  const char* origin;
  const char* credentials;
};

TEST(Proxy, IsAnAddressWithOrWithoutSchemePortAndUser) {
  const ProxyRow rows[] = {
      {"http://proxy.example:3128", "http://proxy.example:3128", ""},
      {"http://proxy.example:3128/", "http://proxy.example:3128", ""},
      {"HTTP://Proxy.Example", "http://proxy.example:80", ""},
      {"proxy.example:3128", "http://proxy.example:3128", ""},
      {"10.1.2.3:8080", "http://10.1.2.3:8080", ""},
      {"http://[fd00::1]:8080", "http://[fd00::1]:8080", ""},
      {" http://proxy:1 ", "http://proxy:1", ""},
      {"http://ann:opensesame@proxy:1", "http://proxy:1", "ann:opensesame"},
      {"ann:opensesame@proxy:1", "http://proxy:1", "ann:opensesame"},
      {"http://ann@proxy:1", "http://proxy:1", "ann:"},
      {"http://a%40nn:p%3Aa%2fss@proxy:1", "http://proxy:1", "a@nn:p:a/ss"},
      {"http://ann:p@ss/word@proxy:1", "http://proxy:1", "ann:p@ss/word"},
  };
  for (const auto& [value, origin, credentials] : rows) {
    const auto proxies = parse_proxies(value, "", "");
    ASSERT_TRUE(proxies) << value << ": " << proxies.error().message;
    ASSERT_TRUE(proxies->https) << value;
    EXPECT_FALSE(proxies->http);
    EXPECT_EQ(proxies->https->url.origin(), origin) << value;
    EXPECT_EQ(proxies->https->credentials.reveal(), credentials) << value;
  }
  EXPECT_EQ(parse_proxies("http://a:b@p", "", "")->https->authorization(), "Basic YTpi");
  EXPECT_EQ(parse_proxies("http://p", "", "")->https->authorization(), "");
}

TEST(Proxy, OfAnotherKindIsRefusedWithoutShowingItsValue) {
  for (const char* value :
       {"https://ann:opensesame@proxy:1", "socks5://ann:opensesame@proxy:1", "socks5h://ann:opensesame@proxy",
        "ftp://ann:opensesame@proxy", "http://ann:opensesame@pro xy", "http://ann:opensesame@proxy:0",
        "http://ann:opensesame%zz@proxy", "http://ann:opensesame@", "http://ann:opensesame@proxy:port"}) {
    const auto proxies = parse_proxies("", value, "");
    ASSERT_FALSE(proxies) << value;
    EXPECT_EQ(proxies.error().code, ErrorCode::bad_input) << value;
    EXPECT_THAT(proxies.error().message, HasSubstr("HTTP_PROXY")) << value;
    EXPECT_THAT(describe(proxies.error()) + proxies.error().hint, Not(HasSubstr("opensesame"))) << value;
  }
}

TEST(Proxy, KeepsItsPasswordOutOfLogsInEveryForm) {
  const auto proxies = parse_proxies("http://ann:top%2Fsecret%21@proxy", "", "").value();
  for (const std::string& text : {std::string("top/secret!"), std::string("top%2Fsecret%21"),
                                  proxies.https->authorization(), std::string("ann:top/secret!")})
    EXPECT_THAT(redact("see " + text + " there"), HasSubstr("***")) << text;
}

struct ExceptionRow {
  const char* no_proxy;
  const char* url;
  bool direct;
};

constexpr ExceptionRow kExceptions[] = {
    {"", "https://a.example/", false},
    {"*", "https://a.example/", true},
    {"a.example", "https://a.example/", true},
    {"a.example", "https://A.Example./", true},
    {"A.EXAMPLE", "https://a.example/", true},
    {"a.example.", "https://a.example/", true},
    {"a.example", "https://x.a.example/", true},
    {"a.example", "https://xa.example/", false},
    {"a.example", "https://a.example.org/", false},
    {".a.example", "https://x.a.example/", true},
    {".a.example", "https://x.y.a.example/", true},
    {".a.example", "https://a.example/", false},
    {"*.a.example", "https://x.a.example/", true},
    {"*.a.example", "https://a.example/", false},
    {"b.example,a.example", "https://a.example/", true},
    {" b.example , a.example ", "https://a.example/", true},
    {"b.example a.example", "https://a.example/", true},
    {",,a.example,,", "https://a.example/", true},
    {"a.example:443", "https://a.example/", true},
    {"a.example:443", "https://a.example:8443/", false},
    {"a.example:8443", "https://x.a.example:8443/", true},
    {"a.example:0", "https://a.example/", false},
    {"a.example:x", "https://a.example/", false},
    {"10.1.2.3", "https://10.1.2.3/", true},
    {"10.1.2.3", "https://10.1.2.4/", false},
    {"10.1.2.3:80", "https://10.1.2.3/", false},
    {"10.1.2.3", "https://x.10.1.2.3.example/", false},
    {"10.0.0.0/8", "https://10.200.1.1/", true},
    {"10.0.0.0/8", "https://11.0.0.1/", false},
    {"10.0.0.0/8", "https://ten.example/", false},
    {"192.168.128.0/17", "https://192.168.200.1/", true},
    {"192.168.128.0/17", "https://192.168.100.1/", false},
    {"0.0.0.0/0", "https://8.8.8.8/", true},
    {"10.0.0.0/33", "https://10.0.0.1/", false},
    {"10.0.0.0/x", "https://10.0.0.1/", false},
    {"ten/8", "https://10.0.0.1/", false},
    {"2001:db8::/32", "https://[2001:db8:1::1]/", true},
    {"2001:db8::/32", "https://[2001:db9::1]/", false},
    {"2001:db8::1", "https://[2001:db8:0::1]/", true},
    {"[2001:db8::1]", "https://[2001:db8::1]/", true},
    {"[2001:db8::1]:443", "https://[2001:db8::1]/", true},
    {"[2001:db8::1]:444", "https://[2001:db8::1]/", false},
    {"10.0.0.0/8", "https://[::ffff:10.0.0.1]/", true},
    {"", "https://localhost/", true},
    {"", "https://localhost./", true},
    {"", "https://registry.localhost:5000/", true},
    {"", "https://127.0.0.1:5000/", true},
    {"", "https://127.8.9.1/", true},
    {"", "https://127.1/", true},
    {"", "https://[::1]:5000/", true},
    {"", "https://[::ffff:127.0.0.1]/", true},
    {"", "https://localhost.example/", false},
};

TEST(Proxies, LeaveOutWhatNoProxyNamesAndThisMachine) {
  for (const auto& [no_proxy, url, direct] : kExceptions) {
    const auto proxies = parse_proxies("http://proxy", "http://proxy", no_proxy).value();
    const auto target = Url::parse(url);
    ASSERT_TRUE(target) << url;
    EXPECT_EQ(proxies.for_url(*target) == nullptr, direct) << no_proxy << " and " << url;
  }
}

TEST(Proxies, AreChosenByTheSchemeOfTheRequest) {
  const auto proxies = parse_proxies("http://secure", "http://plain", "").value();
  EXPECT_EQ(proxies.for_url(Url::parse("https://a.example/").value())->url.host, "secure");
  EXPECT_EQ(proxies.for_url(Url::parse("http://a.example/").value())->url.host, "plain");
  EXPECT_EQ(Proxies().for_url(Url::parse("http://a.example/").value()), nullptr);
}

TEST(Proxies, OfTheEnvironmentAreTheLowerCaseOnesFirst) {
  test::FakeEnvironment environment({{"HTTPS_PROXY", "http://upper"},
                                     {"https_proxy", "http://lower"},
                                     {"HTTP_PROXY", "http://plain"},
                                     {"no_proxy", ""},
                                     {"NO_PROXY", "b.example"}});
  const auto proxies = parse_proxies(environment).value();
  EXPECT_EQ(proxies.https->url.host, "lower");
  EXPECT_EQ(proxies.http->url.host, "plain");
  EXPECT_EQ(proxies.for_url(Url::parse("https://b.example/").value()), nullptr);
  environment.set("REQUEST_METHOD", "GET");
  EXPECT_FALSE(parse_proxies(environment)->http) << "a web server's client would choose our proxy";
  environment.set("http_proxy", "http://own");
  EXPECT_EQ(parse_proxies(environment)->http->url.host, "own");
}

}  // namespace
}  // namespace crategate::net
