// One invocation from argv to exit code.
#pragma once

#include <string>
#include <vector>

namespace crategate::app {

/// Returns the exit code of requirements §4. A failure ends with exactly two lines on stderr; nothing throws out of
/// here.
int run_program(const std::vector<std::string>& arguments);

}  // namespace crategate::app
