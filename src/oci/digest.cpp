// Grammar of digests.
#include "oci/digest.h"

#include <algorithm>

#include "base/sha256.h"
#include "base/strings.h"

namespace crategate::oci {
namespace {

constexpr std::string_view kSha256 = "sha256:";
constexpr std::string_view kSha512 = "sha512:";

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

Result<Digest> Digest::parse(std::string_view text) {
  const auto matches = [text](std::string_view prefix, std::size_t digits) {
    return text.starts_with(prefix) && text.size() == prefix.size() + digits && is_hex(text.substr(prefix.size()));
  };
  if (matches(kSha256, 64) || matches(kSha512, 128)) return Digest(std::string(text));
  return fail(
      ErrorCode::bad_input,
      concat("digest: expected sha256: and 64 lower-case hex digits (or sha512: and 128), found ", quoted(text)));
}

Digest Digest::of(std::string_view bytes) { return from_sha256_hex(sha256_hex(bytes)); }

Digest Digest::from_sha256_hex(std::string_view hex) { return Digest(concat(kSha256, hex)); }

std::string_view Digest::algorithm() const { return std::string_view(text_).substr(0, text_.find(':')); }

std::string_view Digest::hex() const { return std::string_view(text_).substr(text_.find(':') + 1); }

DigestCheck::DigestCheck(const Digest& expected) {
  if (expected.algorithm() == "sha512") hash_.emplace<Sha512>();
}

void DigestCheck::update(std::string_view bytes) {
  std::visit([bytes](auto& hash) { hash.update(bytes); }, hash_);
  size_ += bytes.size();
}

Digest DigestCheck::finish() {
  if (auto* const wide = std::get_if<Sha512>(&hash_)) return Digest(concat(kSha512, wide->finish()));
  return Digest::from_sha256_hex(std::get<Sha256>(hash_).finish());
}

Digest digest_like(const Digest& like, std::string_view bytes) {
  DigestCheck check(like);
  check.update(bytes);
  return check.finish();
}

}  // namespace crategate::oci
