// The way of one question.
#include "github/session.h"

#include <algorithm>

#include "base/product.h"
#include "base/strings.h"
#include "github/failure.h"
#include "sys/cancel.h"

namespace crategate::github {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kVersion = "2022-11-28";
constexpr std::size_t kErrorLimit = 64U << 10U;
constexpr int kMaxRedirects = 5;
constexpr int kLimitsMet = 5;
constexpr milliseconds kBetweenWrites{1000};
constexpr milliseconds kSpread{10000};

bool is_success(int status) { return status >= 200 && status < 300; }

/// 302 and 303: what was asked for is there; the others: ask there.
bool is_found(int status) { return status == 302 || status == 303; }
bool is_redirect(int status) { return is_found(status) || status == 301 || status == 307 || status == 308; }

bool changes_something(const Query& query) { return query.method != "GET" && !query.only_reads; }
bool may_repeat(const Query& query) { return query.only_reads || (query.method != "POST" && query.method != "PATCH"); }

/// Collects a body up to its limit. The error is none that another try could mend.
net::BodySink collector(std::string& body) {
  return [&body](std::string_view bytes) -> Result<void> {
    if (body.size() + bytes.size() > kAnswerLimit)
      return fail(ErrorCode::github_api, concat("the answer is larger than ", format_bytes(kAnswerLimit)));
    body += bytes;
    return {};
  };
}

}  // namespace

std::optional<milliseconds> Session::pause_after(int failed, std::string_view retry_after) const {
  const auto pause = net::backoff(options_.retry, failed, options_.random());
  if (!pause) return pause;
  return std::max(*pause, net::parse_retry_after(retry_after, clock_.now()).value_or(milliseconds(0)));
}

net::Url Session::url_of(const Query& query) const {
  if (query.url) return *query.url;
  net::Url url = endpoint_.base;
  url.target += query.path;
  return url;
}

net::Request Session::request_for(const Query& query, const net::Url& url, bool own) const {
  net::Request request;
  request.method = query.method;
  request.url = url;
  request.body_limit = kErrorLimit;
  request.headers = {{"Accept", "application/vnd.github+json"},
                     {"User-Agent", concat("crategate/", product_version())},
                     {"X-GitHub-Api-Version", std::string(kVersion)}};
  if (!query.body.empty()) {
    request.body = query.body;
    request.headers.emplace_back("Content-Type", "application/json");
  }
  if (own && !endpoint_.token.empty())
    request.headers.emplace_back("Authorization", concat("Bearer ", endpoint_.token.reveal()));
  return request;
}

Result<net::Response> Session::exchange(const Query& query, const net::Url& url, bool own) {
  net::Request request = request_for(query, url, own);
  const bool cacheable = query.method == "GET" && own && !query.to_location;
  const auto kept = cacheable ? cache_.find(url) : nullptr;
  if (kept) request.headers.emplace_back("If-None-Match", kept->header("etag"));
  std::string body;
  request.sink = collector(body);
  CG_TRY(net::Response response, http_.send(request));
  if (kept && response.status == 304) return *kept;
  if (is_success(response.status)) response.body = std::move(body);
  if (cacheable && response.status == 200) cache_.keep(url, response);
  return response;
}

Result<std::optional<net::Url>> Session::next_hop(const Query& query, const Answer& answer, int hops) const {
  const int status = answer.response.status;
  if (!is_redirect(status) || (query.to_location && is_found(status))) return std::nullopt;
  if (hops == kMaxRedirects)
    return fail(ErrorCode::integrity, concat("expected at most ", kMaxRedirects, " redirects, found more"));
  CG_TRY(net::Url next, net::resolve(answer.url, answer.response.header("location")));
  const bool own = answer.by_api && next.origin() == endpoint_.base.origin();
  if (query.to_location && !own) return std::nullopt;
  if (query.method != "GET" && (!own || is_found(status) || status == 301))
    return fail(
        ErrorCode::integrity,
        concat("expected an answer to a ", query.method, ", found a redirect (", status, ") to ", next.redacted()),
        "use the repository's present name; a request that changes something is not sent elsewhere");
  return next;
}

/// Once another origin was asked, the token stays at home for the rest of the way.
Result<Answer> Session::follow(const Query& query) {
  Answer answer{.response = {}, .url = url_of(query)};
  for (int hops = 0;; ++hops) {
    CG_TRY(answer.response, exchange(query, answer.url, answer.by_api));
    CG_TRY(const std::optional<net::Url> next, next_hop(query, answer, hops));
    if (!next) return answer;
    answer.by_api = answer.by_api && next->origin() == endpoint_.base.origin();
    answer.url = *next;
  }
}

