// `crategate registry …`: the registry client for people.
// Belongs here: words → one call of the client → lines or JSON.  Not here: requests (registry).
#pragma once

#include "app/application.h"

namespace crategate::app {

Result<void> registry_ls(Application& app);
Result<void> registry_inspect(Application& app);
Result<void> registry_copy(Application& app);
Result<void> registry_tag(Application& app);
Result<void> registry_untag(Application& app);
Result<void> registry_digest(Application& app);
Result<void> registry_auth_check(Application& app);

}  // namespace crategate::app
