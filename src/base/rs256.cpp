// RS256 by OpenSSL.
#include "base/rs256.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

#include "base/strings.h"

namespace crategate {
namespace {

constexpr std::size_t kLargestPem = 64U << 10U;
constexpr int kFewestBits = 2048, kMostBits = 16384;

template <auto free>
struct Freed {
  template <class T>
  void operator()(T* value) const {
    free(value);
  }
};
using Memory = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;

/// Nobody is asked for a passphrase: without this OpenSSL would ask the terminal.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Failure not_a_key(std::string_view found) {
  return fail(ErrorCode::bad_input,
              concat("the private key: expected an RSA key in PEM, of ", kFewestBits, " bits or more, found ", found),
              "Take the whole .pem file, with its first and last line; line ends may be written as \\n.");
}

Result<Key> read_key(const Secret& pem) {
  const std::string& text = pem.reveal();
  if (text.size() > kLargestPem) return not_a_key(concat(text.size(), " bytes of text"));
  const Memory memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  bool encrypted = false;
  Key key(PEM_read_bio_PrivateKey(memory.get(), nullptr, no_passphrase, &encrypted));
  // What OpenSSL has queued tells of the key's content.
  ERR_clear_error();
  if (encrypted) return not_a_key("one with a passphrase");
  if (!key) return not_a_key("none");
  if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) return not_a_key("a key of another kind");
  const int bits = EVP_PKEY_get_bits(key.get());
  if (bits < kFewestBits || bits > kMostBits) return not_a_key(concat("one of ", bits, " bits"));
  return key;
}

}  // namespace

Result<std::string> sign_rs256(const Secret& pem, std::string_view bytes) {
  CG_TRY(const Key key, read_key(pem));
  // The functions take bytes without a sign; what is at those addresses is the same.
  const auto* const text = reinterpret_cast<const unsigned char*>(bytes.data());  // NOLINT
  const Digest digest(EVP_MD_CTX_new());
  std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_size(key.get()));
  std::string signature(size, '\0');
  auto* const place = reinterpret_cast<unsigned char*>(signature.data());  // NOLINT
  const bool done = EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
                    EVP_DigestSign(digest.get(), place, &size, text, bytes.size()) == 1;
  ERR_clear_error();
  if (!done) return not_a_key("one that cannot sign");
  signature.resize(size);
  return signature;
}

}  // namespace crategate
