// Answers a registry's challenge: Basic, or a bearer token from its realm.
// Belongs here: which answer is given to whom, and what is remembered.  Not here: the requests they are for (session),
// the questions to a realm (token).
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "registry/authorization.h"
#include "registry/challenge.h"
#include "registry/credentials.h"
#include "registry/logins.h"
#include "registry/origin.h"
#include "registry/token.h"
#include "registry/token_cache.h"
#include "sys/clock.h"

namespace crategate::registry {

/// Thread-safe.
class Authorizer {
 public:
  Authorizer(net::HttpClient& http, sys::Clock& clock, CredentialSource credentials, const OriginPolicy& policy)
      : http_(http), clock_(clock), policy_(policy), logins_(std::move(credentials), clock), tokens_(clock) {}

  /// What a request for these scopes should carry at once. nullopt = send it without, and answer the challenge if one
  /// comes. `scopes`: "repository:a/b:pull,push".
  ///
  /// Effects:  network(token realm), where a challenge of this registry was answered before and no token that was
  ///           granted covers these scopes and has a fifth of its lifetime left
  std::optional<Authorization> known(const std::string& registry, const std::vector<std::string>& scopes);
  /// Answers the challenge of `response` for the scopes that we need and no others (A52). `sent`: what the refused
  /// request carried; it is not given out again where there may be another.
  ///
  /// Effects:  network(token realm), process (a credential helper)
  /// Errors:   unauthenticated, rate_limited, unavailable; integrity for a realm that must not be used
  Result<Authorization> answer(const std::string& registry, const std::vector<std::string>& scopes,
                               const net::Response& response, const std::optional<Authorization>& sent);
  /// Name used for `registry` so far; empty = anonymous.
  std::string user(const std::string& registry) const { return logins_.user(registry); }

 private:
  /// What a registry wanted last, and was satisfied with.
  struct Wanted {
    std::optional<Authorization> fixed;  ///< Basic, or a token that nobody renews
    std::optional<Realm> realm;
  };
  /// What is kept of a registry's realm for the next token.
  struct Renewal {
    std::string realm;  ///< that gave it
    Secret refresh_token;
    bool by_post = false;
  };
  Result<Authorization> basic(const std::string& registry, const std::vector<std::string>& scopes,
                              const std::optional<Authorization>& sent);
  Result<Authorization> token(const std::string& registry, const Scopes& scopes, const Realm& realm,
                              const std::optional<Authorization>& sent);
  Result<Grant> fetch(const std::string& registry, const Scopes& scopes, const Realm& realm);
  Result<Token> ask(TokenWish wish);
  std::vector<std::string> origins_of(const std::string& registry) const;
  void remember(const std::string& registry, Wanted wanted);

  net::HttpClient& http_;
  sys::Clock& clock_;
  const OriginPolicy& policy_;
  Logins logins_;
  TokenCache tokens_;
  std::mutex mutex_;
  std::map<std::string, Wanted> wanted_;
  std::map<std::string, Renewal> renewals_;
};

}  // namespace crategate::registry
