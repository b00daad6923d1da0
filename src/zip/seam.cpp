// A walk over the codes of a deflate stream, with their lengths added up.
#include "zip/seam.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "base/strings.h"
#include "zip/huffman.h"

namespace crategate::zip {
namespace {

constexpr unsigned kEndOfBlock = 256, kDistances = 30;
constexpr unsigned kLengths = 286, kLengthCodes = 288;  ///< the last two have a place in the fixed code, and no meaning

/// RFC 1951 §3.2.5: literals count one byte, the end of a block none.
std::array<Meaning, kLengthCodes> length_meanings() {
  constexpr unsigned kNone = 0xFFFF;  // makes the length of the whole wrong
  std::array<Meaning, kLengthCodes> all{};
  std::fill_n(all.begin(), kEndOfBlock, Meaning(1, 0, Meaning::Kind::literal));
  unsigned base = 3;
  for (unsigned i = kEndOfBlock + 1; i + 1 < kLengths; ++i) {
    const unsigned step = i - kEndOfBlock - 1, extra = step < 8 ? 0 : step / 4 - 1;
    all[i] = Meaning(base, extra);
    base += 1u << extra;
  }
  all[kLengths - 1] = Meaning(258);
  all[kLengths] = all[kLengths + 1] = Meaning(kNone);
  return all;
}

/// Of a distance only its number of extra bits matters: it is skipped.
std::array<Meaning, kDistances> distance_meanings() {
  std::array<Meaning, kDistances> all{};
  for (unsigned i = 0; i < kDistances; ++i) all[i] = Meaning(0, i < 4 ? 0 : i / 2 - 1);
  return all;
}

std::array<Meaning, 19> plain_meanings() {
  std::array<Meaning, 19> all{};
  for (unsigned i = 0; i < all.size(); ++i) all[i] = Meaning(i);
  return all;
}

class Walk {
 public:
  explicit Walk(std::string_view stream) : stream_(stream), bits_(stream) {}

  /// True when the stream is sound and ends with `stream`.
  bool run() {
    bool last = false;
    while (!last) {
      bits_.fill();
      last_block_ = bits_.at();
      last = bits_.take(1) != 0;
      if (!block(bits_.take(2)) || bits_.overrun()) return false;
    }
    return (bits_.at() + 7) / 8 == stream_.size();
  }
  std::uint64_t last_block() const { return last_block_; }
  std::uint64_t end() const { return bits_.at(); }
  std::uint64_t length() const { return length_; }

 private:
  bool block(unsigned type) {
    if (type == 0) return stored();
    if (type == 1) return fixed_codes() && coded();
    return type == 2 && dynamic_codes() && coded();
  }

  bool stored() {
    const std::uint64_t at = (bits_.at() + 7) / 8;
    if (at + 4 > stream_.size()) return false;
    const auto byte = [&](std::uint64_t i) { return unsigned{static_cast<unsigned char>(stream_[at + i])}; };
    const unsigned size = byte(0) | byte(1) << 8;
    length_ += size;
    if ((size ^ 0xFFFFu) != (byte(2) | byte(3) << 8) || at + 4 + size > stream_.size()) return false;
    bits_.go_to((at + 4 + size) * 8);
    return true;
  }

  bool fixed_codes() {
    std::array<std::uint8_t, kLengthCodes> lengths{};
    for (std::size_t i = 0; i < lengths.size(); ++i)
      lengths[i] = static_cast<std::uint8_t>(i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8);
    std::array<std::uint8_t, kDistances> distances{};
    distances.fill(5);
    return lengths_.build(lengths, kLengthMeanings) && distances_.build(distances, kDistanceMeanings);
  }

