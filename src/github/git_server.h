// GitHub's git server, beside its API (https://git-scm.com/docs/http-protocol).
// Belongs here: which one, and what it lets a token do.  Not here: fetching and pushing (git/commit_transfer).
#pragma once

#include "base/result.h"
#include "base/secret.h"
#include "github/values.h"
#include "net/http.h"
#include "net/retry.h"
#include "sys/clock.h"
#include "sys/environment.h"

namespace crategate::github {

struct GitServer {
  net::Url base;  ///< https://github.com; no '/' at the end of a path
  Secret token;
};

/// That of GITHUB_SERVER_URL.
/// Errors: bad_input, as find_endpoint.
Result<GitServer> find_git_server(const sys::Environment& environment, const Secret& token);

/// Whether the token could push to `repository`: git's first request of a push is made, and nothing after it. The API does
/// not tell: `permissions` of a repository is the role of a person, and an installation's token has none whatever it may do.
///
/// Effects: network. The token goes to that server only; a redirect is not followed.
/// Errors: everything that is neither a yes nor a no, with what was asked and what came; interrupted.
Result<bool> may_push(net::HttpClient& http, sys::Clock& clock, const GitServer& server,
                      const RepositoryName& repository, const net::Random& random = net::kernel_random);

}  // namespace crategate::github
