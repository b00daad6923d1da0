// Workers that take the next number from a shared counter.
#include "sys/parallel.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "sys/cancel.h"

namespace crategate::sys {
namespace {

class Workers {
 public:
  Workers(std::size_t count, const std::function<Result<void>(std::size_t)>& work) : count_(count), work_(work) {}

  void run() {
    while (const auto number = take())
      if (auto done = attempt(*number); !done) keep(*number, std::move(done).error());
  }

  /// Whether there is something that nobody has begun.
  bool waiting() {
    const std::scoped_lock lock(mutex_);
    return !first_ && !stopped_ && next_ < count_;
  }

  Result<void> outcome() && {
    if (first_) return fail(std::move(*first_));
    if (stopped_) return fail(std::move(*stopped_));
    return {};
  }

 private:
  std::optional<std::size_t> take() {
    const std::scoped_lock lock(mutex_);
    if (first_ || stopped_ || next_ == count_) return std::nullopt;
    if (auto cancelled = check_cancelled(); !cancelled) {
      stopped_ = std::move(cancelled).error();
      return std::nullopt;
    }
    return next_++;
  }

  Result<void> attempt(std::size_t number) const {
    try {
      return work_(number);
    } catch (const std::exception& exception) {
      return fail(ErrorCode::internal, concat("an exception ended parallel work: ", exception.what()));
    } catch (...) {
      return fail(ErrorCode::internal, "an exception ended parallel work");
    }
  }

  void keep(std::size_t number, Error error) {
    const std::scoped_lock lock(mutex_);
    if (first_ && first_number_ < number) return;
    first_ = std::move(error);
    first_number_ = number;
  }

  const std::size_t count_;
  const std::function<Result<void>(std::size_t)>& work_;
  std::mutex mutex_;
  std::size_t next_ = 0, first_number_ = 0;
  std::optional<Error> first_, stopped_;
};

}  // namespace

Result<void> for_each_parallel(std::size_t count, std::size_t width,
                               const std::function<Result<void>(std::size_t)>& work) {
  Workers workers(count, work);
  std::vector<std::thread> threads;
  const std::size_t together = std::min(std::max<std::size_t>(width, 1), count);
  threads.reserve(together);
  try {
    while (threads.size() + 1 < together && workers.waiting()) threads.emplace_back([&workers] { workers.run(); });
  } catch (const std::system_error&) {
    // The system grants no further thread: those that there are do the work.
  }
  workers.run();
  for (std::thread& thread : threads) thread.join();
  return std::move(workers).outcome();
}

}  // namespace crategate::sys
