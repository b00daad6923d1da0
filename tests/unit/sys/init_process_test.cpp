#include "sys/init_process.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <functional>

namespace crategate::sys {
namespace {

constexpr int kOrphanLeft = 99;

/// Runs `program` below a process that adopts orphans, as process 1 does.
/// Returns: the exit code that it was attended with, or kOrphanLeft.
int attended(const std::function<int()>& program) {
  const pid_t init = ::fork();
  if (init == 0) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&signals, number);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
      ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
      ::_exit(program());
    }
    const int code = attend(child);
    const bool none_left = ::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD;
    ::_exit(none_left ? code : kOrphanLeft);
  }
  int status = 0;
  ::waitpid(init, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(InitProcess, AnswersWithTheProgramsExitCode) {
  EXPECT_EQ(attended([] { return 0; }), 0);
  EXPECT_EQ(attended([] { return 41; }), 41);
}

TEST(InitProcess, TellsWhichSignalKilledTheProgram) {
  EXPECT_EQ(attended([] {
              ::raise(SIGKILL);
              return 0;
            }),
            128 + SIGKILL);
}

TEST(InitProcess, HandsSignalsOn) {  // B26
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    EXPECT_EQ(attended([number] {
                struct sigaction action = {};
                action.sa_handler = [](int received) { ::_exit(received + 50); };
                ::sigaction(number, &action, nullptr);
                ::kill(::getppid(), number);
                while (true) ::pause();
                return 0;
              }),
              number + 50);
  }
}

TEST(InitProcess, ReapsOrphansWhileTheProgramRuns) {
  EXPECT_EQ(attended([] {
              int ends[2];
              if (::pipe(ends) != 0) return 1;
              if (::fork() == 0) {
                const pid_t orphan = ::fork();  // adopted when its parent ends
                if (orphan == 0) ::_exit(0);
                ::_exit(::write(ends[1], &orphan, sizeof orphan) == sizeof orphan ? 0 : 1);
              }
              ::wait(nullptr);
              pid_t orphan = 0;
              if (::read(ends[0], &orphan, sizeof orphan) != sizeof orphan) return 1;
              while (::kill(orphan, 0) == 0) ::sched_yield();  // until nothing is left of it
              return 7;
            }),
            7);
}

TEST(InitProcess, IsNoneOutsideAContainer) { EXPECT_EQ(run_as_init(), std::nullopt); }

}  // namespace
}  // namespace crategate::sys
