#include "stages/staging.h"

#include <utility>

#include "base/strings.h"
#include "oci/media_types.h"
#include "registry/blob_stream.h"
#include "stages/release_set.h"
#include "sys/parallel.h"

namespace crategate::stages {
namespace {

constexpr std::size_t kImagesAtATime = 4, kBlobsAtATime = 8;

std::vector<oci::Descriptor> blobs_of(const oci::Manifest& manifest) {
  std::vector<oci::Descriptor> blobs = manifest.layers;
  blobs.push_back(manifest.config);
  return blobs;
}

Result<void> stage_image(const Admitted& image, const oci::Repository& to, registry::RegistryReader& reader,
                         registry::RegistryWriter& writer) {
  const oci::Repository& from = image.candidate.repository;
  if (from == to) return {};
  const auto blobs = blobs_of(image.manifest);
  auto brought = sys::for_each_parallel(blobs.size(), kBlobsAtATime, [&](std::size_t i) -> Result<void> {
    registry::BlobSource source = registry::stream_from(reader, from, blobs[i]);
    if (from.registry == to.registry) source.mount_from = from;
    CG_CHECK(writer.put_blob(to, blobs[i], source));
    return {};
  });
  if (!brought) return brought;
  CG_CHECK(writer.put_manifest({to, std::nullopt, image.digest}, image.manifest_bytes, image.manifest.media_type));
  return {};
}

Failure missing(const oci::Reference& image, std::string_view what) {
  return fail(ErrorCode::not_found, concat(image.familiar(), ": expected it whole, found no ", what),
              "The registry removed it while no tag named it; build and test that version again.");
}

}  // namespace

Result<void> stage_images(const pipeline::Plan& plan, const Publication& publication, registry::RegistryReader& reader,
                          registry::RegistryWriter& writer) {
  std::vector<oci::Reference> images;
  for (const auto& cell : plan.cells) {
    CG_TRY(auto repository, oci::parse_repository(cell.image));
    images.push_back({std::move(repository), std::nullopt, publication.evidence.admitted.at(cell.key).digest});
  }
  auto staged = sys::for_each_parallel(images.size(), kImagesAtATime, [&](std::size_t i) -> Result<void> {
    const auto& cell = plan.cells[i].key;
    auto one = stage_image(publication.evidence.admitted.at(cell), images[i].repository, reader, writer);
    if (!one) return fail(std::move(one).error().within(concat("staging ", cell)));
    return {};
  });
  if (!staged || publication.release_set.empty()) return staged;
  CG_TRY(const auto set, oci::parse_reference(plan.release_set));
  CG_CHECK(stage_release_set(set.repository, images, publication.release_set, reader, writer));
  return {};
}

Result<void> require_whole(const oci::Reference& image, registry::RegistryReader& reader) {
  CG_TRY(const auto stored, reader.manifest(image));
  if (!stored) return missing(image, "manifest");
  if (!oci::is_manifest(stored->descriptor.media_type)) {
    CG_TRY(const auto index, oci::parse_index(stored->bytes, stored->descriptor.media_type));
    for (const auto& child : index.manifests) {
      CG_CHECK(require_whole({image.repository, std::nullopt, child.digest}, reader));
    }
    return {};
  }
  CG_TRY(const auto manifest, oci::parse_manifest(stored->bytes, stored->descriptor.media_type));
  const auto blobs = blobs_of(manifest);
  return sys::for_each_parallel(blobs.size(), kBlobsAtATime, [&](std::size_t i) -> Result<void> {
    CG_TRY(const bool there, reader.has_blob(image.repository, blobs[i].digest));
    if (there) return {};
    return missing(image, concat("blob ", blobs[i].digest.text()));
  });
}

}  // namespace crategate::stages
