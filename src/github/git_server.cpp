// One request, and what its status means.
#include "github/git_server.h"

#include "base/product.h"
#include "base/strings.h"
#include "github/endpoint.h"
#include "github/limits.h"

namespace crategate::github {
namespace {

constexpr std::chrono::milliseconds kPatience{60000};
constexpr net::RetryPolicy kRetry{.tries = 3};
constexpr std::size_t kRefusalLimit = 16U << 10U;
constexpr int kFound = 200, kForbidden = 403;

net::Request question(const GitServer& server, const RepositoryName& repository) {
  // Kept from messages, as the token itself is.
  const Secret login(base64(concat("x-access-token:", server.token.reveal())));
  net::Request request{.url = server.base, .body_limit = kRefusalLimit};
  request.url.target += concat('/', repository.text(), ".git/info/refs?service=git-receive-pack");
  request.headers = {{"User-Agent", concat("crategate/", product_version())},
                     {"Authorization", concat("Basic ", login.reveal())}};
  return request;
}

/// The list of refs that follows a yes is not transferred.
Result<net::Response> head_of(net::HttpClient& http, net::Request request) {
  std::optional<net::Response> yes;
  request.on_head = [&yes](const net::Response& head) -> Result<void> {
    if (head.status != kFound) return {};
    yes = head;
    return fail(ErrorCode::internal, "the rest is not wanted");
  };
  auto response = http.send(request);
  if (yes) return *std::move(yes);
  return response;
}

Error unclear(const net::Request& request, const Result<net::Response>& response) {
  Error error;
  if (response) {
    error.code = ErrorCode::github_api;
    error.message = concat("found ", response->status);
    error.http = HttpFailure{request.method, request.url.text(), response->status, "", ""};
  } else {
    error = response.error();
  }
  return std::move(error).within(
      concat("GitHub: ", request.method, " ", request.url.text(), ": expected 200 (may push) or 403 (may not)"));
}

}  // namespace

Result<bool> may_push(net::HttpClient& http, sys::Clock& clock, const GitServer& server,
                      const RepositoryName& repository, const net::Random& random) {
  const net::Request request = question(server, repository);
  net::Deadline deadline(clock, kPatience);
  for (int failed = 1;; ++failed) {
    const auto response = head_of(http, request);
    if (response && response->status == kFound) return true;
    // A 403 because of too many requests says nothing about rights.
    const bool is_limit = response && rate_limit(*response, clock.now(), 0);
    if (response && !is_limit && response->status == kForbidden) return false;
    const bool helps = response ? net::may_recover(response->status) : net::may_recover(response.error());
    const auto pause = helps ? net::backoff(kRetry, failed, random()) : std::nullopt;
    if (!pause || !deadline.sleep(*pause)) return fail(unclear(request, response));
  }
}

}  // namespace crategate::github
