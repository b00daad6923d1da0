// SHA-256 by OpenSSL's own function: its EVP interface sets up every algorithm first, which takes longer than a plan.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/sha256.h"

#include <openssl/sha.h>

#include <array>

namespace crategate {

namespace {

template <std::size_t N>
std::string hex_of(const std::array<unsigned char, N>& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * N);
  for (const unsigned char byte : digest) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

}  // namespace

struct Sha256::State {
  SHA256_CTX context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) { SHA256_Init(&state_->context); }
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) { SHA256_Update(&state_->context, bytes.data(), bytes.size()); }

std::string Sha256::finish() {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256_Final(digest.data(), &state_->context);
  return hex_of(digest);
}

struct Sha512::State {
  SHA512_CTX context;
};

Sha512::Sha512() : state_(std::make_unique<State>()) { SHA512_Init(&state_->context); }
Sha512::~Sha512() = default;
Sha512::Sha512(Sha512&&) noexcept = default;
Sha512& Sha512::operator=(Sha512&&) noexcept = default;

void Sha512::update(std::string_view bytes) { SHA512_Update(&state_->context, bytes.data(), bytes.size()); }

std::string Sha512::finish() {
  std::array<unsigned char, SHA512_DIGEST_LENGTH> digest{};
  SHA512_Final(digest.data(), &state_->context);
  return hex_of(digest);
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

}  // namespace crategate
