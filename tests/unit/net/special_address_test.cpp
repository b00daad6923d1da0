// Addresses as the kernel sees them, however they are written (A40).
#include "net/special_address.h"

#include <gtest/gtest.h>

namespace crategate::net {
namespace {

struct AddressRow {
  const char* written;
  bool special, loopback = false;
};

constexpr AddressRow kRows[] = {
    {"127.0.0.1", true, true},
    {"127.255.255.254", true, true},
    {"127.1", true, true},
    {"2130706433", true, true},
    {"0x7f.1", true, true},
    {"017700000001", true, true},
    {"::1", true, true},
    {"::ffff:127.0.0.1", true, true},
    {"0.0.0.0", true},
    {"0.1.2.3", true},
    {"10.0.0.1", true},
    {"10.255.255.255", true},
    {"11.0.0.0", false},
    {"9.255.255.255", false},
    {"100.63.255.255", false},
    {"100.64.0.1", true},
    {"100.127.255.255", true},
    {"100.128.0.0", false},
    {"169.254.169.254", true},
    {"169.253.0.1", false},
    {"172.15.255.255", false},
    {"172.16.0.1", true},
    {"172.31.255.255", true},
    {"172.32.0.1", false},
    {"192.0.0.1", true},
    {"192.0.2.1", true},
    {"192.168.0.1", true},
    {"192.169.0.1", false},
    {"198.17.255.255", false},
    {"198.18.0.1", true},
    {"198.19.255.255", true},
    {"198.51.100.7", true},
    {"203.0.113.7", true},
    {"223.255.255.255", false},
    {"224.0.0.1", true},
    {"240.0.0.1", true},
    {"255.255.255.255", true},
    {"8.8.8.8", false},
    {"::", true},
    {"::ffff:8.8.8.8", true},
    {"::8.8.8.8", true},
    {"fe80::1", true},
    {"fec0::1", true},
    {"fc00::1", true},
    {"fd12:3456::1", true},
    {"ff02::1", true},
    {"100::1", true},
    {"2001::1", true},
    {"2001:1ff::1", true},
    {"2001:200::1", false},
    {"2001:db8::1", true},
    {"2606:4700::1111", false},
    {"2a00:1450:4001::1", false},
    {"3fff::1", true},
    {"4000::1", true},
    {"2002:7f00:1::", true},
    {"2002:a00:1::", true},
    {"2002:c0a8:101::1", true},
    {"2002:808:808::1", false},
    {"64:ff9b::a00:1", true},
    {"64:ff9b::169.254.169.254", true},
    {"64:ff9b::8.8.8.8", false},
    {"64:ff9b:1::8.8.8.8", true},
};

TEST(SpecialAddress, A40IsEveryAddressThatIsNotOnThePublicInternet) {
  for (const auto& [written, special, loopback] : kRows) {
    const auto address = numeric_address(written, 443);
    ASSERT_TRUE(address) << written;
    EXPECT_EQ(is_special(*address), special) << written;
    EXPECT_EQ(is_loopback(*address), loopback) << written;
  }
}

TEST(SpecialAddress, IsASocketOfThisMachine) { EXPECT_TRUE(is_special(unix_address("/run/x.sock").value())); }

TEST(NumericAddress, IsNoName) {
  for (const char* name : {"localhost", "example.org", "1.2.3.4.5", "", "0x", "::g"})
    EXPECT_FALSE(numeric_address(name, 1)) << name;
}

}  // namespace
}  // namespace crategate::net
