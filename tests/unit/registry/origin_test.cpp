#include "registry/origin.h"

#include <gtest/gtest.h>

namespace crategate::registry {
namespace {

TEST(RegistryHost, OfDockerHubIsNotItsName) {
  EXPECT_EQ(api_host("docker.io"), "registry-1.docker.io");
  EXPECT_EQ(api_host("ghcr.io"), "ghcr.io");
  EXPECT_EQ(api_host("localhost:5000"), "localhost:5000");
}

TEST(RegistryHost, IsLoopbackOnlyWhenItReallyIs) {
  for (const char* host :
       {"localhost", "localhost:5000", "LOCALHOST:1", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:5000"}) {
    EXPECT_TRUE(is_loopback(host)) << host;
  }
  for (const char* host :
       {"127.evil.com", "localhost.evil.com", "127.0.0.1.evil.com", "10.0.0.1", "[::2]", "127.1", "", "[::1"}) {
    EXPECT_FALSE(is_loopback(host)) << host;
  }
}

TEST(RegistryHost, KnowsSpecialAddressesInEverySpelling) {
  for (const char* host : {"10.0.0.1",
                           "172.16.0.1",
                           "172.31.255.1",
                           "192.168.1.1",
                           "169.254.169.254",
                           "127.0.0.1",
                           "0.0.0.0",
                           "100.64.0.1",
                           "224.0.0.1",
                           "localhost",
                           "a.localhost",
                           "[::1]",
                           "[::]",
                           "[fe80::1]",
                           "[fd00::1]",
                           "[::ffff:10.0.0.1]",
                           "2130706433",
                           "0x7f000001",
                           "127.1",
                           "0177.0.0.1",
                           "010.0.0.1",
                           "10.0.0.1.",
                           ""}) {
    EXPECT_TRUE(is_special_address(host)) << host;
  }
  for (const char* host :
       {"8.8.8.8", "172.32.0.1", "auth.docker.io", "10.example.com", "[2606:4700::1111]", "ghcr.io:443"}) {
    EXPECT_FALSE(is_special_address(host)) << host;
  }
}

struct TargetRow {
  const char *name, *registry, *target;
  bool allowed;
};

class RegistryTarget : public testing::TestWithParam<TargetRow> {};

TEST_P(RegistryTarget, A40IsCheckedBeforeAnythingIsSentThere) {
  const OriginPolicy policy({"plain.corp:5000"});
  const auto checked = policy.check_target(GetParam().registry, *net::Url::parse(GetParam().target), "its token realm");
  EXPECT_EQ(checked.has_value(), GetParam().allowed) << GetParam().target;
  if (!checked) {
    EXPECT_EQ(checked.error().code, ErrorCode::integrity);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Rows, RegistryTarget,
    testing::Values(TargetRow{"HubRealm", "docker.io", "https://auth.docker.io/token", true},
                    TargetRow{"OtherPublicHost", "quay.io", "https://cdn.quay.io/x", true},
                    TargetRow{"PlainRealm", "docker.io", "http://auth.docker.io/token", false},
                    TargetRow{"MetadataService", "docker.io", "http://169.254.169.254/latest", false},
                    TargetRow{"MetadataServiceByTls", "docker.io", "https://169.254.169.254/latest", false},
                    TargetRow{"PrivateAddress", "docker.io", "https://10.0.0.1/", false},
                    TargetRow{"Loopback", "docker.io", "https://localhost/", false},
                    TargetRow{"LoopbackAsNumber", "docker.io", "https://2130706433/", false},
                    TargetRow{"PrivateRegistryItself", "10.0.0.1:5000", "https://10.0.0.1:5000/token", true},
                    TargetRow{"PrivateRegistryToPrivate", "10.0.0.1", "https://10.0.0.2/token", true},
                    TargetRow{"PrivateRegistryPlain", "10.0.0.1", "http://10.0.0.1/token", false},
                    TargetRow{"InsecureRegistry", "plain.corp:5000", "http://10.0.0.9/token", true},
                    TargetRow{"InsecureNeedsThePort", "plain.corp", "http://plain.corp/token", false},
                    TargetRow{"LocalRegistry", "localhost:5000", "http://localhost:5001/token", true}),
    [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace crategate::registry
