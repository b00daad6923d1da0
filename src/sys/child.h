// One child process: started in its own process group, watched, and killed with everything in that group.
// Belongs here: descriptors, signals and waiting.  Not here: time limits and captured text (process.cpp).
#pragma once

#include <sys/types.h>

#include "sys/descriptor.h"
#include "sys/process.h"

namespace crategate::sys {

struct Child {
  pid_t id = -1;
  Descriptor ended;     ///< readable when the child has ended; invalid where the kernel has no pidfd
  Descriptor out, err;  ///< non-blocking; `err` is invalid when the streams are merged
};

/// The file to execute; the current directory is never searched.
/// Errors: not_found.
Result<Path> find_program(const Command& command);

/// Errors: not_found (program), bad_input (directory), internal.
Result<Child> start_child(const Command& command, bool merge_streams);

/// True once the child itself has ended; it stays a zombie, so that its process group cannot be somebody else's.
bool has_ended(const Child& child);
void signal_group(const Child& child, int signal_number);
/// Waits for the child and returns its exit code, 128+n when signal n killed it.
int reap(const Child& child);

}  // namespace crategate::sys
