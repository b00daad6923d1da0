// Connections between requests, and how many requests one origin gets at a time.
// Belongs here: who may go now, and on which warm connection.  Not here: what is sent (exchange).
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "net/connection.h"

namespace crategate::net {

/// Thread-safe. Requests to a unix socket have no place, and their connections are not kept.
class Pool {
 public:
  explicit Pool(std::size_t per_host);

  /// One of the requests in flight, while it lives.
  class Place;
  /// Waits until fewer than the limit are in flight. Errors: unavailable after the deadline; interrupted.
  Result<Place> enter(Patience& patience);
  /// An idle connection that can be used; null = there is none. `proxied`: the other end of it is a proxy.
  std::unique_ptr<Connection> take(const Request& request, bool proxied);
  /// `connection` stands at the start of the next message.
  void give(const Request& request, std::unique_ptr<Connection> connection);

 private:
  struct Lane {
    std::size_t in_flight = 0;
    std::condition_variable freed;
    std::vector<std::unique_ptr<Connection>> idle;  ///< the warmest last
  };
  void leave(Lane& lane);

  const std::size_t per_host_;
  std::mutex mutex_;
  std::map<std::string, Lane> lanes_;  ///< by origin; none is ever removed
};

class Pool::Place {
 public:
  Place() = default;
  Place(Pool& pool, Lane& lane) : pool_(&pool), lane_(&lane) {}
  Place(Place&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)), lane_(other.lane_) {}
  Place& operator=(Place&&) = delete;
  ~Place() {
    if (pool_ != nullptr) pool_->leave(*lane_);
  }

 private:
  Pool* pool_ = nullptr;
  Lane* lane_ = nullptr;
};

}  // namespace crategate::net
