// Answers a registry's challenge: Basic, or a bearer token from its realm
// (https://distribution.github.io/distribution/spec/auth/token/).
// Belongs here: credentials, tokens and where they may go.  Not here: the requests they are for.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "registry/challenge.h"
#include "registry/client.h"
#include "registry/origin.h"
#include "sys/clock.h"

namespace crategate::registry {

/// An Authorization header; sent to the registry's own origin only.
struct Authorization {
  bool is_bearer = false;
  Secret credential;  ///< token, or base64 of user:password
  std::string header() const;
};

class Authorizer {
 public:
  Authorizer(net::HttpClient& http, sys::Clock& clock, CredentialSource credentials, const OriginPolicy& policy)
      : http_(http), clock_(clock), credentials_(std::move(credentials)), policy_(policy) {}

  /// What was granted for these scopes before and has not expired. `scopes`: "repository:a/b:pull,push".
  std::optional<Authorization> known(const std::string& registry, const std::vector<std::string>& scopes);
  /// Answers the challenge of `response` anew, for the scopes that we need and no others (A52).
  ///
  /// Effects:  network(token realm)
  /// Errors:   unauthenticated, forbidden, rate_limited, unavailable; integrity for a realm that must not be used
  Result<Authorization> answer(const std::string& registry, const std::vector<std::string>& scopes,
                               const net::Response& response);
  /// Name used for `registry`; empty = anonymous.
  std::string user(const std::string& registry);

 private:
  struct Granted {
    Authorization authorization;
    std::optional<sys::Instant> until;
  };
  Result<std::optional<Credentials>> credentials(const std::string& registry);
  Result<Granted> fetch_token(const std::string& registry, const std::vector<std::string>& scopes,
                              const Challenge& challenge);
  Result<Granted> basic(const std::string& registry);

  net::HttpClient& http_;
  sys::Clock& clock_;
  CredentialSource credentials_;
  const OriginPolicy& policy_;
  std::mutex mutex_;
  std::map<std::string, Granted> granted_;
  std::map<std::string, std::optional<Credentials>> found_;
};

}  // namespace crategate::registry
