#include "stages/staging.h"

#include <utility>

#include "base/strings.h"
#include "oci/media_types.h"
#include "registry/copy.h"
#include "sys/parallel.h"

namespace crategate::stages {
namespace {

constexpr std::size_t kImagesAtATime = 8;
constexpr std::size_t kBlobsAtATime = 4;  ///< of one image

std::vector<oci::Descriptor> blobs_of(const oci::Manifest& manifest) {
  std::vector<oci::Descriptor> blobs = manifest.layers;
  blobs.push_back(manifest.config);
  return blobs;
}

Result<void> bring(const pipeline::Copy& copy, registry::RegistryReader& candidates, registry::RegistryReader& reader,
                   registry::RegistryWriter& writer) {
  CG_TRY(const auto from, oci::parse_repository(copy.from));
  CG_TRY(const auto to, oci::parse_repository(copy.to));
  auto copied =
      registry::copy_image(candidates, {from, std::nullopt, copy.digest}, reader, writer,
                           {to, std::nullopt, copy.digest}, {.with_referrers = false, .parallel = kBlobsAtATime});
  if (!copied) return fail(std::move(copied).error().within(concat("staging ", copy.cell)));
  return {};
}

Result<void> put_index(const pipeline::Copy& copy, const std::string& bytes, registry::RegistryReader& reader,
                       registry::RegistryWriter& writer) {
  CG_TRY(const auto to, oci::parse_repository(copy.to));
  const oci::Reference target{to, std::nullopt, copy.digest};
  CG_TRY(const auto there, reader.digest(target));
  if (there) return {};
  CG_TRY(const auto served, writer.put_manifest(target, bytes, oci::kOciIndex));
  if (served == copy.digest) return {};
  return fail(ErrorCode::integrity,
              concat(target.familiar(), ": expected ", copy.digest.text(), " after writing it, found ", served.text()));
}

Failure missing(const oci::Reference& image, std::string_view what) {
  return fail(ErrorCode::not_found, concat(image.familiar(), ": expected it whole, found no ", what),
              "The registry removed it while no tag named it; build and test that version again.");
}

}  // namespace

Result<void> stage_images(const Publication& publication, registry::RegistryReader& candidates,
                          registry::RegistryReader& reader, registry::RegistryWriter& writer) {
  const auto& copies = publication.changes.copies;
  const bool with_index = !copies.empty() && copies.back().cell.empty();
  const std::size_t images = copies.size() - (with_index ? 1 : 0);
  CG_CHECK(sys::for_each_parallel(images, kImagesAtATime,
                                  [&](std::size_t i) { return bring(copies[i], candidates, reader, writer); }));
  return with_index ? put_index(copies.back(), publication.release_set, reader, writer) : Result<void>();
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
