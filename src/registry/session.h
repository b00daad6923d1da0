// Requests to a registry: origin, authorization, redirects, bounded retries.
// Belongs here: how a request reaches the registry.  Not here: what it asks for (read, write).
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "registry/authorizer.h"
#include "registry/client.h"
#include "registry/failure.h"
#include "registry/origin.h"

namespace crategate::registry {

/// One request, as a value.
struct Query {
  std::string method = "GET";
  oci::Repository repository;
  std::string path;                        ///< below /v2/<repository>/
  std::optional<net::Url> url;             ///< an upload location, instead of `path`
  std::string actions = "pull";            ///< "pull" or "pull,push"
  std::vector<oci::Repository> also_pull;  ///< further repositories it reads from
  net::Headers headers;
  std::string body;
  std::function<Result<net::BodySource>()> open;  ///< a streamed body, instead of `body`; once per try
  std::uint64_t length = 0;
  std::size_t limit = oci::kManifestLimit;  ///< of the answer
  bool follow = false;                      ///< redirects
};

struct Answer {
  net::Response response;
  net::Url url;             ///< that answered
  bool by_registry = true;  ///< false after a redirect to another origin
  Asked asked;
};

class Session {
 public:
  Session(net::HttpClient& http, sys::Clock& clock, CredentialSource credentials, std::vector<std::string> insecure)
      : http_(http),
        clock_(clock),
        policy_(std::move(insecure)),
        authorizer_(http, clock, std::move(credentials), policy_) {}

  /// One try: any answer of a server, a challenge answered at most once.
  Result<Answer> send(const Query& query);
  /// Up to three tries where trying again may help soon; for requests that may be repeated.
  Result<Answer> send_patiently(const Query& query);
  /// Runs `attempt` up to three times in the same way.
  Result<void> patiently(const std::function<Result<void>()>& attempt);
  /// An upload location, resolved and allowed.
  /// Errors: integrity.
  Result<net::Url> location(const Answer& answer) const;
  sys::Clock& clock() { return clock_; }

 private:
  /// Where plain HTTP is allowed it is tried first; a server that wants TLS is asked again over https.
  Result<Answer> settle_scheme(const Query& query, Result<Answer> plain);
  Result<Answer> send_to(const Query& query, net::Url url);
  Result<net::Response> exchange(const Query& query, const net::Url& url, const std::optional<Authorization>& login);
  Result<Answer> follow(const Query& query, Answer answer);
  std::string scheme_of(const std::string& registry);  ///< empty = not known yet
  void remember_scheme(const std::string& registry, const std::string& scheme);

  net::HttpClient& http_;
  sys::Clock& clock_;
  OriginPolicy policy_;
  Authorizer authorizer_;
  std::mutex mutex_;
  std::map<std::string, std::string> schemes_;
};

}  // namespace crategate::registry
