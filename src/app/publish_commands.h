// verify, push, release and report: what works on all cells of a plan.
#pragma once

#include "app/application.h"
#include "base/result.h"

namespace crategate::app {

Result<void> verify(Application& app);
Result<void> push(Application& app);
Result<void> release(Application& app);
Result<void> report(Application& app);

}  // namespace crategate::app
