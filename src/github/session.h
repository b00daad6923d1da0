// Requests to the API: token, redirects, conditional requests, pages, limits, bounded retries.
// Belongs here: how a question reaches GitHub.  Not here: what is asked (artifacts, repository).
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/result.h"
#include "github/cache.h"
#include "github/client.h"
#include "github/endpoint.h"
#include "github/limits.h"
#include "github/query.h"
#include "json/value.h"
#include "net/retry.h"

namespace crategate::github {

inline constexpr std::size_t kAnswerLimit = 16U << 20U;  ///< bytes of JSON

class Session {
 public:
  Session(net::HttpClient& http, sys::Clock& clock, Endpoint endpoint, Options options)
      : http_(http), clock_(clock), endpoint_(std::move(endpoint)), options_(std::move(options)) {}

  const Endpoint& endpoint() const { return endpoint_; }
  /// Where GraphQL is asked.
  net::Url graphql() const { return graphql_url(endpoint_); }
  net::Deadline deadline() { return {clock_, options_.patience}; }
  /// The pause before another try, at least what the header Retry-After asked for; nullopt = enough of them.
  std::optional<std::chrono::milliseconds> pause_after(int failed, std::string_view retry_after) const;
  /// For how long nobody asks, because of a limit that was met.
  std::chrono::milliseconds held();

  /// An answer with a status of success, or a 302 where that is sought; everything that can be waited for was.
  /// Errors: as `api_failure`; rate_limited; unavailable and integrity of an answer that broke off; interrupted.
  Result<Answer> send(const Query& query, net::Deadline& deadline);
  /// The answer's JSON.
  /// Errors: also github_api for what is not JSON or too large.
  Result<json::Document> read(const Query& query);
  /// Every page of a list, in order.
  /// Errors: also integrity for a next page elsewhere (A54), github_api for a list without end.
  Result<void> each_page(Query query, const std::function<Result<void>(const json::Reader&)>& take);
  /// Where the API sends us to fetch something: to be asked without the token.
  Result<net::Url> location(const Query& query, net::Deadline& deadline);
  /// A GET without a credential, redirects followed. For addresses from `location` only.
  Result<Answer> fetch(net::Request request);

 private:
  /// A limit that was met; until then nobody asks.
  struct Hold {
    RateLimit limit;
    sys::Instant until;
    std::chrono::system_clock::time_point until_time;
    HttpFailure http;
  };
  net::Url url_of(const Query& query) const;
  Result<Answer> follow(const Query& query);
  Result<std::optional<net::Url>> next_hop(const Query& query, const Answer& answer, int hops) const;
  Result<net::Response> exchange(const Query& query, const net::Url& url, bool own);
  net::Request request_for(const Query& query, const net::Url& url, bool own) const;
  Result<net::Url> page_after(const Answer& answer, const std::string& target) const;
  Result<void> await_turn(const Query& query, net::Deadline& deadline);
  Result<void> await_limit(const Query& query, net::Deadline& deadline);
  std::optional<Hold> hold_in_force();
  void hold(const Query& query, const Answer& answer, const RateLimit& limit);
  std::optional<std::chrono::milliseconds> pause_for(const Query& query, const Result<Answer>& answer,
                                                     int failed) const;
  Result<Answer> settle(const Query& query, Result<Answer> answer, int tries) const;

  net::HttpClient& http_;
  sys::Clock& clock_;
  Endpoint endpoint_;
  Options options_;
  AnswerCache cache_;
  std::mutex mutex_;
  std::optional<Hold> hold_;
  std::optional<sys::Instant> last_write_;
};

}  // namespace crategate::github
