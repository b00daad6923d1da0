// The system's resolver cannot be interrupted: it runs in a thread of its own, which nobody waits for any longer than
// the request allows.
#include "net/resolver.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include "net/request_error.h"

namespace crategate::net {
namespace {

/// Shared with a thread that may outlive the request.
struct Question {
  std::string host;
  std::uint16_t port = 0;
  std::mutex mutex;
  std::condition_variable answered;
  std::optional<Result<std::vector<SocketAddress>>> answer;
};

void ask(const std::shared_ptr<Question>& question) {
  auto answer = find_addresses(question->host, question->port);
  const std::scoped_lock lock(question->mutex);
  question->answer = std::move(answer);
  question->answered.notify_all();
}

}  // namespace

Result<std::vector<SocketAddress>> resolve_name(const std::string& host, std::uint16_t port, Patience& patience) {
  if (const auto number = numeric_address(host, port)) return std::vector{*number};
  const auto question = std::make_shared<Question>();
  question->host = host;
  question->port = port;
  try {
    std::thread(ask, question).detach();
  } catch (const std::system_error& error) {
    return no_contact(patience.request(), "cannot look up the name of", error.what());
  }
  const auto since = std::chrono::steady_clock::now();
  std::unique_lock lock(question->mutex);
  while (!question->answer) {
    CG_TRY(const auto slice, patience.slice(since));
    question->answered.wait_for(lock, slice);
  }
  if (!*question->answer) return no_contact(patience.request(), "cannot connect to", question->answer->error().message);
  return std::move(*question->answer);
}

}  // namespace crategate::net
