// HTTP/1.1 on loopback for the strict registry: whole requests in, answers out, damaged where they are told to be.
// Belongs here: connections and bytes.  Not here: what a request means (strict_registry).
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "support/scripted_http_server.h"

namespace crategate::test {

/// An answer, and what happens to it on its way.
struct Delivery {
  enum class Way : unsigned char {
    whole,
    twice,  ///< a second copy follows at once
    half,   ///< the connection is closed within the answer
    drip,   ///< in small pieces with pauses, 100 ms in all
    reset,  ///< no answer: the connection is reset
    stall   ///< no answer until the client closes
  };
  Reply reply = {};
  Way way = Way::whole;
};

class StrictServer {
 public:
  struct Handler {
    /// Of a request's head: a value is delivered at once, its body is not read, and the connection ends.
    std::function<std::optional<Delivery>(const ReceivedRequest&)> before_body;
    std::function<Delivery(ReceivedRequest&)> answer;
    /// A request that is not HTTP.
    std::function<void(std::string)> complain;
  };
  explicit StrictServer(Handler handler);
  StrictServer(const StrictServer&) = delete;
  StrictServer& operator=(const StrictServer&) = delete;
  ~StrictServer();

  /// From here on connections are refused, and those there are end; the port stays taken.
  void close_port();
  void open_port();
  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string url() const { return "http://" + host(); }
  int connections() const { return accepted_; }  ///< ever accepted

 private:
  struct Client {
    int socket = -1;  ///< -1 = closed
    std::atomic<bool> done = false;
    std::thread thread;
  };
  class Input;
  int bound_socket();
  void listen();
  void accept_all(int listener);
  void serve(Client& client, int number);
  bool answer_one(Client& client, Input& input, int number);
  void close(Client& client);
  void end_clients(bool all);
  void put_away();

  Handler handler_;
  std::uint16_t port_ = 0;
  int placeholder_ = -1, listener_ = -1;
  std::atomic<int> accepted_ = 0;
  std::mutex mutex_, opening_;
  bool closed_ = false;
  std::list<Client> clients_;
  std::thread acceptor_;
};

}  // namespace crategate::test
