// HMAC by OpenSSL.
#include "base/hmac.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdlib>

#include "base/strings.h"

namespace crategate {

std::string hmac_sha256_hex(const Secret& key, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> code{};
  unsigned int size = 0;
  const std::string& plain = key.reveal();
  // The functions take bytes without a sign; what is at those addresses is the same.
  const auto* text = reinterpret_cast<const unsigned char*>(bytes.data());  // NOLINT
  if (HMAC(EVP_sha256(), plain.data(), static_cast<int>(plain.size()), text, bytes.size(), code.data(), &size) ==
      nullptr) {
    std::abort();  // without memory, or without SHA-256 at all
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (std::size_t i = 0; i < size; ++i) hex += concat(kDigits[code.at(i) >> 4], kDigits[code.at(i) & 15]);
  return hex;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace crategate
