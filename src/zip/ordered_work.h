// Parts made on several threads and taken in their order, with few of them waiting.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/result.h"

namespace crategate::zip {

template <class Part>
using Maker = std::function<Result<Part>(std::size_t index)>;

/// Makes the parts 0 to `count`, each thread with a maker of its own, and takes them on this thread in order. At most
/// two parts per thread are in the making or waiting. The first error, in the order of the parts, ends the work.
template <class Part>
Result<void> in_order(std::size_t count, unsigned threads, const std::function<Result<Maker<Part>>()>& create_maker,
                      const std::function<Result<void>(Part&&)>& take) {
  if (threads <= 1 || count <= 1) {
    CG_TRY(const auto make, create_maker());
    for (std::size_t i = 0; i < count; ++i) {
      CG_TRY(Part part, make(i));
      CG_CHECK(take(std::move(part)));
    }
    return {};
  }
  struct Shared {
    std::mutex mutex;
    std::condition_variable made, room;
    std::map<std::size_t, Result<Part>> waiting;
    std::size_t next = 0, taken = 0;
    bool stop = false;
  } shared;
  const std::size_t ahead = std::size_t{2} * threads;
  const auto work = [&] {
    const auto maker = create_maker();
    std::unique_lock lock(shared.mutex);
    while (true) {
      shared.room.wait(lock, [&] { return shared.stop || shared.next >= count || shared.next < shared.taken + ahead; });
      if (shared.stop || shared.next >= count) return;
      const std::size_t index = shared.next++;
      lock.unlock();
      Result<Part> part = maker ? (*maker)(index) : Result<Part>(fail(maker.error()));
      lock.lock();
      shared.waiting.emplace(index, std::move(part));
      shared.made.notify_one();
    }
  };
  std::vector<std::thread> pool;
  for (std::size_t i = 0; i < std::min<std::size_t>(threads, count); ++i) pool.emplace_back(work);
  Result<void> outcome;
  for (std::size_t i = 0; i < count && outcome; ++i) {
    std::unique_lock lock(shared.mutex);
    shared.made.wait(lock, [&] { return shared.waiting.contains(i); });
    Result<Part> part = std::move(shared.waiting.extract(i).mapped());
    lock.unlock();
    outcome = part ? take(*std::move(part)) : Result<void>(fail(std::move(part).error()));
    lock.lock();
    shared.taken = i + 1;
    shared.stop = !outcome;
    shared.room.notify_all();
  }
  for (auto& thread : pool) thread.join();
  return outcome;
}

}  // namespace crategate::zip
