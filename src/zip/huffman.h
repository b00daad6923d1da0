// The codes of deflate (RFC 1951 §3.2): bits as they come, and canonical Huffman codes with what they mean.
// Belongs here: one code.  Not here: blocks and streams (seam).
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace crategate::zip {

inline constexpr unsigned kLongest = 15, kLookup = 11;

/// What a code means, `base` bytes and as many more as `extra` bits say, in one word: the walk is as fast as its table.
class Meaning {
 public:
  enum class Kind : unsigned char { other, literal };
  constexpr Meaning() = default;
  constexpr explicit Meaning(unsigned base, unsigned extra = 0, Kind kind = Kind::other)
      : word_(base << 16 | extra << 8 | (kind == Kind::literal ? 0x80u : 0u)) {}
  constexpr Meaning coded_in(unsigned bits) const {
    Meaning made = *this;
    made.word_ |= bits;
    return made;
  }
  unsigned code() const { return word_ & 0x1F; }  ///< bits; 0 = no code that the table has room for
  unsigned extra() const { return word_ >> 8 & 0x1F; }
  unsigned base() const { return word_ >> 16; }
  bool literal() const { return (word_ & 0x80) != 0; }

 private:
  std::uint32_t word_ = 0;
};

class Bits {
 public:
  explicit Bits(std::string_view bytes) : bytes_(bytes) {}

  /// At least 56 bits wait afterwards; behind the end they are zeros, which `overrun` tells.
  void fill() {
    if (next_ + sizeof waiting_ <= bytes_.size()) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes_.data() + next_, sizeof word);
      waiting_ |= word << count_;
      next_ += (63 - count_) >> 3;
      count_ |= 56;
      return;
    }
    for (; count_ <= 56; count_ += 8, ++next_) {
      if (next_ < bytes_.size()) waiting_ |= std::uint64_t{static_cast<unsigned char>(bytes_[next_])} << count_;
    }
  }
  std::uint64_t waiting() const { return waiting_; }
  unsigned take(unsigned bits) {
    const auto value = static_cast<unsigned>(waiting_ & ((std::uint64_t{1} << bits) - 1));
    drop(bits);
    return value;
  }
  void drop(unsigned bits) {
    waiting_ >>= bits;
    count_ -= bits;
  }
  /// Bits from the beginning.
  std::uint64_t at() const { return std::uint64_t{next_} * 8 - count_; }
  void go_to(std::uint64_t bit) {
    next_ = static_cast<std::size_t>(bit / 8);
    waiting_ = 0;
    count_ = 0;
    fill();
    drop(static_cast<unsigned>(bit % 8));
  }
  bool overrun() const { return at() > std::uint64_t{bytes_.size()} * 8; }

 private:
  std::string_view bytes_;
  std::size_t next_ = 0;
  std::uint64_t waiting_ = 0;
  unsigned count_ = 0;
};

/// One Huffman code of a block.
class Code {
 public:
  using Meanings = std::span<const Meaning>;

  /// `lengths[i]` is the length of the code of `meanings[i]`. False for more codes than there is room for.
  bool build(std::span<const std::uint8_t> lengths, Meanings meanings);

  /// The meaning of the next code, for its bits to be dropped; code() == 0 when there is none.
  Meaning find(const Bits& bits) const {
    const Meaning found = table_[bits.waiting() & ((1u << kLookup) - 1)];
    return found.code() == 0 ? find_long(bits) : found;
  }

 private:
  void place(unsigned length, Meaning meaning, std::array<unsigned, kLongest + 2>& next);

  Meaning find_long(const Bits& bits) const;

  std::array<Meaning, 1u << kLookup> table_{};
  std::array<unsigned, kLongest + 1> count_{};
  std::array<unsigned, kLongest + 2> first_{};
  std::array<std::vector<Meaning>, kLongest + 1> long_{};
};

}  // namespace crategate::zip
