// Bytes over a connected, non-blocking socket, one attempt at a time.
// Belongs here: what an attempt came to.  Not here: waiting for the next one (connection).
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace crategate::net {

/// `no_tls`: what came back from the server is not of that protocol.
enum class Progress : unsigned char { done, wants_read, wants_write, closed, broken, distrusted, no_tls };

struct Step {
  Progress progress = Progress::done;
  std::size_t bytes = 0;  ///< moved, when done
  std::string why;        ///< when broken, distrusted or no_tls
};

class Channel {
 public:
  virtual ~Channel() = default;
  /// `bytes` is not empty. After wants_*, the next attempt begins with the same bytes.
  virtual Step send(std::string_view bytes) = 0;
  virtual Step receive(char* buffer, std::size_t size) = 0;
  /// Nothing waits to be read that a response could be mistaken for, and the server has not closed.
  virtual bool is_quiet() = 0;
};

/// `socket` stays the caller's and outlives the channel.
std::unique_ptr<Channel> make_plain_channel(int socket);

}  // namespace crategate::net
