// Compression of what is in memory.
// Belongs here: levels, and the library that compresses.  Not here: cutting files into parts (writer), unpacking (inflate).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace crategate::zip {

inline constexpr int kDefaultLevel = 6, kHighestLevel = 9;

/// What a part is to its stream: an open one is followed by another.
enum class End : unsigned char { last, open };

/// One per thread. Equal bytes and level give equal output with the same version of the library.
class Compressor {
 public:
  /// 0 stores; 1 is the fastest, 9 the smallest (docs/adr/0007-zip-archives.md has what each of them takes).
  /// Errors: bad_input for another level.
  static Result<Compressor> create(int level);
  Compressor(Compressor&&) noexcept;
  Compressor& operator=(Compressor&&) noexcept;
  ~Compressor();
  /// Appends `bytes` as a deflate stream. Level 0 gives stored blocks.
  /// Errors: internal.
  Result<void> append(std::string_view bytes, End end, std::string& to);

 private:
  struct State;
  explicit Compressor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// CRC-32 (ISO 3309) of `bytes` behind those that gave `before`.
std::uint32_t crc32(std::string_view bytes, std::uint32_t before = 0);
/// That of two texts in a row, the second of `second_length` bytes.
std::uint32_t join_crc32(std::uint32_t first, std::uint32_t second, std::uint64_t second_length);

}  // namespace crategate::zip
