// A reader that asks for nothing twice that its digest names: such content is never stale.
// Belongs here: manifests and small blobs, by digest.  Not here: what tags name, which only the registry knows.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "registry/client.h"

namespace crategate::registry {

/// Keeps every manifest that it reads, by whatever name, and every small blob, by repository and digest. Thread-safe;
/// two that ask for the same at the same time both ask the registry.
class RememberingReader final : public RegistryReader {
 public:
  explicit RememberingReader(RegistryReader& inner) : inner_(inner) {}
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
  bool is_anonymous(const std::string& registry) override { return inner_.is_anonymous(registry); }

 private:
  RegistryReader& inner_;
  std::mutex mutex_;
  std::map<std::string, StoredManifest> manifests_;
  std::map<std::string, std::string> blobs_;
};

}  // namespace crategate::registry
