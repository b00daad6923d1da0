// The rows of the settings table that are about one invocation.
#pragma once

#include <vector>

#include "config/settings.h"

namespace crategate::config {

/// In the order of docs/configuration.md.
std::vector<Setting> invocation_settings();

}  // namespace crategate::config
