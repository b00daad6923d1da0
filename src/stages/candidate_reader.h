// Where candidates are read: tested ones at the destination, rebuilt ones beside the plan.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "pipeline/plan.h"
#include "registry/client.h"
#include "stages/workspace.h"

namespace crategate::stages {

/// The destination, and besides under `rebuilt.invalid` what was rebuilt. What is not, or no longer, on this machine is
/// read where it has been published; whether it may be is for the version tags to say.
class CandidateReader final : public registry::RegistryReader {
 public:
  CandidateReader(const pipeline::Plan& plan, const Workspace& workspace, registry::RegistryReader& destination);
  Result<std::optional<registry::StoredManifest>> manifest(const oci::Reference& reference) override;
  Result<std::optional<oci::Digest>> digest(const oci::Reference& reference) override;
  Result<bool> has_blob(const oci::Repository& repository, const oci::Digest& digest) override;
  Result<std::optional<std::string>> blob(const oci::Repository& repository, const oci::Digest& digest,
                                          std::size_t limit) override;
  Result<bool> read_blob(const oci::Repository& repository, const oci::Descriptor& blob,
                         const net::BodySink& sink) override;
  Result<std::optional<std::vector<std::string>>> tags(const oci::Repository& repository) override;
  Result<std::vector<oci::Descriptor>> referrers(const oci::Repository& repository,
                                                 const oci::Digest& subject) override;

 private:
  /// nullptr: `repository` is not one of rebuilt images, or none is here.
  /// Errors: of a layout that cannot be opened.
  Result<registry::RegistryReader*> here(const oci::Repository& repository);
  oci::Repository published(const oci::Repository& repository) const;
  registry::RegistryReader& destination_;
  sys::Path directory_;
  std::map<oci::Repository, oci::Repository> images_;  ///< candidate → image
  std::mutex opening_;
  std::unique_ptr<registry::RegistryReader> rebuilt_;
};

}  // namespace crategate::stages
