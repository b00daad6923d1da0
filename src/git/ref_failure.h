// What git says when a remote does not do what it was asked, as an Error.
// Belongs here: git's words and their meaning.  Not here: whether the ref has moved (ref_store).
#pragma once

#include <string_view>

#include "base/result.h"
#include "git/remote_address.h"

namespace crategate::git {

/// `doing`: "read refs/crategate/x". `output`: git's standard error, or the reason of a refused push.
/// unauthenticated, forbidden, not_found; unavailable for everything that another try may mend. Shows no credential.
Error remote_failure(std::string_view doing, const RemoteAddress& remote, std::string_view output);
/// A push that the server refused by rule: a hook, a protected ref, a quota. `output`: git's standard error, with the server's
/// own words.
Error refused_push(std::string_view ref, const RemoteAddress& remote, std::string_view reason, std::string_view output);

}  // namespace crategate::git
