// Codes up to 11 bits by a table, the few longer ones bit by bit.
#include "zip/huffman.h"

namespace crategate::zip {
namespace {

unsigned reversed(unsigned code, unsigned bits) {
  unsigned value = 0;
  for (unsigned i = 0; i < bits; ++i) value |= ((code >> i) & 1u) << (bits - 1 - i);
  return value;
}

}  // namespace

bool Code::build(std::span<const std::uint8_t> lengths, Meanings meanings) {
  std::array<unsigned, kLongest + 2> next{};
  count_.fill(0);
  for (const auto length : lengths) ++count_[length];
  count_[0] = 0;
  for (unsigned bits = 1; bits <= kLongest; ++bits) {
    next[bits + 1] = (next[bits] + count_[bits]) << 1;
    if (next[bits] + count_[bits] > (1u << bits)) return false;
  }
  first_ = next;
  table_.fill(Meaning{});
  for (auto& sorted : long_) sorted.clear();
  for (std::size_t i = 0; i < lengths.size(); ++i) place(lengths[i], meanings[i], next);
  return true;
}

void Code::place(unsigned length, Meaning meaning, std::array<unsigned, kLongest + 2>& next) {
  if (length == 0) return;
  const unsigned code = next[length]++;
  meaning = meaning.coded_in(length);
  if (length > kLookup) {
    long_[length].push_back(meaning);
    return;
  }
  for (unsigned i = reversed(code, length); i < table_.size(); i += 1u << length) table_[i] = meaning;
}

Meaning Code::find_long(const Bits& bits) const {
  unsigned code = reversed(static_cast<unsigned>(bits.waiting() & ((1u << kLookup) - 1)), kLookup);
  for (unsigned length = kLookup + 1; length <= kLongest; ++length) {
    code = code << 1 | static_cast<unsigned>(bits.waiting() >> (length - 1) & 1);
    if (code >= first_[length] && code - first_[length] < long_[length].size())
      return long_[length][code - first_[length]];
  }
  return {};
}

}  // namespace crategate::zip
