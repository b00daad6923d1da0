// The GitHub App that pushes the commit of /regen: the settings push-app-id and push-app-key.
// Belongs here: whether they are given as they can be used.  Not here: what GitHub gives the App (github/app_token).
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "config/settings.h"
#include "github/app_token.h"

namespace crategate::app {

/// Moves the key's text out of `given`; nullopt = no App was named.
/// Errors: bad_input for one of the two alone, for both beside push-token, for another command than ci-image regen-apply:
/// a key has no business in a job that does not push.
Result<std::optional<github::GitHubApp>> take_push_app(config::Invocation& given, std::string_view command);

}  // namespace crategate::app
