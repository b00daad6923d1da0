// Content digests (https://github.com/opencontainers/image-spec/blob/v1.1.0/descriptor.md#digests).
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "base/sha256.h"

namespace crategate::oci {

/// `sha256:` and 64 lower-case hex digits (or `sha512:` and 128). Only a parsed digest may stand in a URL or path.
class Digest {
 public:
  static Result<Digest> parse(std::string_view text);
  /// The SHA-256 digest of `bytes`.
  static Digest of(std::string_view bytes);
  static Digest from_sha256_hex(std::string_view hex);  ///< hex must be 64 lower-case digits
  const std::string& text() const { return text_; }
  std::string_view algorithm() const;
  std::string_view hex() const;
  auto operator<=>(const Digest&) const = default;

 private:
  friend class DigestCheck;
  explicit Digest(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// Checks bytes as they come against a digest of either algorithm.
class DigestCheck {
 public:
  explicit DigestCheck(const Digest& expected);
  void update(std::string_view bytes);
  std::uint64_t size() const { return size_; }  ///< of the bytes so far
  /// The digest of all bytes; once, at the end.
  Digest finish();

 private:
  std::variant<Sha256, Sha512> hash_;
  std::uint64_t size_ = 0;
};

/// Of the same algorithm as `like`.
Digest digest_like(const Digest& like, std::string_view bytes);

}  // namespace crategate::oci
