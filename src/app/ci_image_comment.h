// ci-image comment.
#pragma once

#include "app/application.h"
#include "base/result.h"

namespace crategate::app {

Result<void> ci_image_comment(Application& app);

}  // namespace crategate::app
