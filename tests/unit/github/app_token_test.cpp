// The proof that an App gives of itself, with the openssl program as the judge, and keys that are none.
#include "github/app_token.h"

#include <gmock/gmock.h>

#include "base/strings.h"
#include "json/value.h"
#include "support/openssl.h"

namespace crategate::github {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::chrono::system_clock::time_point kNow{std::chrono::seconds(1'700'000'000)};

/// One for all: a key takes a second.
const std::string& key() {
  static const std::string made = test::rsa_key();
  return made;
}

std::string proof(const std::string& id, const std::string& pem = key()) {
  const auto made = app_proof({.id = id, .key = Secret(pem)}, kNow);
  EXPECT_TRUE(made) << describe(made.error());
  return made ? made->reveal() : std::string();
}

TEST(AppProof, IsAJsonWebTokenThatOpensslVerifies) {
  const auto parts = split(proof("Iv23liAb_c.9"), '.');
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(decode_base64(parts[0]), R"({"alg":"RS256","typ":"JWT"})");
  EXPECT_EQ(decode_base64(parts[1]), R"({"exp":1700000540,"iat":1699999940,"iss":"Iv23liAb_c.9"})");
  for (const auto& part : parts) EXPECT_EQ(part.find_first_of("+/="), std::string::npos) << part;
  const std::string signature = decode_base64(parts[2]).value();
  EXPECT_EQ(signature.size(), 256U);
  EXPECT_TRUE(test::is_signed_rs256(key(), concat(parts[0], ".", parts[1]), signature));
  EXPECT_FALSE(test::is_signed_rs256(key(), concat(parts[0], ".", parts[1], "x"), signature));
}

TEST(AppProof, TakesEveryFormOfAnRsaKey) {
  const std::string same = proof("7");
  EXPECT_EQ(proof("7", test::openssl({"rsa", "-traditional"}, key())), same) << "PKCS #1, as GitHub gives it";
  EXPECT_EQ(proof("7", replace_all(key(), "\n", "\r\n")), same);
  EXPECT_EQ(proof("7", concat("\n\n", key(), "\n")), same);
  EXPECT_EQ(proof("7", std::string(trim(key()))), same) << "as a runner hands over an input";
}

TEST(AppProof, IsASecretAndSoIsTheKey) {
  const std::string text = proof("7");
  EXPECT_THAT(redact(concat("Bearer ", text)), Not(HasSubstr(text.substr(0, 20))));
  for (const auto& line : split(key(), '\n')) {
    if (line.size() <= 20) continue;
    EXPECT_EQ(redact(line), "***");
  }
  EXPECT_THAT(redact(replace_all(key(), "\n", "\\n")), Not(HasSubstr(split(key(), '\n').at(3))));
}

struct KeyRow {
  const char* name;
  std::string (*pem)();
  const char* found;
};

class AppKey : public testing::TestWithParam<KeyRow> {};

TEST_P(AppKey, ThatIsNoneIsRefusedWithoutItsContent) {
  const std::string pem = GetParam().pem();
  const auto made = app_proof({.id = "7", .key = Secret(pem)}, kNow);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::bad_input);
  EXPECT_THAT(made.error().message,
              AllOf(HasSubstr("the private key: expected an RSA key in PEM"), HasSubstr(GetParam().found)));
  const std::string said = concat(describe(made.error()), made.error().hint);
  for (const auto& line : split(pem, '\n')) {
    if (line.size() <= 7) continue;
    EXPECT_THAT(said, Not(HasSubstr(line)));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Rows, AppKey,
    testing::Values(
        KeyRow{"Empty", [] { return std::string(); }, "none"},
        KeyRow{"Password", [] { return std::string("open-sesame-1234"); }, "none"},
        KeyRow{"Frame", [] { return std::string("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"); }, "none"},
        KeyRow{"Nul", [] { return key().substr(0, 300) + std::string(1, '\0') + key().substr(301); }, "none"},
        KeyRow{"CutShort", [] { return key().substr(0, key().size() / 2); }, "none"},
        KeyRow{"OneLine", [] { return replace_all(key(), "\n", " "); }, "none"},
        KeyRow{"Public",
               [] {
                 return test::openssl({"pkey", "-pubout"}, key());
               },
               "none"},
        KeyRow{"TooShort", [] { return test::rsa_key(1024); }, "1024 bits"},
        KeyRow{"TooLong", [] { return std::string(70'000, 'x'); }, "70000 bytes"},
        KeyRow{"Passphrase",
               [] {
                 return test::openssl({"pkey", "-aes-128-cbc", "-passout", "pass:sesame"}, key());
               },
               "a passphrase"},
        KeyRow{"EllipticCurve",
               [] {
                 return test::openssl({"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"});
               },
               "another kind"},
        KeyRow{"Edwards",
               [] {
                 return test::openssl({"genpkey", "-algorithm", "ED25519"});
               },
               "another kind"},
        KeyRow{"RsaPss",
               [] {
                 return test::openssl({"genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"});
               },
               "another kind"}),
    [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace crategate::github
