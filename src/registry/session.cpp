// The way of one request.
#include "registry/session.h"

#include "base/strings.h"
#include "sys/cancel.h"

namespace crategate::registry {
namespace {

using std::chrono::milliseconds;

constexpr int kTries = 3;
constexpr int kMaxRedirects = 5;
constexpr std::uint64_t kLongestPause = 10;  // seconds

std::vector<std::string> scopes_of(const Query& query) {
  std::vector<std::string> scopes{concat("repository:", query.repository.path, ':', query.actions)};
  for (const oci::Repository& other : query.also_pull) scopes.push_back(concat("repository:", other.path, ":pull"));
  return scopes;
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// A server that speaks TLS answers plain HTTP by saying so, or with no HTTP at all.
bool wants_tls(const Result<Answer>& answer, const net::Url& plain) {
  if (answer) return answer->response.status == 400 && answer->response.body.find("HTTPS") != std::string::npos;
  const auto& failure = answer.error().http;
  return failure && failure->status == 0 && failure->url == plain.redacted();
}

milliseconds backoff(int attempt) { return milliseconds(200 << attempt); }

// How long to wait before another try; nullopt = another try does not help, or not soon enough.
std::optional<milliseconds> pause_after(const net::Response& response, int attempt) {
  const int status = response.status;
  if (status != 429 && status != 408 && (status < 500 || status == 501 || status == 505)) return std::nullopt;
  const std::string after = response.header("retry-after");
  if (after.empty()) return backoff(attempt);
  const auto seconds = parse_unsigned(after);
  if (!seconds || *seconds > kLongestPause) return std::nullopt;
  return milliseconds(static_cast<std::int64_t>(*seconds) * 1000);
}

net::Url api_url(const Query& query, const std::string& scheme) {
  const std::string host = api_host(query.repository.registry);
  const auto parsed = net::Url::parse(concat(scheme, "://", host, "/v2/", query.repository.path, '/', query.path));
  return parsed.value_or(net::Url{scheme, host, 0, "/"});
}

}  // namespace

std::string Session::scheme_of(const std::string& registry) {
  if (!policy_.may_be_plain(registry)) return "https";
  const std::lock_guard lock(mutex_);
  const auto known = schemes_.find(registry);
  return known == schemes_.end() ? std::string() : known->second;
}

void Session::remember_scheme(const std::string& registry, const std::string& scheme) {
  const std::lock_guard lock(mutex_);
  schemes_.insert_or_assign(registry, scheme);
}

Result<Answer> Session::settle_scheme(const Query& query, Result<Answer> plain) {
  const std::string& registry = query.repository.registry;
  if (wants_tls(plain, api_url(query, "http"))) {
    auto secure = send_to(query, api_url(query, "https"));
    if (!secure) return plain;
    remember_scheme(registry, "https");
    return secure;
  }
  if (plain) remember_scheme(registry, "http");
  return plain;
}

Result<net::Response> Session::exchange(const Query& query, const net::Url& url,
                                        const std::optional<Authorization>& login) {
  net::Request request;
  request.method = query.method;
  request.url = url;
  request.headers = query.headers;
  request.body = query.body;
  request.body_limit = query.limit;
  if (login) request.headers.emplace_back("Authorization", login->header());
  if (query.open) {
    CG_TRY(request.source, query.open());
    request.source_length = query.length;
  }
  return http_.send(request);
}

Result<Answer> Session::send_to(const Query& query, net::Url url) {
  const std::string& registry = query.repository.registry;
  const auto scopes = scopes_of(query);
  const bool own = !query.url || url.origin() == api_url(query, url.scheme).origin();
  const Asked asked{query.method, url, query.repository, query.actions, authorizer_.user(registry)};
  auto response = exchange(query, url, own ? authorizer_.known(registry, scopes) : std::nullopt);
  if (response && response->status == 401 && own) {
    auto login = authorizer_.answer(registry, scopes, *response);
    if (!login) {
      Error error = std::move(login).error();
      if (!error.http) error.http = HttpFailure{query.method, url.redacted(), 401, "", ""};
      return fail(std::move(error));
    }
    response = exchange(query, url, *login);
  }
  if (!response) return fail(no_answer(asked, std::move(response).error()));
  return Answer{std::move(*response), std::move(url), own, asked};
}

Result<Answer> Session::send(const Query& query) {
  CG_CHECK(sys::check_cancelled());
  const std::string& registry = query.repository.registry;
  if (query.url) return send_to(query, *query.url);
  const std::string scheme = scheme_of(registry);
  auto sent = send_to(query, api_url(query, scheme.empty() ? "http" : scheme));
  if (scheme.empty()) sent = settle_scheme(query, std::move(sent));
  CG_TRY(Answer answer, std::move(sent));
  if (!query.follow) return answer;
  return follow(query, std::move(answer));
}

Result<Answer> Session::follow(const Query& query, Answer answer) {
  const std::string origin = answer.url.origin();
  for (int hops = 0; is_redirect(answer.response.status); ++hops) {
    if (hops == kMaxRedirects) {
      return fail(ErrorCode::integrity, concat("registry ", query.repository.registry, ": expected at most ",
                                               kMaxRedirects, " redirects, found more"));
    }
    CG_TRY(net::Url next, net::resolve(answer.url, answer.response.header("location")));
    CG_CHECK(policy_.check_target(query.repository.registry, next, "a redirect"));
    const bool own = next.origin() == origin;
    auto response =
        exchange(query, next,
                 own ? authorizer_.known(query.repository.registry, scopes_of(query)) : std::optional<Authorization>{});
    answer.asked.url = next;
    if (!response) return fail(no_answer(answer.asked, std::move(response).error()));
    answer = Answer{std::move(*response), std::move(next), own, std::move(answer.asked)};
  }
  return answer;
}

Result<Answer> Session::send_patiently(const Query& query) {
  for (int attempt = 1;; ++attempt) {
    auto answer = send(query);
    std::optional<milliseconds> pause;
    if (answer) {
      pause = pause_after(answer->response, attempt);
    } else if (answer.error().code == ErrorCode::unavailable) {
      pause = backoff(attempt);
    }
    if (!pause || attempt == kTries) return answer;
    clock_.sleep(*pause);
  }
}

Result<void> Session::patiently(const std::function<Result<void>()>& attempt) {
  for (int tried = 1;; ++tried) {
    auto done = attempt();
    if (done || tried == kTries || done.error().code != ErrorCode::unavailable) return done;
    clock_.sleep(backoff(tried));
    CG_CHECK(sys::check_cancelled());
  }
}

Result<net::Url> Session::location(const Answer& answer) const {
  const std::string text = answer.response.header("location");
  const std::string& registry = answer.asked.repository.registry;
  if (text.empty()) {
    return fail(ErrorCode::unavailable,
                concat("registry ", registry, ": expected a Location for the upload, found none"));
  }
  CG_TRY(net::Url url, net::resolve(answer.url, text));
  CG_CHECK(policy_.check_target(registry, url, "an upload location"));
  return url;
}

}  // namespace crategate::registry
