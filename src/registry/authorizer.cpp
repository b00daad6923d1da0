// The way from a challenge to an Authorization.
#include "registry/authorizer.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "registry/limits.h"
#include "registry/patience.h"

namespace crategate::registry {
namespace {

const Challenge* find_scheme(const std::vector<Challenge>& challenges, std::string_view scheme) {
  const auto found = std::ranges::find(challenges, scheme, &Challenge::scheme);
  return found == challenges.end() ? nullptr : &*found;
}

/// A realm that asks for a pause gets it; what fails otherwise is asked again by whoever needed the token.
class PausingClient final : public net::HttpClient {
 public:
  PausingClient(net::HttpClient& inner, sys::Clock& clock) : inner_(inner), clock_(clock) {}
  Result<net::Response> send(const net::Request& wanted) override {
    net::Request request = wanted;
    request.deadline = net::Deadline(clock_, patience_.operation).of_request();
    net::Deadline pauses(clock_, patience_.longest_pause);
    for (int tried = 1;; ++tried) {
      auto response = inner_.send(request);
      if (!response || response->status != 429 || tried == patience_.retry.tries) return response;
      const auto pause = asked_pause(*response, clock_.now());
      if (!pause || !pauses.sleep(std::max(*pause, patience_.retry.first))) return response;
    }
  }

 private:
  net::HttpClient& inner_;
  sys::Clock& clock_;
  const Patience patience_;
};

}  // namespace

std::vector<std::string> Authorizer::origins_of(const std::string& registry) const {
  std::vector<std::string> origins;
  for (const char* scheme : {"https", "http"}) {
    const auto url = net::Url::parse(concat(scheme, "://", api_host(registry)));
    if (url && (url->scheme == "https" || policy_.may_be_plain(registry))) origins.push_back(url->origin());
  }
  return origins;
}

void Authorizer::remember(const std::string& registry, Wanted wanted) {
  const std::lock_guard lock(mutex_);
  wanted_.insert_or_assign(registry, std::move(wanted));
}

std::optional<Authorization> Authorizer::known(const std::string& registry, const std::vector<std::string>& scopes) {
  Wanted wanted;
  {
    const std::lock_guard lock(mutex_);
    const auto found = wanted_.find(registry);
    if (found == wanted_.end()) return std::nullopt;
    wanted = found->second;
  }
  if (wanted.fixed || !wanted.realm) return wanted.fixed;
  auto granted = token(registry, Scopes(scopes), *wanted.realm, std::nullopt);
  if (granted) return *std::move(granted);
  // What is wrong is told when the registry insists: it may have moved its realm.
  remember(registry, {});
  return std::nullopt;
}

Result<Authorization> Authorizer::basic(const std::string& registry, const std::vector<std::string>& scopes,
                                        const std::optional<Authorization>& sent) {
  const auto authorize = [&](const std::optional<Credentials>& login) -> Result<Authorization> {
    if (login && !login->username.empty())
      return Authorization::basic(origins_of(registry), login->username, login->password);
    return login_failure(registry, join(scopes, ", "), "expected a user name and password, found none", false);
  };
  CG_TRY(const auto login, logins_.get(registry));
  CG_TRY(Authorization authorization, authorize(login));
  if (!sent || !sent->same_as(authorization)) return authorization;
  CG_TRY(const auto newer, logins_.again(registry));
  return authorize(newer);
}

Result<Token> Authorizer::ask(TokenWish wish) {
  PausingClient http(http_, clock_);
  auto token = fetch_token(http, wish);
  if (token || token.error().code != ErrorCode::unauthenticated || !wish.login) return token;
  auto newer = logins_.again(wish.registry);
  if (!newer || same_login(wish.login, *newer)) return token;
  wish.login = *std::move(newer);
  return fetch_token(http, wish);
}

Result<Grant> Authorizer::fetch(const std::string& registry, const Scopes& scopes, const Realm& realm) {
  CG_TRY(auto login, logins_.get(registry));
  TokenWish wish{registry, realm, scopes, std::move(login), {}};
  const std::string name = realm.url.text();
  {
    const std::lock_guard lock(mutex_);
    const Renewal& renewal = renewals_[registry];
    if (renewal.realm == name) {
      wish.refresh_token = renewal.refresh_token;
      wish.post_first = renewal.by_post;
    }
  }
  CG_TRY(Token token, ask(std::move(wish)));
  const auto until = clock_.monotonic() + token.usable;
  const std::lock_guard lock(mutex_);
  renewals_[registry] = {name, std::move(token.refresh_token), token.by_post};
  return Grant{Authorization::bearer(origins_of(registry), std::move(token.text)), until};
}

Result<Authorization> Authorizer::token(const std::string& registry, const Scopes& scopes, const Realm& realm,
                                        const std::optional<Authorization>& sent) {
  return tokens_.get(registry, scopes, sent, [&] { return fetch(registry, scopes, realm); });
}

Result<Authorization> Authorizer::answer(const std::string& registry, const std::vector<std::string>& scopes,
                                         const net::Response& response, const std::optional<Authorization>& sent) {
  CG_TRY(const auto challenges, challenges_of(response.headers));
  const Challenge* bearer = find_scheme(challenges, "bearer");
  if (bearer == nullptr && find_scheme(challenges, "basic") == nullptr) {
    return login_failure(registry, join(scopes, ", "), "expected a Bearer or Basic challenge, found neither", false);
  }
  if (bearer == nullptr) {
    CG_TRY(Authorization authorization, basic(registry, scopes, sent));
    remember(registry, {authorization, std::nullopt});
    return authorization;
  }
  CG_TRY(const auto login, logins_.get(registry));
  if (login && !login->registry_token.empty()) {
    Authorization authorization = Authorization::bearer(origins_of(registry), login->registry_token);
    remember(registry, {authorization, std::nullopt});
    return authorization;
  }
  CG_TRY(Realm realm, realm_of(registry, *bearer, policy_));
  realm.must_be_public = realm.must_be_public && response.from_public;
  CG_TRY(Authorization authorization, token(registry, Scopes(scopes), realm, sent));
  remember(registry, {std::nullopt, std::move(realm)});
  return authorization;
}

}  // namespace crategate::registry
