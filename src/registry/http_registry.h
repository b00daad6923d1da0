// The state behind HttpRegistry, shared by its reading and its writing half.
#pragma once

#include "registry/client.h"
#include "registry/session.h"

namespace crategate::registry {

struct HttpRegistry::Impl {
  Impl(net::HttpClient& http, sys::Clock& clock, CredentialSource credentials, std::vector<std::string> insecure)
      : session(http, clock, std::move(credentials), std::move(insecure)) {}
  Session session;
};

/// "manifests/<tag or digest>".
/// Errors: bad_input for a reference with neither.
Result<std::string> manifest_path(const oci::Reference& reference);

/// The question whether a blob is there, and what its answer says.
Query blob_query(const oci::Repository& repository, const oci::Digest& digest, std::string actions);
Result<bool> is_present(const Answer& answer);

}  // namespace crategate::registry