void Session::hold(const Query& query, const Answer& answer, const RateLimit& limit) {
  const std::scoped_lock lock(mutex_);
  const sys::Instant until = clock_.monotonic() + limit.pause;
  if (!hold_ || hold_->until < until) hold_ = {limit, until, clock_.now() + limit.pause, http_failure(query, answer)};
}

std::optional<Session::Hold> Session::hold_in_force() {
  const std::scoped_lock lock(mutex_);
  return hold_ && hold_->until > clock_.monotonic() ? hold_ : std::nullopt;
}

milliseconds Session::held() {
  const auto met = hold_in_force();
  return met ? std::chrono::ceil<milliseconds>(met->until - clock_.monotonic()) : milliseconds(0);
}

Result<void> Session::await_limit(const Query& query, net::Deadline& deadline) {
  while (true) {
    CG_CHECK(sys::check_cancelled());
    const auto met = hold_in_force();
    if (!met) return {};
    const auto pause = std::chrono::ceil<milliseconds>(met->until - clock_.monotonic());
    if (!deadline.sleep(pause)) return fail(limit_failure(query, met->limit, met->until_time, met->http));
  }
}

/// Requests that change something come a second apart, as GitHub asks for.
Result<void> Session::await_turn(const Query& query, net::Deadline& deadline) {
  CG_CHECK(await_limit(query, deadline));
  if (!changes_something(query)) return {};
  milliseconds pause{0};
  {
    const std::scoped_lock lock(mutex_);
    const sys::Instant now = clock_.monotonic();
    const sys::Instant turn = last_write_ ? std::max(now, *last_write_ + kBetweenWrites) : now;
    last_write_ = turn;
    pause = std::chrono::ceil<milliseconds>(turn - now);
  }
  if (pause > milliseconds(0)) clock_.sleep(pause);
  return sys::check_cancelled();
}

std::optional<milliseconds> Session::pause_for(const Query& query, const Result<Answer>& answer, int failed) const {
  const bool helps = answer ? net::may_recover(answer->response.status) : net::may_recover(answer.error());
  if (!helps || !may_repeat(query)) return std::nullopt;
  return pause_after(failed, answer ? answer->response.header("retry-after") : std::string());
}

Result<Answer> Session::settle(const Query& query, Result<Answer> answer, int tries) const {
  Error error;
  if (answer) {
    const int status = answer->response.status;
    // What an earlier try removed is gone.
    const bool removed = query.method == "DELETE" && status == 404 && answer->by_api && tries > 1;
    if (is_success(status) || removed || (query.to_location && is_redirect(status))) return answer;
    error = api_failure(query, *answer, endpoint_.token.empty());
  } else {
    error = no_answer(query, std::move(answer).error());
  }
  if (tries > 1) error.message += concat(", after ", tries, " tries");
  return fail(std::move(error));
}

Result<Answer> Session::send(const Query& query, net::Deadline& deadline) {
  int limited = 0;
  for (int failed = 0;;) {
    CG_CHECK(await_turn(query, deadline));
    auto answer = follow(query);
    auto limit = answer && answer->by_api ? rate_limit(answer->response, clock_.now(), limited) : std::nullopt;
    if (limit) {
      // Many jobs meet a limit together: they must not come back together.
      const auto spread = static_cast<double>(std::min(limit->pause / 10, kSpread).count());
      limit->pause += milliseconds(static_cast<std::int64_t>(spread * options_.random()));
      hold(query, *answer, *limit);
      if (++limited < kLimitsMet) continue;
      return fail(limit_failure(query, *limit, clock_.now() + limit->pause, http_failure(query, *answer)));
    }
    const auto pause = pause_for(query, answer, ++failed);
    if (!pause || !deadline.sleep(*pause)) return settle(query, std::move(answer), failed);
  }
}

Result<Answer> Session::fetch(net::Request request) {
  for (int hops = 0;; ++hops) {
    CG_TRY(net::Response response, http_.send(request));
    if (!is_redirect(response.status))
      return Answer{.response = std::move(response), .url = request.url, .by_api = false};
    if (hops == kMaxRedirects)
      return fail(ErrorCode::integrity, concat("expected at most ", kMaxRedirects, " redirects, found more"));
    CG_TRY(request.url, net::resolve(request.url, response.header("location")));
  }
}

}  // namespace crategate::github
