// Attempts that run beside each other.
#include "net/race.h"

#include <algorithm>
#include <optional>

#include "net/request_error.h"

namespace crategate::net {
namespace {

using std::chrono::milliseconds;

class Race {
 public:
  Race(const std::vector<SocketAddress>& addresses, Patience& patience) : addresses_(addresses), patience_(patience) {}

  Result<Winner> run() {
    const auto since = std::chrono::steady_clock::now();
    while (true) {
      start_what_is_due();
      if (running_.empty()) return no_contact(patience_.request(), "cannot connect to", last_reason_);
      CG_TRY(const milliseconds slice, patience_.slice(since));
      const auto ready = first_writable(sockets(), static_cast<int>(std::min(slice, until_next()).count()));
      if (!ready) continue;
      Winner attempt = std::move(running_[*ready]);
      running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(*ready));
      const auto connected = finish_connecting(attempt.socket.get());
      if (connected) return attempt;
      lost(connected.error());
    }
  }

 private:
  void start_what_is_due() {
    while (next_ < addresses_.size() && (running_.empty() || until_next().count() <= 0)) {
      const SocketAddress& address = addresses_[next_++];
      due_ = std::chrono::steady_clock::now() + kHeadStart;
      auto socket = start_connecting(address);
      if (socket)
        running_.push_back({std::move(*socket), address});
      else
        lost(socket.error());
    }
  }

  /// The next address need not wait for one that has failed.
  void lost(const Error& error) {
    last_reason_ = error.message;
    due_ = std::chrono::steady_clock::now();
  }

  milliseconds until_next() const {
    if (next_ == addresses_.size()) return milliseconds::max();
    return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(due_ - std::chrono::steady_clock::now()));
  }

  std::vector<int> sockets() const {
    std::vector<int> numbers;
    for (const Winner& attempt : running_) numbers.push_back(attempt.socket.get());
    return numbers;
  }

  const std::vector<SocketAddress>& addresses_;
  Patience& patience_;
  std::vector<Winner> running_;
  std::size_t next_ = 0;
  std::chrono::steady_clock::time_point due_;
  std::string last_reason_ = "its name has no address";
};

}  // namespace

std::vector<SocketAddress> alternate_families(const std::vector<SocketAddress>& addresses) {
  std::vector<SocketAddress> first, others, ordered;
  for (const SocketAddress& address : addresses)
    (address.family == addresses.front().family ? first : others).push_back(address);
  for (std::size_t i = 0; i < std::max(first.size(), others.size()); ++i) {
    if (i < first.size()) ordered.push_back(first[i]);
    if (i < others.size()) ordered.push_back(others[i]);
  }
  return ordered;
}

Result<Winner> connect_first(const std::vector<SocketAddress>& addresses, Patience& patience) {
  return Race(addresses, patience).run();
}

}  // namespace crategate::net
