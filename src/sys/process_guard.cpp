#include "sys/process_guard.h"

#include <sys/prctl.h>
#include <sys/resource.h>

namespace crategate::sys {

void guard_process() {
  constexpr rlimit kNone{0, 0};
  ::setrlimit(RLIMIT_CORE, &kNone);
#if !defined(__SANITIZE_ADDRESS__)  // the leak checker reads the memory of its own process
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

}  // namespace crategate::sys
