// Names that are easily taken for each other have docker's normal form, or none: threat A92.
#include <gtest/gtest.h>

#include "base/strings.h"
#include "oci/reference.h"

namespace crategate::oci {
namespace {

struct Row {
  const char* name;
  std::string text;
  std::string full;  ///< empty = refused
};

class ConfusableReference : public testing::TestWithParam<Row> {};

TEST_P(ConfusableReference, A92HasDockersNormalFormOrNone) {
  const auto reference = parse_reference(GetParam().text);
  EXPECT_EQ(reference ? reference->full() : std::string(), GetParam().full) << GetParam().text;
}

const std::string kSha256 = concat("@sha256:", std::string(64, 'a'));
const std::string kSha512 = concat("@sha512:", std::string(128, 'a'));

INSTANTIATE_TEST_SUITE_P(
    A92Hub, ConfusableReference,
    testing::Values(Row{"Short", "ubuntu", "docker.io/library/ubuntu"},
                    Row{"Library", "library/ubuntu", "docker.io/library/ubuntu"},
                    Row{"Host", "docker.io/ubuntu", "docker.io/library/ubuntu"},
                    Row{"HostAndLibrary", "docker.io/library/ubuntu", "docker.io/library/ubuntu"},
                    Row{"OldHost", "index.docker.io/ubuntu", "docker.io/library/ubuntu"},
                    Row{"OldHostAndLibrary", "index.docker.io/library/ubuntu", "docker.io/library/ubuntu"},
                    Row{"OldHostAndUser", "index.docker.io/me/app:1", "docker.io/me/app:1"},
                    Row{"ApiHostIsAnotherRegistry", "registry-1.docker.io/ubuntu", "registry-1.docker.io/ubuntu"},
                    Row{"SubdomainIsAnotherRegistry", "x.docker.io/ubuntu", "x.docker.io/ubuntu"},
                    Row{"LongerIsAnotherRegistry", "docker.io.evil.example/a", "docker.io.evil.example/a"},
                    Row{"DashIsAnotherRegistry", "index-docker.io/a", "index-docker.io/a"},
                    Row{"UpperCaseIsAnotherRegistry", "Docker.io/ubuntu", "Docker.io/ubuntu"},
                    Row{"AllUpperCase", "DOCKER.IO/ubuntu", "DOCKER.IO/ubuntu"},
                    Row{"WithPort", "docker.io:443/ubuntu", "docker.io:443/ubuntu"},
                    Row{"OldHostWithPort", "index.docker.io:443/ubuntu", "index.docker.io:443/ubuntu"},
                    Row{"TrailingDot", "docker.io./ubuntu", ""}, Row{"LeadingDot", ".docker.io/ubuntu", ""},
                    Row{"HostAsName", "docker.io", "docker.io/library/docker.io"},
                    Row{"HostAsTaggedName", "docker.io:443", "docker.io/library/docker.io:443"},
                    Row{"HostTwice", "docker.io/docker.io/a", "docker.io/docker.io/a"},
                    Row{"LibraryOfLibrary", "library/library/a", "docker.io/library/library/a"},
                    Row{"UpperCaseUserIsAHost", "Library/ubuntu", "Library/ubuntu"}, Row{"UpperCaseName", "Ubuntu", ""},
                    Row{"UpperCaseBehindAUser", "me/App", ""}, Row{"Scheme", "https://docker.io/ubuntu", ""},
                    Row{"V1", "docker.io/v1/ubuntu", "docker.io/v1/ubuntu"}),
    [](const auto& each) { return std::string(each.param.name); });

INSTANTIATE_TEST_SUITE_P(
    A92Hosts, ConfusableReference,
    testing::Values(
        Row{"Localhost", "localhost/x", "localhost/x"}, Row{"LocalhostAndPort", "localhost:5000/x", "localhost:5000/x"},
        Row{"LocalhostAlone", "localhost", "docker.io/library/localhost"},
        Row{"LocalhostWithATag", "localhost:5000", "docker.io/library/localhost:5000"},
        Row{"LocalhostUpperCase", "LOCALHOST/x", "LOCALHOST/x"},
        Row{"LocalhostAsUserOfHub", "docker.io/localhost/x", "docker.io/localhost/x"},
        Row{"AlmostLocalhost", "localhosts/x", "docker.io/localhosts/x"}, Row{"LocalhostDot", "localhost./x", ""},
        Row{"NoDotIsAUser", "registry/x", "docker.io/registry/x"},
        Row{"NoDotWithPort", "registry:5000/x", "registry:5000/x"}, Row{"Address", "127.0.0.1/x", "127.0.0.1/x"},
        Row{"NumberIsAUser", "2130706433/x", "docker.io/2130706433/x"},
        Row{"NumberWithPort", "2130706433:80/x", "2130706433:80/x"},
        Row{"HexadecimalIsAUser", "0x7f000001/x", "docker.io/0x7f000001/x"}, Row{"Ipv6", "[::1]/x", "[::1]/x"},
        Row{"Ipv6AndPort", "[::1]:5000/x:t", "[::1]:5000/x:t"}, Row{"Ipv6WithoutBrackets", "::1/x", ""},
        Row{"Ipv6Open", "[::1/x", ""}, Row{"Ipv6Zone", "[fe80::1%25lo]/x", ""}, Row{"Ipv6Empty", "[]/x", ""},
        Row{"Ipv6Mapped", "[::ffff:10.0.0.1]/x", ""}, Row{"PortEmpty", "h.io:/x", ""},
        Row{"PortOfLetters", "h.io:http/x", ""}, Row{"PortTwice", "h.io:1:2/x", ""},
        Row{"PortBeyondAll", "h.io:99999/x", "h.io:99999/x"}, Row{"UserInfo", "me@h.io/x", ""},
        Row{"Password", "me:pw@h.io/x", ""}, Row{"Punycode", "xn--80ak6aa92e.com/x", "xn--80ak6aa92e.com/x"},
        Row{"CyrillicHost",
            "d\xD0\xBE"
            "cker.io/x",
            ""},
        Row{"FullwidthDot", "docker\xEF\xBC\x8Eio/x", ""}, Row{"Underscore", "h_x.io/x", ""},
        Row{"DashFirst", "-h.io/x", ""}, Row{"DashLast", "h-.io/x", ""}, Row{"TwoDots", "h..io/x", ""},
        Row{"Slashes", "//h.io/x", ""}, Row{"EmptyHost", "/x", ""}, Row{"Percent", "h%2eio/x", ""},
        Row{"Backslash", "h.io\\x", ""}),
    [](const auto& each) { return std::string(each.param.name); });

INSTANTIATE_TEST_SUITE_P(
    A92Names, ConfusableReference,
    testing::Values(
        Row{"ZeroWidthSpace", "ubu\xE2\x80\x8Bntu", ""}, Row{"CyrillicName", "\xD0\xB0pp", ""},
        Row{"RightToLeft", "\xE2\x80\xAEutnubu", ""}, Row{"Nul", std::string("ubuntu\0", 7), ""},
        Row{"LineBreak", "ubuntu\n", ""}, Row{"SpaceBehind", "ubuntu ", ""}, Row{"SpaceBefore", " ubuntu", ""},
        Row{"DotSegment", "h.io/../x", ""}, Row{"HiddenName", "h.io/.x", ""}, Row{"DoubleSlash", "h.io/a//b", ""},
        Row{"SlashBehind", "h.io/a/", ""}, Row{"OneUnderscore", "a_b", "docker.io/library/a_b"},
        Row{"TwoUnderscores", "a__b", "docker.io/library/a__b"}, Row{"ThreeUnderscores", "a___b", ""},
        Row{"ManyDashes", "a----b", "docker.io/library/a----b"}, Row{"DashDot", "a-.b", ""},
        Row{"OnlyDigits", "0", "docker.io/library/0"}, Row{"ImageId", std::string(64, 'a'), ""},
        Row{"AlmostAnImageId", std::string(63, 'a'), concat("docker.io/library/", std::string(63, 'a'))},
        Row{"ImageIdOfAHost", concat("h.io/", std::string(64, 'a')), concat("h.io/", std::string(64, 'a'))},
        Row{"LongestOfHub", std::string(247, 'a'), concat("docker.io/library/", std::string(247, 'a'))},
        Row{"TooLongWithLibrary", std::string(248, 'a'), ""}, Row{"QueryBehind", "h.io/a?x", ""},
        Row{"FragmentBehind", "h.io/a#x", ""}, Row{"Latest", "a:latest", "docker.io/library/a:latest"},
        Row{"TagUpperCase", "a:LATEST", "docker.io/library/a:LATEST"}, Row{"TagLikeAPort", "h.io/a:443", "h.io/a:443"},
        Row{"TagLikeADigest", "a:sha256-abc", "docker.io/library/a:sha256-abc"},
        Row{"TagWithDigestColon", "a:sha256:abc", ""}, Row{"TagWithASlash", "a:b/c", ""},
        Row{"TagCyrillic", "a:l\xD0\xB0test", ""}, Row{"TagEmpty", "a:", ""}, Row{"TagDot", "a:.", ""},
        Row{"Sha256", concat("a", kSha256), concat("docker.io/library/a", kSha256)},
        Row{"Sha512", concat("a:t", kSha512), concat("docker.io/library/a:t", kSha512)},
        Row{"DigestUpperCase", concat("a@sha256:", std::string(64, 'A')), ""}, Row{"DigestShort", "a@sha256:abc", ""},
        Row{"DigestThenTag", concat("a", kSha256, ":t"), ""}, Row{"DigestTwice", concat("a", kSha256, kSha256), ""},
        Row{"DigestOfMd5", concat("a@md5:", std::string(32, 'a')), ""}),
    [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace crategate::oci
