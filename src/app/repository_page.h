// Where the repository that a job runs for is to be read.
// Belongs here: the runner's variables → an address.  Not here: the API's (github/endpoint).
#pragma once

#include <string>

#include "sys/environment.h"

namespace crategate::app {

/// `https://github.com/OWNER/NAME`; empty where the runner does not say both.
std::string repository_page(const sys::Environment& environment);

}  // namespace crategate::app
