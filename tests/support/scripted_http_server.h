// An HTTP server on loopback that answers exactly what a test told it to.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "net/http.h"

namespace crategate::test {

struct ReceivedRequest {
  std::string method, target, body;
  net::Headers headers;
  int connection = 0;  ///< which of the server's connections, from 1
  /// First value, name compared without case; empty = none.
  std::string header(std::string_view name) const;
};

struct Reply {
  int status = 200;
  net::Headers headers;
  std::string body;                      ///< Content-Length is added unless a header says otherwise
  std::string raw;                       ///< sent as it is instead of all the above
  std::optional<std::size_t> cut_after;  ///< closes after so many bytes of the answer
  bool close = false;                    ///< closes after the answer
  std::chrono::milliseconds delay{0};    ///< before the answer, at most 50 ms
  bool reset = false;                    ///< no answer: the connection is reset
  bool stall = false;                    ///< no answer until the client closes
};

/// Answers every request that nobody expected. Called from several threads.
struct Handler {
  std::function<Reply(ReceivedRequest&)> answer;  ///< may take the body
  /// Of a request's head: how much of its body is read before the connection is reset; nullopt = all, and an answer.
  std::function<std::optional<std::size_t>(const ReceivedRequest&)> reset_after = {};
};

/// The first unused expectation with the method and target answers. A request that nobody expected, and an expectation
/// that nothing used, fail the test.
class ScriptedHttpServer {
 public:
  ScriptedHttpServer();
  /// Listens on a unix socket instead.
  explicit ScriptedHttpServer(const std::string& socket_path);
  ScriptedHttpServer(const ScriptedHttpServer&) = delete;
  ScriptedHttpServer& operator=(const ScriptedHttpServer&) = delete;
  ~ScriptedHttpServer();

  void expect(std::string method, std::string target, Reply reply);
  /// The reply is computed from the request.
  void expect_with(std::string method, std::string target, std::function<Reply(const ReceivedRequest&)> reply);

  /// What it answers is not kept in `received`.
  void serve_with(Handler handler);

  /// From now on sees each request that is answered, with its answer. Called from several threads, one at a time.
  void watch(std::function<void(const ReceivedRequest&, const Reply&)> watcher);

  std::string host() const;  ///< 127.0.0.1:PORT
  net::Url url(const std::string& target) const;
  std::vector<ReceivedRequest> received() const;
  int connections() const { return accepted_; }

 private:
  class Input;
  struct Expectation {
    std::string method, target;
    std::function<Reply(const ReceivedRequest&)> reply;
  };
  void accept_all();
  void serve(int socket, int number);
  Reply reply_to(ReceivedRequest& request);
  Handler handler();
  bool read_body(Input& input, const Handler& handler, ReceivedRequest& request);

  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> accepted_ = 0;
  mutable std::mutex mutex_;
  std::vector<Expectation> expectations_;
  Handler handler_;
  std::function<void(const ReceivedRequest&, const Reply&)> watcher_;
  std::vector<ReceivedRequest> received_;
  std::vector<int> sockets_;
  std::vector<std::thread> workers_;
  std::thread acceptor_;
};

}  // namespace crategate::test
