// `crategate cleanup`, and what its containers run.
#pragma once

#include "app/application.h"
#include "base/result.h"

namespace crategate::app {

Result<void> cleanup(Application& app);
Result<void> cleanup_here(Application& app);

}  // namespace crategate::app
