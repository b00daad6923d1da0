// RS256: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518, section 3.3).
// Belongs here: a key as text → a signature.  Not here: what is signed (github/app_token).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace crategate {

/// The signature's bytes. `pem`: an RSA private key of at least 2048 bits without a passphrase, PKCS #1 or PKCS #8.
/// Errors: bad_input for any other text, of which nothing is said but its kind.
Result<std::string> sign_rs256(const Secret& pem, std::string_view bytes);

}  // namespace crategate
