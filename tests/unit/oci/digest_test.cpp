// Digests and platforms.
#include "oci/digest.h"

#include <gmock/gmock.h>

#include "base/strings.h"
#include "oci/platform.h"

namespace crategate::oci {
namespace {

const std::string kHex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(Digest, TakesTheTwoRegisteredAlgorithms) {
  const auto digest = Digest::parse(concat("sha256:", kHex));
  ASSERT_TRUE(digest.has_value());
  EXPECT_EQ(digest->algorithm(), "sha256");
  EXPECT_EQ(digest->hex(), kHex);
  EXPECT_EQ(digest->text(), concat("sha256:", kHex));
  EXPECT_TRUE(Digest::parse(concat("sha512:", kHex, kHex)).has_value());
  EXPECT_EQ(Digest::of(""), *digest);
  EXPECT_EQ(Digest::from_sha256_hex(kHex), *digest);
}

TEST(Digest, A46RefusesEverythingThatCouldBeAPathOrAnotherDigest) {
  const struct {
    std::string_view name;
    std::string text;
  } rows[] = {
      {"nothing", ""},
      {"no algorithm", kHex},
      {"upper case", "sha256:E" + kHex.substr(1)},
      {"upper-case algorithm", "SHA256:" + kHex},
      {"too short", "sha256:" + kHex.substr(1)},
      {"too long", "sha256:" + kHex + "0"},
      {"wrong length for sha512", "sha512:" + kHex},
      {"unknown algorithm", "md5:d41d8cd98f00b204e9800998ecf8427e"},
      {"no hex", "sha256:g" + kHex.substr(1)},
      {"path", "sha256:../" + kHex.substr(3)},
      {"query", "sha256:" + kHex.substr(2) + "?a"},
      {"line feed", "sha256:" + kHex + "\n"},
      {"space", " sha256:" + kHex},
      {"NUL", std::string("sha256:\0", 8) + kHex.substr(1)},
  };
  for (const auto& row : rows) {
    const auto digest = Digest::parse(row.text);
    ASSERT_FALSE(digest.has_value()) << row.name;
    EXPECT_EQ(digest.error().code, ErrorCode::bad_input);
    EXPECT_THAT(digest.error().message, testing::HasSubstr(quoted(row.text))) << row.name;
  }
}

TEST(Platform, ReadsAndWritesItsText) {
  for (const std::string_view text : {"linux/amd64", "linux/arm64/v8", "linux/arm/v7", "windows/amd64"}) {
    EXPECT_EQ(parse_platform(text).value().text(), text);
  }
  EXPECT_EQ(parse_platform("linux/arm/v7").value(), (Platform{"linux", "arm", "v7"}));
}

TEST(Platform, RefusesWhatIsNone) {
  for (const std::string_view text : {"", "linux", "linux/", "/amd64", "linux/amd64/", "linux/amd64/v1/x",
                                      "Linux/amd64", "linux/amd 64", "linux//v8"}) {
    EXPECT_FALSE(parse_platform(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace crategate::oci
