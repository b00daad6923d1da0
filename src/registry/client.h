// OCI distribution client (https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md), the thin form.
// Read and write are split, so that a stage that only reads cannot write.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "net/http.h"
#include "oci/manifest.h"
#include "oci/reference.h"
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
};

class RegistryWriter {
 public:
  virtual ~RegistryWriter() = default;
  /// Uploads unless present. `open` is called once per try.
  virtual Result<void> put_blob(const oci::Repository& repository, const oci::Descriptor& blob,
                                const std::function<Result<net::BodySource>()>& open) = 0;
  /// Mounts from another repository of the same registry; false = the registry would not.
  virtual Result<bool> mount_blob(const oci::Repository& to, const oci::Repository& from,
                                  const oci::Digest& digest) = 0;
  /// PUT by tag or digest, then read back: the returned digest is what the registry now serves there.
  /// Errors: integrity when it serves something else; conflict for immutable tags; forbidden.
  virtual Result<oci::Digest> put_manifest(const oci::Reference& reference, std::string_view bytes,
                                           std::string_view media_type) = 0;
};

struct Credentials {
  std::string username;
  Secret password;
};

/// Where credentials come from: inputs for `registry`, then the docker configuration's `auths` (base64 `auth` only
/// here).
using CredentialSource = std::function<Result<std::optional<Credentials>>(const std::string& registry)>;
/// Parses `config.json` text of the docker CLI. Docker Hub's key is `https://index.docker.io/v1/`.
Result<std::map<std::string, Credentials>> parse_docker_config(std::string_view text, std::string_view file_name);

class HttpRegistry final : public RegistryReader, public RegistryWriter {
 public:
  /// `insecure`: host[:port] that may speak plain HTTP; localhost, 127.0.0.0/8 and [::1] always may (tried only there).
  HttpRegistry(net::HttpClient& http, sys::Clock& clock, CredentialSource credentials,
               std::vector<std::string> insecure);
  ~HttpRegistry() override;
  Result<std::optional<StoredManifest>> manifest(const oci::Reference& reference) override;
  Result<std::optional<oci::Digest>> digest(const oci::Reference& reference) override;
  Result<bool> has_blob(const oci::Repository& repository, const oci::Digest& digest) override;
  Result<std::optional<std::string>> blob(const oci::Repository& repository, const oci::Digest& digest,
                                          std::size_t limit) override;
  Result<void> put_blob(const oci::Repository& repository, const oci::Descriptor& blob,
                        const std::function<Result<net::BodySource>()>& open) override;
  Result<bool> mount_blob(const oci::Repository& to, const oci::Repository& from, const oci::Digest& digest) override;
  Result<oci::Digest> put_manifest(const oci::Reference& reference, std::string_view bytes,
                                   std::string_view media_type) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace crategate::registry
