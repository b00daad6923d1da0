// Running a child to its end: output, time limit, cancellation.
#include "sys/process.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "sys/cancel.h"
#include "sys/child.h"
#include "sys/clock.h"

namespace crategate::sys {
namespace {

using std::chrono::milliseconds;

/// How long output is read after the child itself has ended: a grandchild may hold the pipe open for ever.
constexpr milliseconds kDrain{200};
/// Without a pidfd the end of the child is looked up this often.
constexpr milliseconds kLookUp{50};
constexpr milliseconds kNever = milliseconds::max();

/// One run; its steps are: pump, interrupt when asked, drain, end.
class Run {
 public:
  Run(Child child, const RunOptions& options) : child_(std::move(child)), options_(options), started_(now()) {}

  ProcessOutcome to_end() {
    while (!has_ended(child_)) {
      interrupt_if_due();
      wait(until_next_event());
    }
    drain();
    signal_group(child_, SIGKILL);
    read_available();
    outcome_.exit_code = reap(child_);
    outcome_.elapsed = std::chrono::duration_cast<milliseconds>(now() - started_);
    return std::move(outcome_);
  }

 private:
  static Instant now() { return std::chrono::steady_clock::now(); }

  bool stopping() const { return outcome_.timed_out || outcome_.cancelled; }

  void interrupt_if_due() {
    if (stopping()) {
      if (now() - stopped_ >= options_.grace) signal_group(child_, SIGKILL);
      return;
    }
    outcome_.cancelled = !options_.ignore_cancellation && cancellation().has_value();
    outcome_.timed_out = !outcome_.cancelled && options_.timeout && now() - started_ >= *options_.timeout;
    if (!stopping()) return;
    stopped_ = now();
    signal_group(child_, SIGTERM);
    signal_group(child_, SIGCONT);
  }

  milliseconds until_next_event() const {
    milliseconds left = child_.ended.valid() ? kNever : kLookUp;
    if (stopping()) return std::min({left, kLookUp, remaining(stopped_, options_.grace)});
    if (options_.timeout) left = std::min(left, remaining(started_, *options_.timeout));
    return left;
  }

  static milliseconds remaining(Instant since, milliseconds length) {
    return std::max(milliseconds(1), length - std::chrono::floor<milliseconds>(now() - since));
  }

  /// Waits for output, the child's end or cancellation, and takes the output there is.
  void wait(milliseconds length) {
    const bool watch_cancellation = child_.ended.valid() && !stopping() && !options_.ignore_cancellation;
    pollfd events[] = {{child_.out.get(), POLLIN, 0},
                       {child_.err.get(), POLLIN, 0},
                       {child_.ended.get(), POLLIN, 0},
                       {watch_cancellation ? cancellation_descriptor() : -1, POLLIN, 0}};
    const int timeout = length == kNever ? -1 : static_cast<int>(std::min<long long>(length.count(), 1 << 30));
    if (::poll(events, std::size(events), timeout) <= 0) return;
    if (events[0].revents != 0) take(child_.out, Stream::out);
    if (events[1].revents != 0) take(child_.err, Stream::err);
  }

  /// Reads one block; false when there is none now.
  bool take(Descriptor& descriptor, Stream stream) {
    if (!descriptor.valid()) return false;
    const ssize_t count = ::read(descriptor.get(), block_.data(), block_.size());
    if (count > 0) {
      keep(stream, std::string_view(block_).substr(0, static_cast<std::size_t>(count)));
      return true;
    }
    if (count == 0 || (errno != EAGAIN && errno != EINTR)) descriptor.reset();
    return count < 0 && errno == EINTR;
  }

  void keep(Stream stream, std::string_view bytes) {
    std::string& text = stream == Stream::out ? outcome_.out : outcome_.err;
    const std::size_t room =
        std::min(bytes.size(), options_.capture_limit - std::min(options_.capture_limit, text.size()));
    text += bytes.substr(0, room);
    outcome_.dropped += bytes.size() - room;
    if (options_.on_output) options_.on_output(stream, bytes);
  }

  /// The child has ended: its pipes end too, unless somebody else holds them.
  void drain() {
    const Instant ended = now();
    child_.ended.reset();
    while ((child_.out.valid() || child_.err.valid()) && now() - ended < kDrain) wait(remaining(ended, kDrain));
  }

  /// What is in the pipes now, at most their capacity: a writer outside the group cannot keep us here.
  void read_available() {
    constexpr int kBlocks = 32;
    for (int i = 0; i < kBlocks && take(child_.out, Stream::out); ++i) {
    }
    for (int i = 0; i < kBlocks && take(child_.err, Stream::err); ++i) {
    }
  }

  Child child_;
  const RunOptions& options_;
  Instant started_, stopped_{};
  ProcessOutcome outcome_;
  std::string block_ = std::string(64u << 10, '\0');
};

}  // namespace

Result<ProcessOutcome> PosixProcessRunner::run(const Command& command, const RunOptions& options) {
  if (const auto code = cancellation(); code && !options.ignore_cancellation)
    return ProcessOutcome{.exit_code = exit_code(*code), .cancelled = true};
  CG_TRY(Child child, start_child(command, options.merge_streams));
  return Run(std::move(child), options).to_end();
}

}  // namespace crategate::sys
