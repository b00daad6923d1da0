// Content digests (https://github.com/opencontainers/image-spec/blob/v1.1.0/descriptor.md#digests).
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/result.h"

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
  explicit Digest(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace crategate::oci
