#include "stages/release_set.h"

#include "base/strings.h"
#include "oci/media_types.h"
#include "registry/copy.h"
#include "sys/parallel.h"

namespace crategate::stages {
namespace {

constexpr std::size_t kImagesAtATime = 16;
constexpr std::size_t kBlobsAtATime = 4;  ///< of one image

Result<void> bring(const oci::Repository& set, const oci::Reference& image, registry::RegistryReader& reader,
                   registry::RegistryWriter& writer) {
  if (image.repository == set) return {};
  const oci::Reference target{set, std::nullopt, image.digest};
  CG_TRY(const auto there, reader.digest(target));
  if (there) return {};
  CG_CHECK(registry::copy_image(reader, image, reader, writer, target,
                                {.with_referrers = false, .parallel = kBlobsAtATime}));
  return {};
}

}  // namespace

Result<oci::Digest> stage_release_set(const oci::Repository& set, const std::vector<oci::Reference>& images,
                                      const std::string& index, registry::RegistryReader& reader,
                                      registry::RegistryWriter& writer) {
  CG_CHECK(sys::for_each_parallel(images.size(), kImagesAtATime,
                                  [&](std::size_t i) { return bring(set, images[i], reader, writer); }));
  auto digest = oci::Digest::of(index);
  const oci::Reference target{set, std::nullopt, digest};
  CG_TRY(const auto there, reader.digest(target));
  if (there) return digest;
  CG_TRY(const auto served, writer.put_manifest(target, index, oci::kOciIndex));
  if (served == digest) return digest;
  return fail(ErrorCode::integrity,
              concat(target.familiar(), ": expected ", digest.text(), " after writing it, found ", served.text()));
}

}  // namespace crategate::stages
