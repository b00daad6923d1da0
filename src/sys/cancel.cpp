// The cancellation flag and its pipe. The handler only stores a number and writes one byte.
#include "sys/cancel.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>

namespace crategate::sys {
namespace {

constexpr int kNone = 0;
std::atomic<int> requested{kNone};
std::atomic<int> read_end{-1};
std::atomic<int> write_end{-1};
std::atomic<int> pauses{0};
static_assert(std::atomic<int>::is_always_lock_free);

void wake() {
  const int saved = errno;
  const int descriptor = write_end.load();
  if (descriptor >= 0) [[maybe_unused]]
    const auto ignored = ::write(descriptor, "!", 1);
  errno = saved;
}

/// The first request counts: a runner sends SIGINT and then SIGTERM. A terminal that was closed ends the run, too.
void request(int signal_number) {
  int expected = kNone;
  const int counted = signal_number == SIGHUP ? SIGTERM : signal_number;
  if (requested.compare_exchange_strong(expected, counted)) wake();
}

void open_pipe() {
  static std::once_flag once;
  std::call_once(once, [] {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return;
    read_end = ends[0];
    write_end = ends[1];
  });
}

void install(int signal_number, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  ::sigaction(signal_number, &action, nullptr);
}

}  // namespace

void install_cancellation() {
  open_pipe();
  install(SIGINT, request);
  install(SIGTERM, request);
  struct sigaction hang_up = {};
  ::sigaction(SIGHUP, nullptr, &hang_up);
  if (hang_up.sa_handler != SIG_IGN) install(SIGHUP, request);  // `nohup` asks to go on
  ignore_broken_pipes();
}

void ignore_broken_pipes() { install(SIGPIPE, SIG_IGN); }

std::optional<ErrorCode> cancellation() {
  switch (requested.load()) {
    case kNone:
      return std::nullopt;
    case SIGTERM:
      return ErrorCode::terminated;
    default:
      return ErrorCode::interrupted;
  }
}

int cancellation_descriptor() { return read_end.load(); }

void request_cancellation(ErrorCode code) {
  open_pipe();
  request(code == ErrorCode::terminated ? SIGTERM : SIGINT);
}

void reset_cancellation() {
  char discarded[16];
  while (read_end.load() >= 0 && ::read(read_end.load(), discarded, sizeof discarded) > 0) {
  }
  requested = kNone;
}

CancellationPause::CancellationPause() { ++pauses; }
CancellationPause::~CancellationPause() { --pauses; }

Result<void> check_cancelled() {
  const auto code = cancellation();
  if (!code || pauses > 0) return {};
  return fail(*code, "cancelled", "Run the same command again; what is finished is kept.");
}

}  // namespace crategate::sys
