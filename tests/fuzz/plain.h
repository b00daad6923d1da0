// What every message must be, whatever the input was.
#pragma once

#include <algorithm>
#include <string_view>

#include "base/strings.h"

namespace crategate::fuzz {

inline bool is_plain(std::string_view text) {
  return is_valid_utf8(text) && std::none_of(text.begin(), text.end(),
                                             [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace crategate::fuzz
