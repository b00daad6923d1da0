// UTF-8, one code point at a time (RFC 3629: no surrogates, no overlong forms, nothing above U+10FFFF).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace crategate {

struct CodePoint {
  char32_t value = 0;
  std::size_t length = 0;  ///< bytes; 1 for a byte that is not UTF-8
  bool valid = false;
};

/// The code point that starts at `offset`, which must be less than `text.size()`.
CodePoint code_point_at(std::string_view text, std::size_t offset);

/// `value`, at most U+10FFFF, at the end of `text`.
void append_utf8(std::string& text, char32_t value);

bool is_control(char32_t value);  ///< C0, C1 and delete
/// Characters without width, which culture-aware comparisons skip, and bidi controls.
bool is_invisible(char32_t value);

/// `text` with every byte that is not UTF-8 replaced by U+FFFD.
std::string to_valid_utf8(std::string_view text);

}  // namespace crategate
