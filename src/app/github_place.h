// Which repository of GitHub a command works for, as the runner says.
#pragma once

#include "app/application.h"
#include "base/result.h"
#include "github/values.h"
#include "stages/wait_image.h"

namespace crategate::app {

/// Errors: bad_input where nothing names it.
Result<github::RepositoryName> repository_of(const Application& app);

/// Its name, number and address, as far as they are known.
stages::WaitPlace place_of(const Application& app);

}  // namespace crategate::app
