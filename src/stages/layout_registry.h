// An OCI layout in the roles of a registry, so that the stages know one kind of destination.
#pragma once

#include <mutex>

#include "layout/image_store.h"
#include "registry/client.h"

namespace crategate::stages {

/// How a layout names its images.
enum class LayoutNames : unsigned char {
  references,  ///< `me/app:v1`: several repositories in one layout, as crategate writes it
  tags,        ///< `v1`: the layout is one repository, as other tools write it
};

class LayoutRegistry final : public registry::RegistryReader, public registry::RegistryWriter {
 public:
  explicit LayoutRegistry(layout::OciLayout layout, LayoutNames names = LayoutNames::references)
      : layout_(std::move(layout)), names_(names) {}
  Result<std::optional<registry::StoredManifest>> manifest(const oci::Reference& reference) override;
  Result<std::optional<oci::Digest>> digest(const oci::Reference& reference) override;
  Result<bool> has_blob(const oci::Repository& repository, const oci::Digest& digest) override;
  Result<std::optional<std::string>> blob(const oci::Repository& repository, const oci::Digest& digest,
                                          std::size_t limit) override;
  Result<bool> read_blob(const oci::Repository& repository, const oci::Descriptor& blob,
                         const net::BodySink& sink) override;
  Result<std::optional<std::vector<std::string>>> tags(const oci::Repository& repository) override;
  /// By the fallback tag: a layout has no API.
  Result<std::vector<oci::Descriptor>> referrers(const oci::Repository& repository,
                                                 const oci::Digest& subject) override;
  /// A layout has one store for all repositories: what is there is mounted.
  Result<registry::BlobArrival> put_blob(const oci::Repository& repository, const oci::Descriptor& blob,
                                         const registry::BlobSource& source) override;
  Result<oci::Digest> put_manifest(const oci::Reference& reference, std::string_view bytes,
                                   std::string_view media_type) override;
  Result<void> point_tag(const oci::Reference& tag, const std::optional<oci::Digest>& before, std::string_view bytes,
                         std::string_view media_type) override;
  /// Names only: the content stays.
  Result<bool> remove_manifest(const oci::Reference& reference) override;

 private:
  Result<std::optional<layout::OciLayout::Stored>> find(const oci::Reference& reference) const;
  std::string name_of(const oci::Reference& reference) const;
  layout::OciLayout layout_;
  LayoutNames names_;
  std::mutex listing_;  ///< held while a list of referrers is read, changed and written
};

}  // namespace crategate::stages
