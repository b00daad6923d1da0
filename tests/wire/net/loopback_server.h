// A listening socket whose connections each run a function: for servers that misbehave below HTTP.
#pragma once

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
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;
  ~LoopbackServer();
  net::Url url(const std::string& scheme, const std::string& target) const;

 private:
  void serve(const std::vector<Script>& scripts) const;
  int listener_ = -1;
  int port_ = 0;
  std::thread thread_;
};

/// At most `size` bytes, fewer or none at the end of what the client sends.
std::string read_some(int socket, std::size_t size);
void write_all(int socket, std::string_view bytes);

}  // namespace crategate::test
