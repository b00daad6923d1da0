// SHA-256 and SHA-512 (FIPS 180-4), incremental. OpenSSL uses the CPU's instructions.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace crategate {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::string_view bytes);
  /// 64 lower-case hex digits; the object must not be used afterwards.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Only where a digest of that kind is to be checked.
class Sha512 {
 public:
  Sha512();
  ~Sha512();
  Sha512(Sha512&&) noexcept;
  Sha512& operator=(Sha512&&) noexcept;
  void update(std::string_view bytes);
  /// 128 lower-case hex digits; the object must not be used afterwards.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::string_view bytes);

}  // namespace crategate
