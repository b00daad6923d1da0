// A listening socket whose connections each run a function: for servers that misbehave below HTTP.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "net/http.h"

namespace crategate::test {

class LoopbackServer {
 public:
  using Script = std::function<void(int socket)>;
  /// One connection for each script, in turn; it is closed when the script ends.
  explicit LoopbackServer(std::vector<Script> scripts);
  /// On a unix socket instead.
  LoopbackServer(const std::string& path, std::vector<Script> scripts);
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;
  ~LoopbackServer();
  net::Url url(const std::string& scheme, const std::string& target) const;
  int port() const { return port_; }
  int connections() const { return accepted_; }

 private:
  void serve(const std::vector<Script>& scripts);
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> accepted_ = 0;
  std::thread thread_;
};

/// At most `size` bytes, fewer or none at the end of what the client sends.
std::string read_some(int socket, std::size_t size);
void write_all(int socket, std::string_view bytes);
/// False when the client has closed.
bool try_write(int socket, std::string_view bytes);
/// Closing will discard what was not sent, and reset the connection.
void reset_on_close(int socket);

}  // namespace crategate::test
