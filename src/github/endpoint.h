// Which API is asked, and as whom.
// Belongs here: GITHUB_API_URL and what it may be.  Not here: requests (session).
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "net/http.h"
#include "sys/environment.h"

namespace crategate::github {

struct Endpoint {
  net::Url
      base;  ///< https://api.github.com/, or https://HOST/api/v3 of an Enterprise Server; no '/' at the end of a path
  Secret token;  ///< empty = anonymous
};

/// GraphQL's address beside it: `https://api.github.com/graphql`, or `https://HOST/api/graphql` of an Enterprise Server.
net::Url graphql_url(const Endpoint& endpoint);

/// Its pages for people: `https://github.com`, or `https://HOST` of an Enterprise Server.
std::string site_of(const Endpoint& endpoint);

/// The host of its container registry: ghcr.io of github.com, `containers.HOST` of any other server. On loopback, where no
/// registry of GitHub's is, that of github.com.
std::string container_registry(const Endpoint& endpoint);

/// `configured`: an address that the user chose; it wins over GITHUB_API_URL, which must belong to GITHUB_SERVER_URL:
/// an earlier step of a job may have changed it (A61).
/// Errors: bad_input for an address that is neither https nor loopback, of another server, or with a query; for a token
/// with spaces or control characters in it.
Result<Endpoint> find_endpoint(const sys::Environment& environment, const Secret& token,
                               const std::optional<std::string>& configured = std::nullopt);

}  // namespace crategate::github
