// The first process of a container: signals go on to the program, orphans are reaped.
// Belongs here: being process 1.  Not here: what a signal means to the program (cancel).
#pragma once

#include <sys/types.h>

#include <optional>

namespace crategate::sys {

/// As process 1 of a container the program runs in a child, and this process is its init: the kernel ignores signals
/// that process 1 has no handler for, and hands it every orphan of the children. A runner starts a container action
/// without an init of its own.
///
/// Effects: as process 1 a fork; call it before any thread is started.
/// Returns: in process 1 the exit code of the child, once it has ended; nullopt everywhere else: go on.
std::optional<int> run_as_init();

/// SIGINT, SIGTERM and SIGHUP, blocked by the caller, go to `child`; every child that ends is reaped until it does.
/// Returns: its exit code, 128+n when signal n killed it.
int attend(pid_t child);

}  // namespace crategate::sys
