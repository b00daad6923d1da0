// The way of one request.
#include "registry/session.h"

#include "base/strings.h"
#include "net/request_error.h"
#include "registry/limits.h"
#include "sys/cancel.h"

namespace crategate::registry {
namespace {

using std::chrono::milliseconds;

constexpr int kMaxRedirects = 5;
constexpr milliseconds kHurry{5000};
constexpr int kTriesOfBrokenContent = 2;

std::vector<std::string> scopes_of(const Query& query) {
  if (query.repository.path.empty()) return {};
  std::vector<std::string> scopes{concat("repository:", query.repository.path, ':', query.actions)};
  for (const oci::Repository& other : query.also_pull) scopes.push_back(concat("repository:", other.path, ":pull"));
  return scopes;
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool says_tls(const Result<Answer>& answer) {
  return answer && answer->response.status == 400 && answer->response.body.find("HTTPS") != std::string::npos;
}

/// The answer of who has the same over TLS only: a redirect to it.
bool leads_to_tls(const net::Response& response, const net::Url& plain) {
  if (!is_redirect(response.status) || plain.scheme != "http") return false;
  const auto next = net::resolve(plain, response.header("location"));
  return next && next->scheme == "https" && next->host == plain.host && next->target == plain.target;
}

bool got_nothing(const Error& error, const net::Url& url) {
  return error.http && error.http->status == 0 && error.http->url == url.redacted();
}

// A server that speaks TLS answers plain HTTP by saying so (HEAD has no body to say it in), or with no HTTP at all.
bool wants_tls(const Result<Answer>& answer, const net::Url& plain) {
  if (!answer) return got_nothing(answer.error(), plain);
  const net::Response& response = answer->response;
  return says_tls(answer) || (response.status == 400 && answer->asked.method == "HEAD") ||
         leads_to_tls(response, plain);
}

// Nobody there, something else than TLS, or a proxy that opens no way. Not: a certificate that does not hold.
bool has_no_tls(const Error& error, const net::Url& secure) {
  const bool no_way = error.http && error.http->method == "CONNECT" && error.code != ErrorCode::unauthenticated;
  if (error.code == ErrorCode::unavailable) return no_way || got_nothing(error, secure);
  if (error.code == ErrorCode::forbidden) return no_way;
  return error.code == ErrorCode::integrity && error.http && error.http->code == net::kNoTls;
}

net::Url api_url(const Query& query, const std::string& scheme) {
  const std::string host = api_host(query.repository.registry);
  const std::string& name = query.repository.path;
  const auto parsed = net::Url::parse(concat(scheme, "://", host, "/v2/", name, name.empty() ? "" : "/", query.path));
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

Result<Answer> Session::send_unsettled(const Query& query, net::Deadline& deadline) {
  if (is_loopback(query.repository.registry)) {
    return after_plain(query, deadline, send_to(query, api_url(query, "http"), deadline));
  }
  return after_tls(query, deadline, send_to(query, api_url(query, "https"), deadline));
}

Result<Answer> Session::after_tls(const Query& query, net::Deadline& deadline, Result<Answer> secure) {
  if (secure || !has_no_tls(secure.error(), api_url(query, "https"))) return secure;
  // What answered over TLS once speaks it: then this failure is one of the network.
  if (scheme_of(query.repository.registry) == "https" || sys::cancellation()) return secure;
  auto plain = send_to(query, api_url(query, "http"), deadline);
  return wants_tls(plain, api_url(query, "http")) ? secure : plain;
}

Result<Answer> Session::after_plain(const Query& query, net::Deadline& deadline, Result<Answer> plain) {
  // Another request may have settled it meanwhile, the other way than this one was sent.
  if (scheme_of(query.repository.registry) == "http" || !wants_tls(plain, api_url(query, "http"))) return plain;
  auto secure = send_to(query, api_url(query, "https"), deadline);
  const auto& failure = secure ? std::nullopt : secure.error().http;
  // What answers over TLS speaks it, also where that answer is a refusal or its certificate does not hold.
  const bool speaks_tls = secure || (failure && failure->status != 0) ||
                          (secure.error().code == ErrorCode::integrity && !(failure && failure->code == net::kNoTls));
  return speaks_tls || says_tls(plain) ? secure : plain;
}

Result<net::Response> Session::exchange(const Query& query, const net::Url& url,
                                        const std::optional<Authorization>& login, net::Deadline& deadline) {
  net::Request request;
  request.method = query.method;
  request.url = url;
  request.headers = query.headers;
  request.body = query.body;
  request.body_limit = query.limit;
  request.sink = query.sink;
  request.on_head = [&](const net::Response& head) -> Result<void> {
    // A server that wants TLS may answer plain HTTP with 400, or with where to find it, and with nothing else.
    const bool settled = url.scheme == "https" || (head.status != 400 && !leads_to_tls(head, url));
    if (settled && url.origin() == api_url(query, url.scheme).origin()) {
      remember_scheme(query.repository.registry, url.scheme);
    }
    return query.on_head ? query.on_head(head) : Result<void>{};
  };
  request.public_address_only = query.public_only && policy_.must_be_public(query.repository.registry, url);
  if (query.hurried) request.timeout = kHurry;
  // What streams may take long; it must only get ahead.
  if (!query.open && !query.sink) request.deadline = deadline.of_request();
  if (const auto proof = login ? login->header_for(url) : std::nullopt) {
    request.headers.emplace_back("Authorization", *proof);
  }
  if (query.open) {
    request.timeout = options_.patience.operation;  // a registry may be silent while it puts a large blob away
    CG_TRY(request.source, query.open());
    request.source_length = query.length;
  }
  auto response = http_.send(request);
  if (response && url.origin() == api_url(query, url.scheme).origin()) {
    clocks_.compare(query.repository.registry, *response, clock_.now());
  }
  return response;
}

Result<Answer> Session::send_to(const Query& query, net::Url url, net::Deadline& deadline) {
  const std::string& registry = query.repository.registry;
  const auto scopes = scopes_of(query);
  const bool own = !query.url || url.origin() == api_url(query, url.scheme).origin();
  const auto known = own ? authorizer_.known(registry, scopes) : std::nullopt;
  auto response = exchange(query, url, known, deadline);
  if (response && response->status == 401 && own) {
    auto login = authorizer_.answer(registry, scopes, *response, known);
    if (!login) {
      Error error = std::move(login).error();
      if (!error.http) error.http = HttpFailure{query.method, url.redacted(), 401, "", ""};
      return fail(std::move(error));
    }
    response = exchange(query, url, *login, deadline);
  }
  const Asked asked{query.method, url, query.repository, query.actions, authorizer_.user(registry)};
  if (!response) return fail(no_answer(asked, std::move(response).error()));
  return Answer{std::move(*response), std::move(url), own, asked};
}

Result<Answer> Session::send_once(const Query& query, net::Deadline& deadline) {
  CG_CHECK(sys::check_cancelled());
  const std::string& registry = query.repository.registry;
  if (query.url) return send_to(query, *query.url, deadline);
  const std::string scheme = scheme_of(registry);
  CG_TRY(Answer answer,
         scheme.empty() ? send_unsettled(query, deadline) : send_to(query, api_url(query, scheme), deadline));
  if (!query.follow) return answer;
  return follow(query, std::move(answer), deadline);
}

Result<Answer> Session::follow(const Query& asked, Answer answer, net::Deadline& deadline) {
  const std::string origin = answer.url.origin();
  Query query = asked;
  query.public_only = answer.response.from_public;
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
                 own ? authorizer_.known(query.repository.registry, scopes_of(query)) : std::optional<Authorization>{},
                 deadline);
    answer.asked.url = next;
    if (!response) return fail(no_answer(answer.asked, std::move(response).error()));
    answer = Answer{std::move(*response), std::move(next), own, std::move(answer.asked)};
  }
  return answer;
}

std::optional<milliseconds> Session::pause_after(const net::Response& response, int failed) const {
  if (!net::may_recover(response.status)) return std::nullopt;
  const auto asked = asked_pause(response, clock_.now());
  if (!asked) {
    // A quota of hours that is used up is not tried again within seconds (B07).
    const auto quota = response.status == 429 ? quota_of(response) : std::nullopt;
    if (quota && quota->remaining == 0 && quota->window > options_.patience.longest_pause) return std::nullopt;
    return net::backoff(options_.patience.retry, failed, options_.patience.random());
  }
  if (*asked > options_.patience.longest_pause || failed >= options_.patience.retry.tries) return std::nullopt;
  return asked;
}

std::optional<milliseconds> Session::pause_for_all(const Answer& answer) const {
  const net::Response& response = answer.response;
  const auto asked = asked_pause(response, clock_.now());
  if (response.status == 429) return asked.value_or(options_.patience.retry.first);
  if (response.status == 503) return asked;
  if (response.status < 200 || response.status > 299 || !answer.by_registry) return std::nullopt;
  const auto quota = quota_of(response);
  if (!quota || quota->remaining != 0) return std::nullopt;
  const auto reset = until_reset(*quota, response, clock_.now());
  return reset && *reset > milliseconds(0) ? reset : std::nullopt;
}

bool Session::wait_for_another_try(const Result<Answer>& answer, int failed, net::Deadline& deadline) {
  if (!answer) return wait_for_another_try(answer.error(), failed, deadline);
  const auto pause = pause_after(answer->response, failed);
  return pause && budget_.take() && deadline.sleep(*pause);
}

bool Session::wait_for_another_try(const Error& error, int failed, net::Deadline& deadline) {
  if (!net::may_recover(error) || sys::cancellation()) return false;
  const int status = error.http ? error.http->status : 0;
  if (error.code == ErrorCode::unavailable && status != 0 && !net::may_recover(status)) return false;
  // Content that broke off is asked for once more; what contradicts itself otherwise is not.
  const bool broken = error.code == ErrorCode::integrity;
  if (broken && (status < 200 || status > 299 || failed >= kTriesOfBrokenContent)) return false;
  const auto pause = net::backoff(options_.patience.retry, failed, options_.patience.random());
  return pause && budget_.take() && deadline.sleep(*pause);
}

Result<Answer> Session::send(const Query& query, net::Deadline& deadline) {
  const std::string& registry = query.repository.registry;
  // The body of an upload may come from the same registry.
  CG_TRY(const bool probing, pacing_.enter(registry, deadline, !query.open));
  auto answer = send_once(query, deadline);
  const auto pause = answer ? pause_for_all(*answer) : std::nullopt;
  const auto quota = pause ? quota_of(answer->response) : std::nullopt;
  pacing_.leave(registry, probing, pause, quota ? describe(*quota) : std::string());
  if (answer) budget_.earn();
  return answer;
}

Result<Answer> Session::send_patiently(const Query& query, net::Deadline& deadline) {
  for (int failed = 1;; ++failed) {
    auto answer = send(query, deadline);
    if (!wait_for_another_try(answer, failed, deadline)) return answer;
  }
}

Result<Answer> Session::send_patiently(const Query& query) {
  net::Deadline whole = deadline();
  return send_patiently(query, whole);
}

std::vector<oci::Repository> Session::sources(const oci::Repository& repository) const {
  std::vector<oci::Repository> sources;
  if (const auto found = options_.mirrors.find(repository.registry); found != options_.mirrors.end()) {
    for (const std::string& mirror : found->second) sources.push_back({mirror, repository.path});
  }
  sources.push_back(repository);
  return sources;
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
