// Questions to a realm as requests, its answers as tokens.
#include "registry/token.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "json/value.h"
#include "registry/authorization.h"
#include "registry/failure.h"

namespace crategate::registry {
namespace {

constexpr std::size_t kTokenLimit = 64U << 10U;
constexpr std::size_t kAnswerLimit = 256U << 10U;  // a token, a refresh token, and what is said about them
constexpr std::size_t kMessageLimit = 200;
constexpr std::int64_t kDefaultLifetime = 60;  // seconds, as the token specification says
constexpr std::int64_t kLongestLifetime = 3600;

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string encode(const Pairs& pairs) {
  std::string text;
  for (const auto& [name, value] : pairs) text += concat(text.empty() ? "" : "&", name, '=', net::url_encode(value));
  return text;
}

bool is_visible_ascii(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

bool is_unknown(int status) { return status == 404 || status == 405; }
bool is_refused(int status) { return status == 401 || status == 403; }
bool has_password(const TokenWish& wish) { return wish.login && !wish.login->username.empty(); }

net::Request request_to(const TokenWish& wish) {
  net::Request request;
  request.url = wish.realm.url;
  request.body_limit = kAnswerLimit;
  request.headers.emplace_back("Accept", "application/json");
  request.public_address_only = wish.realm.must_be_public;
  return request;
}

net::Request by_get(const TokenWish& wish) {
  net::Request request = request_to(wish);
  Pairs query;
  if (!wish.realm.service.empty()) query.emplace_back("service", wish.realm.service);
  for (const std::string& scope : wish.scopes.texts()) query.emplace_back("scope", scope);
  std::string& target = request.url.target;
  if (!query.empty()) target += concat(target.find('?') == std::string::npos ? '?' : '&', encode(query));
  if (!has_password(wish)) return request;
  const auto login = Authorization::basic({wish.realm.url.origin()}, wish.login->username, wish.login->password)
                         .header_for(request.url);
  if (login) request.headers.emplace_back("Authorization", *login);
  return request;
}

net::Request by_post(const TokenWish& wish, const Pairs& grant) {
  net::Request request = request_to(wish);
  Pairs form = grant;
  form.emplace_back("client_id", "crategate");
  if (!wish.realm.service.empty()) form.emplace_back("service", wish.realm.service);
  if (const std::string scopes = wish.scopes.text(); !scopes.empty()) form.emplace_back("scope", scopes);
  request.method = "POST";
  request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
  request.body = encode(form);
  return request;
}

net::Request by_refresh_token(const TokenWish& wish, const Secret& token) {
  return by_post(wish, {{"grant_type", "refresh_token"}, {"refresh_token", token.reveal()}});
}

net::Request by_password(const TokenWish& wish) {
  return by_post(
      wish,
      {{"grant_type", "password"}, {"username", wish.login->username}, {"password", wish.login->password.reveal()}});
}

/// What a realm says besides the status: errors of a registry, of OAuth2, of Docker Hub.
std::string message_of(const net::Response& response) {
  std::string text = registry_message(response).text;
  if (const auto document = json::Document::parse(response.body, "answer");
      text.empty() && document && document->root().is_object()) {
    for (const char* key : {"error_description", "details", "error"}) {
      if (text.empty()) text = document->root().string_or(key, "").value_or("");
    }
  }
  return text.empty() ? text : concat(" (", neutralise(redact(text.substr(0, kMessageLimit))), ")");
}

Error refusal(const TokenWish& wish, const net::Request& request, const net::Response& response) {
  const Asked asked{request.method,
                    request.url,
                    {wish.registry, "(token)"},
                    wish.scopes.text(),
                    wish.login ? wish.login->username : std::string()};
  // OAuth2 answers 400 for a grant that has ended (RFC 6749 §5.2).
  if (!is_refused(response.status) && !(response.status == 400 && request.method == "POST")) {
    return registry_failure(asked, response).within("asking for a token");
  }
  const std::string user = has_password(wish) ? concat("the password or token of user ", wish.login->username)
                                              : std::string("the identity token");
  const std::string why = concat(
      wish.login ? concat("its realm refuses ", user) : "it gives no token to anonymous users", message_of(response));
  Error error = login_failure(wish.registry, wish.scopes.text(), why, wish.login.has_value()).value();
  error.http = HttpFailure{request.method, request.url.redacted(), response.status, "", ""};
  return error;
}

/// One way of asking: its token, or its refusal and whether that was the last word.
class Attempt {
 public:
  Attempt(net::HttpClient& http, const TokenWish& wish, const net::Request& request) {
    auto response = http.send(request);
    if (!response) {
      const Asked asked{request.method, request.url, {wish.registry, "(token)"}, wish.scopes.text(), ""};
      result_ = fail(no_answer(asked, std::move(response).error()));
      return;
    }
    status_ = response->status;
    result_ = status_ == 200 ? parse_token(response->body, wish.realm.url) : fail(refusal(wish, request, *response));
  }
  /// GET is unknown here, or POST is unknown or takes no such login.
  bool unknown() const { return is_unknown(status_); }
  bool refused() const { return is_refused(status_) || status_ == 400; }
  Result<Token> result() && { return std::move(result_); }

 private:
  int status_ = 0;
  Result<Token> result_;
};

Result<Token> with_password(net::HttpClient& http, const TokenWish& wish) {
  Attempt first(http, wish, wish.post_first ? by_password(wish) : by_get(wish));
  const bool other_way = first.unknown() || (wish.post_first && first.refused());
  if (!other_way) {
    auto token = std::move(first).result();
    if (token) token->by_post = wish.post_first;
    return token;
  }
  Attempt second(http, wish, wish.post_first ? by_get(wish) : by_password(wish));
  if (second.unknown()) return std::move(first).result();
  auto token = std::move(second).result();
  if (token) token->by_post = !wish.post_first;
  return token;
}

/// What serves for the next token as well, where the answer says nothing else.
Result<Token> kept(Result<Token> token, const TokenWish& wish) {
  if (!token) return token;
  if (token->refresh_token.empty()) token->refresh_token = wish.refresh_token;
  token->by_post = wish.post_first;
  return token;
}

}  // namespace

Result<Realm> realm_of(const std::string& registry, const Challenge& challenge, const OriginPolicy& policy) {
  const std::string text = challenge.parameter("realm");
  auto url = net::Url::parse(text);
  if (!url) {
    return fail(ErrorCode::integrity,
                concat("registry ", registry, ": expected the URL of a token realm, found ", crategate::quoted(text)));
  }
  CG_CHECK(policy.check_target(registry, *url, "its token realm"));
  const bool must_be_public = policy.must_be_public(registry, *url);
  return Realm{*std::move(url), challenge.parameter("service"), must_be_public};
}

Result<Token> parse_token(const std::string& body, const net::Url& realm) {
  const auto refuse = [&realm](std::string_view found) {
    return fail(ErrorCode::unauthenticated,
                concat("token realm ", realm.redacted(), ": expected a token of visible ASCII, at most ", kTokenLimit,
                       " bytes, found ", found),
                "check the registry's token server");
  };
  const auto document = json::Document::parse(body, "token");
  if (!document || !document->root().is_object()) return refuse("no JSON object");
  const json::Reader answer = document->root();
  std::string text = answer.string_or("token", "").value_or("");
  if (text.empty()) text = answer.string_or("access_token", "").value_or("");
  if (text.size() > kTokenLimit) return refuse(concat(text.size(), " bytes"));
  if (!is_visible_ascii(text)) return refuse(text.empty() ? "none" : "other characters");
  Token token{.text = Secret(std::move(text)), .refresh_token = {}};
  std::string refresh = answer.string_or("refresh_token", "").value_or("");
  if (is_visible_ascii(refresh) && refresh.size() <= kTokenLimit) token.refresh_token = Secret(std::move(refresh));
  // From receipt on: `issued_at` is of a clock that may be wrong.
  const auto lifetime = answer.integer("expires_in");
  const std::int64_t seconds = lifetime && *lifetime > 0 ? std::min(*lifetime, kLongestLifetime) : kDefaultLifetime;
  token.usable = std::chrono::milliseconds(seconds * 800);
  return token;
}

Result<Token> fetch_token(net::HttpClient& http, const TokenWish& wish) {
  const bool identity = wish.login && !wish.login->identity_token.empty();
  const Secret& exchanged = identity ? wish.login->identity_token : wish.refresh_token;
  if (!exchanged.empty()) {
    Attempt attempt(http, wish, by_refresh_token(wish, exchanged));
    const bool other_way = attempt.unknown() || attempt.refused();
    if (!other_way || (identity && !has_password(wish))) return kept(std::move(attempt).result(), wish);
  }
  if (has_password(wish)) return with_password(http, wish);
  return Attempt(http, wish, by_get(wish)).result();
}

Failure login_failure(const std::string& registry, const std::string& scopes, std::string_view why, bool has_login) {
  return fail(ErrorCode::unauthenticated,
              concat("registry ", registry, " demands a login", scopes.empty() ? "" : " for ", scopes, ": ", why),
              login_hint(registry, scopes, has_login));
}

}  // namespace crategate::registry
