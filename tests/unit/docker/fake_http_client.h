// An HTTP client that asks a function of the test.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "net/http.h"

namespace crategate::test {

class FakeHttpClient final : public net::HttpClient {
 public:
  using Handler = std::function<Result<net::Response>(const net::Request&)>;
  explicit FakeHttpClient(Handler handler) : handler_(std::move(handler)) {}

  Result<net::Response> send(const net::Request& request) override {
    {
      const std::lock_guard lock(mutex_);
      sent_.push_back(request.method + " " + request.url.target);
    }
    auto response = handler_(request);
    if (response && request.sink && response->status / 100 == 2) {
      CG_CHECK(request.sink(response->body));
      response->body.clear();
    }
    return response;
  }
  /// "GET /v1.41/info" and so on, in order.
  std::vector<std::string> sent() const {
    const std::lock_guard lock(mutex_);
    return sent_;
  }

 private:
  Handler handler_;
  mutable std::mutex mutex_;
  std::vector<std::string> sent_;
};

inline net::Response answer(int status, std::string body = {}) { return {status, {}, std::move(body)}; }

}  // namespace crategate::test
