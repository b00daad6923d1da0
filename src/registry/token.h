// Asking a realm for a token (https://distribution.github.io/distribution/spec/auth/token/ and …/oauth/).
// Belongs here: one question and its answer.  Not here: who asks when, and what is kept (authorizer).
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "net/http.h"
#include "registry/challenge.h"
#include "registry/credentials.h"
#include "registry/origin.h"
#include "registry/scopes.h"

namespace crategate::registry {

/// Where a registry has its tokens from.
struct Realm {
  net::Url url;  ///< allowed by the policy
  std::string service;
  bool must_be_public =
      false;  ///< the realm of a registry with a public address is on another host: its address must be public, too
};

/// Errors: integrity for a realm that is none, or that must not be used (A40).
Result<Realm> realm_of(const std::string& registry, const Challenge& challenge, const OriginPolicy& policy);

struct TokenWish {
  std::string registry;
  Realm realm;
  Scopes scopes;
  std::optional<Credentials> login;
  Secret refresh_token;     ///< that the realm gave before
  bool post_first = false;  ///< it took the password by POST before
};

struct Token {
  Secret text;
  std::chrono::milliseconds usable{0};  ///< from its receipt; a fifth of the lifetime is left for requests under way
  Secret refresh_token;                 ///< empty = none
  bool by_post = false;                 ///< the password was taken by POST
};

/// A token of the realm's answer.
/// Errors: unauthenticated for what is no token of visible ASCII with at most 64 KiB (A51).
Result<Token> parse_token(const std::string& body, const net::Url& realm);

/// An identity or refresh token by POST; a password by GET, or by POST where GET is unknown. What is refused is tried
/// in the other way if there is one; the first answer that says more than "unknown" counts.
///
/// Effects:  network(realm); no redirect is followed
/// Errors:   unauthenticated, rate_limited, unavailable
Result<Token> fetch_token(net::HttpClient& http, const TokenWish& wish);

/// "registry R demands a login for SCOPES: WHY", with what to do.
Failure login_failure(const std::string& registry, const std::string& scopes, std::string_view why, bool has_login);

}  // namespace crategate::registry
