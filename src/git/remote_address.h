// Addresses of git repositories: which may be spoken to, and how one is shown.
// Belongs here: text → parts.  Not here: a remote's name in a checkout (remote_access).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace crategate::git {

struct RemoteAddress {
  enum class Kind : unsigned char { https, ssh, local };
  Kind kind = Kind::local;
  std::string text;      ///< as git takes it; may hold a password
  std::string host;      ///< lower case, with a port that is written; empty for a path
  std::string shown;     ///< without user and password
  std::string password;  ///< as written, or what stands alone as the user of an https address
};

/// Whether `text` is an address or a path rather than the name of a remote: it has a slash or a colon, or is a dot.
bool is_remote_address(std::string_view text);

/// https, ssh (also `host:path`), file and absolute paths.
/// Errors: bad_input for every other protocol, an option, control characters; never with a password in the message.
Result<RemoteAddress> parse_remote_address(std::string_view text);

}  // namespace crategate::git
