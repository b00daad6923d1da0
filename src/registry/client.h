// OCI distribution (https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md) as two roles.
// Read and write are split, so that a stage that only reads cannot write. Every digest and size is verified.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/http.h"
#include "oci/manifest.h"
#include "oci/reference.h"
#include "registry/credentials.h"
#include "registry/patience.h"
#include "sys/clock.h"

namespace crategate::registry {

struct StoredManifest {
  oci::Descriptor descriptor;  ///< digest computed from `bytes`
  std::string bytes;
};

class RegistryReader {
 public:
  virtual ~RegistryReader() = default;
  /// By tag or digest. nullopt only for a 404 to a request that satisfied the registry's challenge (or when it made
  /// none).
  /// Errors: unauthenticated, forbidden, rate_limited, unavailable, integrity.
  virtual Result<std::optional<StoredManifest>> manifest(const oci::Reference& reference) = 0;
  /// Digest only (HEAD, confirmed by GET when the registry sends no digest). nullopt as above.
  virtual Result<std::optional<oci::Digest>> digest(const oci::Reference& reference) = 0;
  virtual Result<bool> has_blob(const oci::Repository& repository, const oci::Digest& digest) = 0;
  /// A whole small blob, checked against its digest. nullopt as above.
  virtual Result<std::optional<std::string>> blob(const oci::Repository& repository, const oci::Digest& digest,
                                                  std::size_t limit = oci::kManifestLimit) = 0;
  /// A blob of any size as its bytes arrive; continued where it was cut. False = absent, and `sink` saw nothing.
  ///
  /// Digest and size are checked at the end: what `sink` was given proves nothing before success.
  /// Errors: as above, and what `sink` answers.
  virtual Result<bool> read_blob(const oci::Repository& repository, const oci::Descriptor& blob,
                                 const net::BodySink& sink) = 0;
  /// All tags, in the registry's order. nullopt = it does not know the repository.
  virtual Result<std::optional<std::vector<std::string>>> tags(const oci::Repository& repository) = 0;
  /// What refers to a manifest (signatures, SBOMs, provenance): by the referrers API, else by its fallback tag.
  virtual Result<std::vector<oci::Descriptor>> referrers(const oci::Repository& repository,
                                                         const oci::Digest& subject) = 0;
  /// Whether `registry` was asked without a login so far, as it demanded none or there is none: what it does not show to
  /// everybody looks absent then.
  virtual bool is_anonymous(const std::string& /*registry*/) { return false; }
};

/// Where the bytes of a blob come from.
struct BlobSource {
  std::optional<oci::Repository> mount_from;  ///< a repository of the same registry that has it
  /// Its bytes from `offset` on; called once per try. Empty = by mounting or not at all.
  std::function<Result<net::BodySource>(std::uint64_t offset)> open;
};

enum class BlobArrival : unsigned char { present, mounted, uploaded, not_mounted };

class RegistryWriter {
 public:
  virtual ~RegistryWriter() = default;
  /// Mounts, else uploads unless present. An upload that was cut goes on where it was, where the registry can that.
  virtual Result<BlobArrival> put_blob(const oci::Repository& repository, const oci::Descriptor& blob,
                                       const BlobSource& source) = 0;
  /// PUT by tag or digest, then read back: the returned digest is what the registry now serves there.
  /// Errors: integrity when it serves something else; conflict for immutable tags; forbidden.
  virtual Result<oci::Digest> put_manifest(const oci::Reference& reference, std::string_view bytes,
                                           std::string_view media_type) = 0;
  /// Points a tag, which named `before` (nullopt: nothing) a moment ago, at a manifest that its repository has. Where the
  /// first try had no good answer, it is looked at before another one, and what somebody else wrote meanwhile stays.
  /// What it names afterwards is for the caller to read.
  /// Errors: conflict for immutable tags, and for a tag that names something else by now; forbidden.
  virtual Result<void> point_tag(const oci::Reference& tag, const std::optional<oci::Digest>& before,
                                 std::string_view bytes, std::string_view media_type) = 0;
  /// By tag (the manifest stays) or by digest (its tags go with it). False = it was not there.
  /// Errors: unsupported deletion is a conflict that says so.
  virtual Result<bool> remove_manifest(const oci::Reference& reference) = 0;
  /// What a write would find under `reference`, as far as one question tells. nullopt = nothing, or it is not known.
  /// `mount_from`: where blobs would be mounted from; so one login serves for all.
  virtual std::optional<oci::Digest> glance(const oci::Reference& /*reference*/,
                                            const std::optional<oci::Repository>& /*mount_from*/) {
    return std::nullopt;
  }
};

struct RegistryOptions {
  /// host[:port] that may speak plain HTTP; localhost, 127.0.0.0/8 and [::1] always may (tried only there).
  std::vector<std::string> insecure;
  /// By registry: hosts that are asked first for what a digest names. What they lack is read from the registry.
  std::map<std::string, std::vector<std::string>> mirrors;
  Patience patience;
};

/// What a login may do in a repository, as the registry answered.
struct Access {
  std::string user;              ///< empty = anonymous
  std::optional<Error> no_pull;  ///< why not; nothing = it may
  std::optional<Error> no_push;
  bool asked_push = false;  ///< a registry alone is only asked whether it takes the login
};

class HttpRegistry final : public RegistryReader, public RegistryWriter {
 public:
  HttpRegistry(net::HttpClient& http, sys::Clock& clock, CredentialSource credentials, RegistryOptions options);
  ~HttpRegistry() override;
  Result<std::optional<StoredManifest>> manifest(const oci::Reference& reference) override;
  Result<std::optional<oci::Digest>> digest(const oci::Reference& reference) override;
  Result<bool> has_blob(const oci::Repository& repository, const oci::Digest& digest) override;
  Result<std::optional<std::string>> blob(const oci::Repository& repository, const oci::Digest& digest,
                                          std::size_t limit) override;
  Result<bool> read_blob(const oci::Repository& repository, const oci::Descriptor& blob,
                         const net::BodySink& sink) override;
  Result<std::optional<std::vector<std::string>>> tags(const oci::Repository& repository) override;
  Result<std::vector<oci::Descriptor>> referrers(const oci::Repository& repository,
                                                 const oci::Digest& subject) override;
  bool is_anonymous(const std::string& registry) override;
  Result<BlobArrival> put_blob(const oci::Repository& repository, const oci::Descriptor& blob,
                               const BlobSource& source) override;
  Result<oci::Digest> put_manifest(const oci::Reference& reference, std::string_view bytes,
                                   std::string_view media_type) override;
  Result<void> point_tag(const oci::Reference& tag, const std::optional<oci::Digest>& before, std::string_view bytes,
                         std::string_view media_type) override;
  /// What refers to something is taken off the list under its subject's fallback tag, where the registry keeps none.
  Result<bool> remove_manifest(const oci::Reference& reference) override;
  std::optional<oci::Digest> glance(const oci::Reference& reference,
                                    const std::optional<oci::Repository>& mount_from) override;
  /// Asks for the list of tags, and for an upload that is cancelled at once; without a path for the API's root only.
  /// Errors: whatever is no answer about rights.
  Result<Access> check_access(const oci::Repository& repository);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace crategate::registry
