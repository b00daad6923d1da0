// SHA-256 against the known answers of FIPS 180-4.
#include "base/sha256.h"

#include <gtest/gtest.h>

namespace crategate {
namespace {

TEST(Sha256, KnownAnswers) {
  const struct {
    std::string text;
    std::string_view hex;
  } rows[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
      {std::string(1000000, 'a'), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
  };
  for (const auto& row : rows) EXPECT_EQ(sha256_hex(row.text), row.hex) << row.text.substr(0, 60);
}

TEST(Sha256, PiecesGiveTheDigestOfTheWhole) {
  const std::string text = "the quick brown fox jumps over the lazy dog, and over the block boundary of 64 bytes";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Sha256 hash;
    hash.update(std::string_view(text).substr(0, cut));
    Sha256 moved = std::move(hash);
    moved.update(std::string_view(text).substr(cut));
    EXPECT_EQ(moved.finish(), sha256_hex(text)) << cut;
  }
}

}  // namespace
}  // namespace crategate
