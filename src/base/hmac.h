// HMAC-SHA-256 (RFC 2104), and the comparison that belongs to it.
#pragma once

#include <string>
#include <string_view>

#include "base/secret.h"

namespace crategate {

/// 64 lower-case hex digits.
std::string hmac_sha256_hex(const Secret& key, std::string_view bytes);

/// Whether both are the same, in a time that depends on their lengths alone.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace crategate
