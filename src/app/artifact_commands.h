// artifact upload, download, list.
#pragma once

#include "app/application.h"
#include "base/result.h"

namespace crategate::app {

Result<void> artifact_upload(Application& app);
Result<void> artifact_download(Application& app);
Result<void> artifact_list(Application& app);

}  // namespace crategate::app
