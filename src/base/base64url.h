// The alphabet of RFC 4648, section 5, without padding: what JSON Web Tokens are written in. `decode_base64` reads it, too.
#pragma once

#include <string>
#include <string_view>

namespace crategate {

std::string base64url(std::string_view bytes);

}  // namespace crategate
