// The state behind HttpRegistry, and what its parts share.
#pragma once

#include <mutex>

#include "registry/client.h"
#include "registry/session.h"

namespace crategate::registry {

struct HttpRegistry::Impl {
  Impl(net::HttpClient& http, sys::Clock& clock, CredentialSource credentials, RegistryOptions options)
      : session(http, clock, std::move(credentials), std::move(options)) {}
  Session session;
  std::mutex listing;  ///< held while a list of referrers is read, changed and written
};

inline constexpr std::string_view kPullActions = "pull";
inline constexpr std::string_view kPushActions = "pull,push";
inline constexpr std::string_view kDeleteActions = "delete,pull,push";
inline constexpr std::size_t kErrorLimit = 64u << 10;  ///< bytes of an error answer

/// "manifests/<tag or digest>".
/// Errors: bad_input for a reference with neither.
Result<std::string> manifest_path(const oci::Reference& reference);

/// The registry's own claim about a manifest's digest; nullopt when it makes none that can be read.
std::optional<oci::Digest> claimed_digest(const net::Response& response);

/// A 404 means "absent" only when the registry itself says so; a proxy's error page must not look like a free tag.
/// Errors: unavailable, forbidden.
Result<void> require_registry_404(const Answer& answer);

/// Content that is not what its digest, size or type says.
Error wrong_content(const oci::Reference& reference, std::string_view expected, std::string_view found);

/// Whether a blob is there, as HEAD says; not with another `size`. `actions`: what the login is wanted for.
Result<bool> is_blob_there(Session& session, const oci::Repository& repository, const oci::Digest& digest,
                           std::string_view actions, net::Deadline& deadline,
                           std::optional<std::uint64_t> size = std::nullopt);

/// Whether the registry itself lists what refers to `subject`; it is asked unless it is known that it does not.
Result<bool> lists_referrers(Session& session, const oci::Repository& repository, const oci::Digest& subject);

/// The target of the answer's rel=next, on the registry itself; nullopt = this page is the last.
/// Errors: integrity for another host, or a header that is none (A54).
Result<std::optional<net::Url>> next_page(const Answer& answer);

}  // namespace crategate::registry
