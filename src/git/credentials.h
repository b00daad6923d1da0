// Credentials that a checkout leaves in `.git/config`, where a build context or a container would find them.
#pragma once

#include <string_view>

namespace crategate::git {

/// Whether the text of a git configuration holds one: an `extraheader`, or an address with a password (of a remote, a proxy, an
/// `insteadOf`).
bool holds_credentials(std::string_view configuration);

}  // namespace crategate::git
