// Lanes, one for each origin.
#include "net/pool.h"

#include <algorithm>

namespace crategate::net {

Pool::Pool(std::size_t per_host) : per_host_(std::max<std::size_t>(per_host, 1)) {}

Result<Pool::Place> Pool::enter(Patience& patience) {
  if (!patience.request().unix_socket.empty()) return Place();
  std::unique_lock lock(mutex_);
  Lane& lane = lanes_[patience.request().url.origin()];
  while (lane.in_flight >= per_host_) {
    // Waiting for our own requests is no silence of the server.
    CG_TRY(const auto slice, patience.slice(std::chrono::steady_clock::now()));
    lane.freed.wait_for(lock, slice);
  }
  ++lane.in_flight;
  return Place(*this, lane);
}

void Pool::leave(Lane& lane) {
  const std::scoped_lock lock(mutex_);
  --lane.in_flight;
  lane.freed.notify_one();
}

std::unique_ptr<Connection> Pool::take(const Request& request, bool proxied) {
  if (!request.unix_socket.empty()) return nullptr;
  const std::scoped_lock lock(mutex_);
  auto& idle = lanes_[request.url.origin()].idle;
  for (std::size_t i = idle.size(); i-- > 0;) {
    if (request.public_address_only && !proxied && !idle[i]->is_public()) continue;
    std::unique_ptr<Connection> connection = std::move(idle[i]);
    idle.erase(idle.begin() + static_cast<std::ptrdiff_t>(i));
    if (connection->is_usable()) return connection;
  }
  return nullptr;
}

void Pool::give(const Request& request, std::unique_ptr<Connection> connection) {
  if (!request.unix_socket.empty()) return;
  const std::scoped_lock lock(mutex_);
  auto& idle = lanes_[request.url.origin()].idle;
  if (idle.size() < per_host_) idle.push_back(std::move(connection));
}

}  // namespace crategate::net
