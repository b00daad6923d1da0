// Which work runs, how much of it at once, and which error counts.
#include "sys/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "sys/cancel.h"

namespace crategate::sys {
namespace {

TEST(ForEachParallel, CallsTheWorkOnceForEachNumber) {
  for (const std::size_t width : {0U, 1U, 3U, 64U}) {
    std::vector<std::atomic<int>> calls(20);
    EXPECT_TRUE(for_each_parallel(calls.size(), width, [&](std::size_t i) -> Result<void> {
      ++calls[i];
      return {};
    }));
    for (const auto& count : calls) EXPECT_EQ(count, 1) << width;
  }
  EXPECT_TRUE(for_each_parallel(0, 4, [](std::size_t) -> Result<void> { return fail(ErrorCode::internal, "called"); }));
}

TEST(ForEachParallel, RunsAsManyAtOnceAsItMayAndNoMore) {
  constexpr int kWidth = 4;
  std::barrier together(kWidth);  // never passed, if fewer ran at the same time
  std::atomic<int> running = 0, most = 0;
  std::mutex mutex;
  std::set<std::thread::id> threads;
  EXPECT_TRUE(for_each_parallel(3 * kWidth, kWidth, [&](std::size_t) -> Result<void> {
    const int now = ++running;
    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
    }
    together.arrive_and_wait();
    --running;
    const std::scoped_lock lock(mutex);
    threads.insert(std::this_thread::get_id());
    return {};
  }));
  EXPECT_EQ(most, kWidth);
  EXPECT_EQ(threads.size(), kWidth);
}

TEST(ForEachParallel, OfOneItemNeedsNoThread) {
  std::thread::id worker;
  EXPECT_TRUE(for_each_parallel(1, 8, [&](std::size_t) -> Result<void> {
    worker = std::this_thread::get_id();
    return {};
  }));
  EXPECT_EQ(worker, std::this_thread::get_id());
}

TEST(ForEachParallel, AnswersTheFirstErrorInOrderAfterWhatRunsHasEnded) {
  std::barrier all_started(3), later_is_done(2);
  std::atomic<int> started = 0, ended = 0;
  const auto outcome = for_each_parallel(100, 3, [&](std::size_t i) -> Result<void> {
    ++started;
    if (i < 3) all_started.arrive_and_wait();
    if (i == 0 || i == 2) later_is_done.arrive_and_wait();
    ++ended;
    if (i == 1 || i > 2) return {};
    return fail(i == 0 ? ErrorCode::unavailable : ErrorCode::integrity, i == 0 ? "first" : "later");
  });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().message, "first");
  EXPECT_EQ(started, ended) << "what runs is waited for";
}

TEST(ForEachParallel, StartsNothingAfterAnError) {
  int calls = 0;
  const auto outcome = for_each_parallel(100, 1, [&](std::size_t i) -> Result<void> {
    ++calls;
    if (i == 4) return fail(ErrorCode::unavailable, "fifth");
    return {};
  });
  EXPECT_EQ(outcome.error().message, "fifth");
  EXPECT_EQ(calls, 5);
}

TEST(ForEachParallel, LetsNoExceptionEscape) {
  const auto outcome =
      for_each_parallel(4, 2, [](std::size_t) -> Result<void> { throw std::runtime_error("thrown inside"); });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::internal);
  EXPECT_NE(outcome.error().message.find("thrown inside"), std::string::npos);
  EXPECT_FALSE(for_each_parallel(1, 1, [](std::size_t) -> Result<void> { throw 1; }));
}

class CancelledForEachParallel : public ::testing::Test {
 protected:
  void TearDown() override { reset_cancellation(); }
};

TEST_F(CancelledForEachParallel, StartsNothingNew) {
  std::atomic<int> calls = 0;
  const auto outcome = for_each_parallel(10, 1, [&](std::size_t i) -> Result<void> {
    ++calls;
    if (i == 2) request_cancellation(ErrorCode::terminated);
    return {};
  });
  EXPECT_EQ(outcome.error().code, ErrorCode::terminated);
  EXPECT_EQ(calls, 3);
}

TEST_F(CancelledForEachParallel, HasSucceededWhenNothingWasLeft) {
  EXPECT_TRUE(for_each_parallel(1, 1, [](std::size_t) -> Result<void> {
    request_cancellation(ErrorCode::interrupted);
    return {};
  }));
}

}  // namespace
}  // namespace crategate::sys