  bool dynamic_codes() {
    static constexpr std::array<std::uint8_t, 19> kOrder = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                            11, 4,  12, 3, 13, 2, 14, 1, 15};
    const unsigned literals = bits_.take(5) + 257, distances = bits_.take(5) + 1, count = bits_.take(4) + 4;
    if (literals > kLengths || distances > kDistances) return false;
    std::array<std::uint8_t, 19> code_lengths{};
    for (unsigned i = 0; i < count; ++i) {
      bits_.fill();
      code_lengths[kOrder[i]] = static_cast<std::uint8_t>(bits_.take(3));
    }
    std::array<std::uint8_t, kLengths + kDistances> lengths{};
    if (!lengths_.build(code_lengths, kPlainMeanings) || !read_lengths(std::span(lengths).first(literals + distances)))
      return false;
    return lengths_.build(std::span(lengths).first(literals), kLengthMeanings) &&
           distances_.build(std::span(lengths).subspan(literals, distances), kDistanceMeanings);
  }

  bool read_lengths(std::span<std::uint8_t> lengths) {
    for (std::size_t i = 0; i < lengths.size();) {
      bits_.fill();
      const Meaning found = lengths_.find(bits_);
      bits_.drop(found.code());
      if (found.code() == 0 || bits_.overrun()) return false;
      if (found.base() < 16) {
        lengths[i++] = static_cast<std::uint8_t>(found.base());
        continue;
      }
      if (found.base() == 16 && i == 0) return false;
      const std::uint8_t value = found.base() == 16 ? lengths[i - 1] : std::uint8_t{0};
      const unsigned times = found.base() == 16   ? 3 + bits_.take(2)
                             : found.base() == 17 ? 3 + bits_.take(3)
                                                  : 11 + bits_.take(7);
      if (times > lengths.size() - i) return false;
      std::fill_n(lengths.begin() + static_cast<std::ptrdiff_t>(i), times, value);
      i += times;
    }
    return true;
  }

  bool coded() {
    Bits bits = bits_;  // a copy that the compiler can keep in registers
    std::uint64_t length = 0;
    while (true) {
      bits.fill();
      Meaning found = lengths_.find(bits);
      // Literals come in runs: three codes of 15 bits are there.
      for (int more = 2; found.literal(); --more) {
        bits.drop(found.code());
        ++length;
        if (more == 0) {
          bits.fill();
          if (bits.overrun()) return false;
          more = 3;
        }
        found = lengths_.find(bits);
      }
      if (found.code() == 0 || bits.overrun()) return false;
      bits.drop(found.code());
      bits.fill();
      length += found.base() + bits.take(found.extra());
      if (found.base() == 0) break;
      const Meaning distance = distances_.find(bits);
      if (distance.code() == 0) return false;
      bits.drop(distance.code() + distance.extra());
    }
    bits_ = bits;
    length_ += length;
    return true;
  }

  static inline const auto kLengthMeanings = length_meanings();
  static inline const auto kDistanceMeanings = distance_meanings();
  static inline const auto kPlainMeanings = plain_meanings();

  std::string_view stream_;
  Bits bits_;
  Code lengths_, distances_;
  std::uint64_t last_block_ = 0, length_ = 0;
};

}  // namespace

Result<void> open_end(std::string& stream, std::uint64_t length) {
  Walk walk(stream);
  if (!walk.run() || walk.length() != length)
    return fail(
        ErrorCode::internal,
        concat("a compressed part of ", stream.size(), " bytes is not one deflate stream of ", length, " bytes"),
        "report this, and use compression level 0 until it is mended");
  auto& first = stream[static_cast<std::size_t>(walk.last_block() / 8)];
  first = static_cast<char>(first & ~(1 << (walk.last_block() % 8)));
  if (walk.end() % 8 != 0) stream.back() = static_cast<char>(stream.back() & ((1 << (walk.end() % 8)) - 1));
  // An empty stored block: three bits of zero, zeros up to a byte, the length 0 and its complement.
  stream.resize(static_cast<std::size_t>((walk.end() + 3 + 7) / 8), '\0');
  stream.append("\x00\x00\xFF\xFF", 4);
  return {};
}

}  // namespace crategate::zip
