#include "sys/init_process.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace crategate::sys {
namespace {

constexpr int kSignalled = 128;

sigset_t attended_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&signals, number);
  return signals;
}

/// nullopt: `child` still runs.
std::optional<int> reap(pid_t child) {
  std::optional<int> code;
  while (true) {
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, WNOHANG);
    if (ended == 0 || (ended < 0 && errno != EINTR)) return code;
    if (ended == child) code = WIFSIGNALED(status) ? kSignalled + WTERMSIG(status) : WEXITSTATUS(status);
  }
}

}  // namespace

int attend(pid_t child) {
  const sigset_t signals = attended_signals();
  while (true) {
    if (const auto code = reap(child)) return *code;
    const int number = ::sigwaitinfo(&signals, nullptr);
    if (number > 0 && number != SIGCHLD) ::kill(child, number);
  }
}

std::optional<int> run_as_init() {
  if (::getpid() != 1) return std::nullopt;
  const sigset_t signals = attended_signals();
  sigset_t before;
  ::sigprocmask(SIG_BLOCK, &signals, &before);
  const pid_t child = ::fork();
  if (child > 0) return attend(child);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  return std::nullopt;  // in the child; where no process can be made, in process 1 itself
}

}  // namespace crategate::sys
