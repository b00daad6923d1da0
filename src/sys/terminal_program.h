// A program that takes over this process and its terminal.
// Belongs here: giving up control.  Not here: programs that are waited for (process).
#pragma once

#include "base/result.h"
#include "sys/process.h"

namespace crategate::sys {

/// Whether a person sits at standard input and output.
bool has_terminal();

/// Becomes that program: comes back only when that cannot be.
/// Effects: this process ends, nothing of it is destroyed.
/// Errors: not_found (program), bad_input (directory), internal.
Result<void> become(const Command& command);

}  // namespace crategate::sys
