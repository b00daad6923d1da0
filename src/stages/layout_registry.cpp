#include "stages/layout_registry.h"

namespace crategate::stages {

Result<std::optional<registry::StoredManifest>> LayoutRegistry::manifest(const oci::Reference& reference) {
  CG_TRY(auto stored, reference.digest ? layout_.find(*reference.digest) : layout_.find(reference.familiar()));
  if (!stored) return std::nullopt;
  return registry::StoredManifest{std::move(stored->descriptor), std::move(stored->bytes)};
}

Result<std::optional<oci::Digest>> LayoutRegistry::digest(const oci::Reference& reference) {
  CG_TRY(const auto stored, manifest(reference));
  if (!stored) return std::nullopt;
  return stored->descriptor.digest;
}

Result<bool> LayoutRegistry::has_blob(const oci::Repository&, const oci::Digest& digest) {
  return layout_.has_blob(digest);
}

Result<std::optional<std::string>> LayoutRegistry::blob(const oci::Repository&, const oci::Digest& digest,
                                                        std::size_t limit) {
  return layout_.read_blob(digest, limit);
}

Result<void> LayoutRegistry::put_blob(const oci::Repository&, const oci::Descriptor& blob,
                                      const std::function<Result<net::BodySource>()>& open) {
  CG_TRY(const bool present, layout_.has_blob(blob.digest));
  if (present) return {};
  CG_TRY(const auto source, open());
  return layout_.write_blob(blob, source);
}

Result<bool> LayoutRegistry::mount_blob(const oci::Repository&, const oci::Repository&, const oci::Digest& digest) {
  return layout_.has_blob(digest);
}

Result<oci::Digest> LayoutRegistry::put_manifest(const oci::Reference& reference, std::string_view bytes,
                                                 std::string_view media_type) {
  CG_TRY(const auto descriptor, layout_.write_manifest(bytes, media_type));
  if (reference.tag) CG_CHECK(layout_.tag(reference.familiar(), descriptor));
  CG_TRY(const auto now, digest(reference));
  if (now && *now == descriptor.digest) return *now;
  return fail(ErrorCode::integrity, "the OCI layout does not hold what was just written to it",
              "Another program may be writing to the same directory; run again.");
}

}  // namespace crategate::stages
