// Tokens of a GitHub App (https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app).
// Belongs here: the proof that somebody is the App, and what GitHub gives for it.  Not here: the signature (base/rs256),
// when a token is wanted (app/push_app).
#pragma once

#include <chrono>
#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "github/client.h"
#include "github/endpoint.h"
#include "github/values.h"
#include "net/http.h"
#include "sys/clock.h"

namespace crategate::github {

struct GitHubApp {
  std::string id;  ///< App id or client id
  Secret key;      ///< its private key, PEM
};

/// A JSON Web Token that says "I am this App": RS256, from a minute before `now`, as clocks differ, to nine minutes after.
/// Errors: bad_input for a key that cannot sign; nothing is said of its content.
Result<Secret> app_proof(const GitHubApp& app, std::chrono::system_clock::time_point now);

/// Effects: network.
class AppTokenClient {
 public:
  /// A token in `endpoint` is not used.
  AppTokenClient(net::HttpClient& http, sys::Clock& clock, Endpoint endpoint, Options options = {})
      : http_(http), clock_(clock), endpoint_(std::move(endpoint)), options_(std::move(options)) {}
  /// Whoever has it may write the contents of this repository for an hour, and nothing else.
  /// Errors: bad_input of the key; unauthenticated for a key or id of another App, or a wrong clock; not_found where the
  /// App is not installed; github_api where it may not write contents.
  Result<Secret> make(const GitHubApp& app, const RepositoryName& repository);
  /// From now on it is worth nothing.
  Result<void> revoke(const Secret& token);

 private:
  Endpoint as(const Secret& token) const;
  net::HttpClient& http_;
  sys::Clock& clock_;
  Endpoint endpoint_;
  Options options_;
};

}  // namespace crategate::github
