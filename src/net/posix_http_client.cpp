// The pool of idle connections, and the one retry that a pool makes necessary.
#include <map>
#include <mutex>

#include "net/exchange.h"
#include "net/http.h"
#include "sys/cancel.h"

namespace crategate::net {
namespace {

constexpr std::size_t kIdlePerOrigin = 16;

}  // namespace

struct PosixHttpClient::Pool {
  std::unique_ptr<Connection> take(const Request& request) {
    const std::scoped_lock lock(mutex);
    auto& connections = idle[request.url.origin()];
    while (request.unix_socket.empty() && !connections.empty()) {
      std::unique_ptr<Connection> connection = std::move(connections.back());
      connections.pop_back();
      if (connection->is_usable()) return connection;
    }
    return nullptr;
  }

  void give(const Request& request, std::unique_ptr<Connection> connection) {
    const std::scoped_lock lock(mutex);
    auto& connections = idle[request.url.origin()];
    if (request.unix_socket.empty() && connections.size() < kIdlePerOrigin)
      connections.push_back(std::move(connection));
  }

  std::mutex mutex;
  std::map<std::string, std::vector<std::unique_ptr<Connection>>> idle;
};

PosixHttpClient::PosixHttpClient() : pool_(std::make_unique<Pool>()) { sys::ignore_broken_pipes(); }
PosixHttpClient::~PosixHttpClient() = default;

Result<Response> PosixHttpClient::send(const Request& request) {
  if (!request.ignore_cancellation) CG_CHECK(sys::check_cancelled());
  CG_TRY(const std::string head, encode_head(request));
  if (std::unique_ptr<Connection> idle = pool_->take(request)) {
    Exchange exchange(*idle, request);
    auto response = exchange.run(head);
    if (response && exchange.reusable()) pool_->give(request, std::move(idle));
    const bool closed_meanwhile = !response && response.error().code == ErrorCode::unavailable;
    if (!closed_meanwhile || !exchange.may_repeat()) return response;
  }
  CG_TRY(std::unique_ptr<Connection> fresh, Connection::open(request));
  Exchange exchange(*fresh, request);
  auto response = exchange.run(head);
  if (response && exchange.reusable()) pool_->give(request, std::move(fresh));
  return response;
}

}  // namespace crategate::net
