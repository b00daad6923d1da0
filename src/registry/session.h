// Requests to registries: origin, authorization, redirects, further tries.
// Belongs here: how a request reaches the registry.  Not here: what it asks for (read, upload, write).
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "registry/authorizer.h"
#include "registry/capabilities.h"
#include "registry/client.h"
#include "registry/failure.h"
#include "registry/origin.h"
#include "registry/patience.h"
#include "registry/server_clock.h"

namespace crategate::registry {

/// One request, as a value.
struct Query {
  std::string method = "GET";
  oci::Repository repository;              ///< without a path: the API's root
  std::string path;                        ///< below /v2/<repository>/
  std::optional<net::Url> url;             ///< an upload location or next page, instead of `path`
  std::string actions = "pull";            ///< "pull", "pull,push" or "delete,pull,push"
  std::vector<oci::Repository> also_pull;  ///< further repositories it reads from
  net::Headers headers;
  std::string body;
  std::function<Result<net::BodySource>()> open;  ///< a streamed body, instead of `body`; once per try
  std::uint64_t length = 0;
  std::size_t limit = oci::kManifestLimit;  ///< of the answer
  net::BodySink sink;                       ///< for the body of a success, instead of a limit
  std::function<Result<void>(const net::Response&)> on_head;
  bool follow = false;       ///< redirects
  bool hurried = false;      ///< there is somebody else to ask: no more than a few seconds of silence
  bool public_only = false;  ///< `url` was named by a server with a public address, and must have one, too (A40)
};

struct Answer {
  net::Response response;
  net::Url url;             ///< that answered
  bool by_registry = true;  ///< false after a redirect to another origin
  Asked asked;
};

class Session {
 public:
  Session(net::HttpClient& http, sys::Clock& clock, CredentialSource credentials, RegistryOptions options)
      : http_(http),
        clock_(clock),
        options_(std::move(options)),
        policy_(options_.insecure),
        authorizer_(http, clock, std::move(credentials), policy_),
        budget_(options_.patience.budget),
        pacing_(clock, options_.patience.longest_pause) {}

  /// The time of one operation.
  net::Deadline deadline() const { return {clock_, options_.patience.operation}; }
  /// One try: any answer of a server, a challenge answered at most once.
  /// Errors: beside those of the connection rate_limited, when the registry's pause outlasts `deadline`.
  Result<Answer> send(const Query& query, net::Deadline& deadline);
  /// Tries again where that may help soon; for requests that may be repeated.
  Result<Answer> send_patiently(const Query& query, net::Deadline& deadline);
  Result<Answer> send_patiently(const Query& query);
  /// True after the pause that comes before another try; `failed` counts those that came to nothing.
  /// Takes from the budget of all operations.
  bool wait_for_another_try(const Result<Answer>& answer, int failed, net::Deadline& deadline);
  bool wait_for_another_try(const Error& error, int failed, net::Deadline& deadline);

  /// An upload location, resolved and allowed.
  /// Errors: integrity.
  Result<net::Url> location(const Answer& answer) const;
  /// Who is asked for content that a digest names: the mirrors of the repository's registry, then itself.
  std::vector<oci::Repository> sources(const oci::Repository& repository) const;

  sys::Clock& clock() { return clock_; }
  const Patience& patience() const { return options_.patience; }
  Capabilities& capabilities() { return capabilities_; }
  std::string user(const std::string& registry) { return authorizer_.user(registry); }

 private:
  Result<Answer> send_once(const Query& query, net::Deadline& deadline);
  /// A request to a registry that may speak plain HTTP, before it is known whether it does. On loopback that is tried
  /// first, and a server that wants TLS is asked again over https; elsewhere TLS is, and plain HTTP where there is none.
  Result<Answer> send_unsettled(const Query& query, net::Deadline& deadline);
  Result<Answer> after_plain(const Query& query, net::Deadline& deadline, Result<Answer> plain);
  Result<Answer> after_tls(const Query& query, net::Deadline& deadline, Result<Answer> secure);
  Result<Answer> send_to(const Query& query, net::Url url, net::Deadline& deadline);
  Result<net::Response> exchange(const Query& query, const net::Url& url, const std::optional<Authorization>& login,
                                 net::Deadline& deadline);
  Result<Answer> follow(const Query& query, Answer answer, net::Deadline& deadline);
  /// How long to wait before another try; nullopt = it does not help, or not soon enough.
  std::optional<std::chrono::milliseconds> pause_after(const net::Response& response, int failed) const;
  /// The pause that holds for all requests to the registry: one that was asked for, or until it answers again.
  std::optional<std::chrono::milliseconds> pause_for_all(const Answer& answer) const;
  std::string scheme_of(const std::string& registry);  ///< empty = not known yet
  void remember_scheme(const std::string& registry, const std::string& scheme);

  net::HttpClient& http_;
  sys::Clock& clock_;
  RegistryOptions options_;
  OriginPolicy policy_;
  Authorizer authorizer_;
  Capabilities capabilities_;
  RetryBudget budget_;
  Pacing pacing_;
  ServerClocks clocks_;
  std::mutex mutex_;
  std::map<std::string, std::string> schemes_;
};

}  // namespace crategate::registry
