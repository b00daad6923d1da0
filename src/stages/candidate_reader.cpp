#include "stages/candidate_reader.h"

#include <filesystem>

#include "stages/layout_registry.h"
#include "stages/rebuild.h"

namespace crategate::stages {

CandidateReader::CandidateReader(const pipeline::Plan& plan, const Workspace& workspace,
                                 registry::RegistryReader& destination)
    : destination_(destination), directory_(workspace.state() / kRebuiltDirectory) {
  if (!plan.rebuild) return;
  for (const auto& cell : plan.cells) {
    const auto candidate = oci::parse_repository(cell.candidate), image = oci::parse_repository(cell.image);
    if (candidate && image) images_.emplace(*candidate, *image);
  }
}

Result<registry::RegistryReader*> CandidateReader::here(const oci::Repository& repository) {
  if (!images_.contains(repository)) return nullptr;
  const std::lock_guard lock(opening_);
  if (!rebuilt_ && std::filesystem::exists(directory_)) {
    CG_TRY(auto layout, layout::OciLayout::open(directory_));
    rebuilt_ = std::make_unique<LayoutRegistry>(std::move(layout));
  }
  return rebuilt_.get();
}

oci::Repository CandidateReader::published(const oci::Repository& repository) const {
  const auto image = images_.find(repository);
  return image == images_.end() ? repository : image->second;
}

Result<std::optional<registry::StoredManifest>> CandidateReader::manifest(const oci::Reference& reference) {
  CG_TRY(auto* const rebuilt, here(reference.repository));
  if (rebuilt != nullptr) {
    CG_TRY(auto stored, rebuilt->manifest(reference));
    if (stored) return stored;
  }
  return destination_.manifest({published(reference.repository), reference.tag, reference.digest});
}

Result<std::optional<oci::Digest>> CandidateReader::digest(const oci::Reference& reference) {
  CG_TRY(auto* const rebuilt, here(reference.repository));
  if (rebuilt != nullptr) {
    CG_TRY(auto digest, rebuilt->digest(reference));
    if (digest) return digest;
  }
  return destination_.digest({published(reference.repository), reference.tag, reference.digest});
}

Result<bool> CandidateReader::has_blob(const oci::Repository& repository, const oci::Digest& digest) {
  CG_TRY(auto* const rebuilt, here(repository));
  if (rebuilt != nullptr) {
    CG_TRY(const bool there, rebuilt->has_blob(repository, digest));
    if (there) return true;
  }
  return destination_.has_blob(published(repository), digest);
}

Result<std::optional<std::string>> CandidateReader::blob(const oci::Repository& repository, const oci::Digest& digest,
                                                         std::size_t limit) {
  CG_TRY(auto* const rebuilt, here(repository));
  if (rebuilt != nullptr) {
    CG_TRY(auto bytes, rebuilt->blob(repository, digest, limit));
    if (bytes) return bytes;
  }
  return destination_.blob(published(repository), digest, limit);
}

Result<bool> CandidateReader::read_blob(const oci::Repository& repository, const oci::Descriptor& blob,
                                        const net::BodySink& sink) {
  CG_TRY(auto* const rebuilt, here(repository));
  if (rebuilt != nullptr) {
    CG_TRY(const bool there, rebuilt->read_blob(repository, blob, sink));
    if (there) return true;
  }
  return destination_.read_blob(published(repository), blob, sink);
}

Result<std::optional<std::vector<std::string>>> CandidateReader::tags(const oci::Repository& repository) {
  return destination_.tags(published(repository));
}

Result<std::vector<oci::Descriptor>> CandidateReader::referrers(const oci::Repository& repository,
                                                                const oci::Digest& subject) {
  return destination_.referrers(published(repository), subject);
}

}  // namespace crategate::stages
