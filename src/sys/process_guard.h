// What this process shows of itself to the machine.
// Belongs here: limits that hold from the start to the end.  Not here: what children get (child.cpp).
#pragma once

namespace crategate::sys {

/// No core dump is written of this process or its children, and nobody but root reads its memory (A82): it holds
/// credentials.
/// Effects: process-wide.
void guard_process();

}  // namespace crategate::sys
