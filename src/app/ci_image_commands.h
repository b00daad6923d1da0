// ci-image resolve, tags.
#pragma once

#include "app/application.h"
#include "base/result.h"

namespace crategate::app {

Result<void> ci_image_resolve(Application& app);
Result<void> ci_image_wait(Application& app);
Result<void> ci_image_tags(Application& app);

}  // namespace crategate::app
