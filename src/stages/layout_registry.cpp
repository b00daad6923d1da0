#include "stages/layout_registry.h"

#include "base/strings.h"
#include "oci/media_types.h"
#include "registry/referrers.h"

namespace crategate::stages {
namespace {

/// A registry keeps what a manifest names; files of a layout can be lost.
Result<void> require_layers(const layout::OciLayout::Stored& stored, const layout::OciLayout& layout) {
  if (!oci::is_manifest(stored.descriptor.media_type)) return {};
  CG_TRY(const auto manifest, oci::parse_manifest(stored.bytes, stored.descriptor.media_type));
  for (const auto& layer : manifest.layers) {
    CG_TRY(const auto size, layout.blob_size(layer.digest));
    if (size && *size == layer.size) continue;
    return fail(ErrorCode::integrity,
                concat("OCI layout: layer ", layer.digest.text(), ": expected ", layer.size, " bytes, found ",
                       size ? concat(*size, " bytes") : std::string("no such blob")),
                "Remove the layout's directory and run again: it is made anew.");
  }
  return {};
}

}  // namespace

std::string LayoutRegistry::name_of(const oci::Reference& reference) const {
  return names_ == LayoutNames::tags ? reference.tag.value_or("") : reference.familiar();
}

Result<std::optional<layout::OciLayout::Stored>> LayoutRegistry::find(const oci::Reference& reference) const {
  return reference.digest ? layout_.find(*reference.digest) : layout_.find(name_of(reference));
}

Result<std::optional<registry::StoredManifest>> LayoutRegistry::manifest(const oci::Reference& reference) {
  CG_TRY(auto stored, find(reference));
  if (!stored) return std::nullopt;
  CG_CHECK(require_layers(*stored, layout_));
  return registry::StoredManifest{std::move(stored->descriptor), std::move(stored->bytes)};
}

Result<std::optional<oci::Digest>> LayoutRegistry::digest(const oci::Reference& reference) {
  CG_TRY(const auto stored, find(reference));
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

Result<bool> LayoutRegistry::read_blob(const oci::Repository&, const oci::Descriptor& blob, const net::BodySink& sink) {
  CG_TRY(const bool present, layout_.has_blob(blob.digest));
  if (!present) return false;
  CG_TRY(const auto source, layout_.open_blob(blob));
  while (true) {
    CG_TRY(const std::string bytes, source());
    if (bytes.empty()) return true;
    CG_CHECK(sink(bytes));
  }
}

Result<std::optional<std::vector<std::string>>> LayoutRegistry::tags(const oci::Repository& repository) {
  CG_TRY(const auto names, layout_.names());
  std::vector<std::string> tags;
  for (const auto& [name, digest] : names) {
    const auto reference = oci::parse_reference(name);
    if (names_ == LayoutNames::tags) {
      tags.push_back(name);
    } else if (reference && reference->repository == repository && reference->tag) {
      tags.push_back(*reference->tag);
    }
  }
  if (tags.empty()) return std::nullopt;
  return tags;
}

Result<std::vector<oci::Descriptor>> LayoutRegistry::referrers(const oci::Repository& repository,
                                                               const oci::Digest& subject) {
  CG_TRY(const auto stored, find({repository, oci::referrers_tag(subject), std::nullopt}));
  if (!stored) return std::vector<oci::Descriptor>{};
  CG_TRY(auto index, oci::parse_index(stored->bytes, stored->descriptor.media_type));
  return std::move(index.manifests);
}

Result<registry::BlobArrival> LayoutRegistry::put_blob(const oci::Repository&, const oci::Descriptor& blob,
                                                       const registry::BlobSource& source) {
  using enum registry::BlobArrival;
  // A file of another size was cut, and is written anew.
  CG_TRY(const auto size, layout_.blob_size(blob.digest));
  if (size && *size == blob.size) return source.mount_from ? mounted : present;
  if (!source.open) return not_mounted;
  CG_TRY(const auto bytes, source.open(0));
  CG_CHECK(layout_.write_blob(blob, bytes));
  return uploaded;
}

Result<oci::Digest> LayoutRegistry::put_manifest(const oci::Reference& reference, std::string_view bytes,
                                                 std::string_view media_type) {
  CG_TRY(const auto descriptor, layout_.write_manifest(bytes, media_type));
  if (reference.tag) CG_CHECK(layout_.tag(name_of(reference), descriptor));
  CG_TRY(const auto now, digest(reference));
  if (now && *now == descriptor.digest) {
    const registry::Lists lists{.reader = *this,
                                .write = [this](const auto& tag, const auto& list) -> Result<void> {
                                  CG_CHECK(put_manifest(tag, list.to_json(), list.media_type));
                                  return {};
                                },
                                .wait = [](int) {},
                                .changing = listing_};
    CG_CHECK(registry::list_as_referrer(lists, reference.repository, bytes, descriptor.media_type));
    return *now;
  }
  return fail(ErrorCode::integrity, "the OCI layout does not hold what was just written to it",
              "Another program may be writing to the same directory; run again.");
}

Result<void> LayoutRegistry::point_tag(const oci::Reference& tag, const std::optional<oci::Digest>& /*before*/,
                                       std::string_view bytes, std::string_view media_type) {
  CG_CHECK(put_manifest(tag, bytes, media_type));
  return {};
}

Result<bool> LayoutRegistry::remove_manifest(const oci::Reference& reference) {
  if (reference.tag) return layout_.untag(name_of(reference));
  return fail(ErrorCode::conflict, "an OCI layout removes names only, found a digest",
              "remove the tag, or the layout's directory");
}

}  // namespace crategate::stages
