#include "stages/image_size.h"

#include <limits>
#include <set>

#include "base/strings.h"
#include "oci/image_choice.h"
#include "oci/image_config.h"
#include "oci/media_types.h"

namespace crategate::stages {
namespace {

/// Sizes are what a manifest says: their sum may not wrap around.
std::uint64_t sum(std::uint64_t a, std::uint64_t b) {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  return b > kMost - a ? kMost : a + b;
}

std::uint64_t download_of(const oci::Manifest& manifest) {
  std::set<oci::Digest> seen;
  std::uint64_t bytes = manifest.config.size;
  for (const auto& layer : manifest.layers) {
    if (seen.insert(layer.digest).second) bytes = sum(bytes, layer.size);
  }
  return bytes;
}

/// Entries that are images, of one index: an index within an index is rare, and of no pull request's image.
std::vector<oci::Descriptor> images_of(const oci::Index& index) {
  std::vector<oci::Descriptor> images;
  for (const auto& entry : index.manifests) {
    if (oci::is_manifest(entry.media_type) && entry.artifact_type.empty() && !oci::is_attestation(entry))
      images.push_back(entry);
  }
  return images;
}

oci::Descriptor choice(const std::vector<oci::Descriptor>& images, const oci::Platform& platform) {
  for (const auto& image : images) {
    if (image.platform && oci::fits(*image.platform, platform)) return image;
  }
  return images.front();
}

Result<oci::Platform> platform_of(const oci::Repository& repository, const oci::Manifest& manifest,
                                  registry::RegistryReader& reader) {
  CG_TRY(const auto bytes, reader.blob(repository, manifest.config.digest));
  if (!bytes) {
    return fail(ErrorCode::not_found, concat("image in ", repository.familiar(), ": expected its configuration ",
                                             manifest.config.digest.text(), ", found none"));
  }
  CG_TRY(const auto config, oci::parse_image_config(*bytes));
  return config.platform;
}

Result<ImageSize> size_of(const oci::Repository& repository, const registry::StoredManifest& stored,
                          registry::RegistryReader& reader) {
  CG_TRY(const auto manifest, oci::parse_manifest(stored.bytes, stored.descriptor.media_type));
  CG_CHECK(oci::require_image(manifest));
  CG_TRY(const auto platform, platform_of(repository, manifest, reader));
  return ImageSize{download_of(manifest), platform, {platform}};
}

}  // namespace

Result<std::optional<ImageSize>> image_size(const oci::Reference& image, const oci::Platform& platform,
                                            registry::RegistryReader& reader) {
  CG_TRY(const auto stored, reader.manifest(image));
  if (!stored) return std::nullopt;
  if (!oci::is_index(stored->descriptor.media_type)) return size_of(image.repository, *stored, reader);
  CG_TRY(const auto index, oci::parse_index(stored->bytes, stored->descriptor.media_type));
  const auto images = images_of(index);
  if (images.empty())
    return fail(ErrorCode::integrity, concat(image.familiar(), ": expected an image, found an index without one"));
  CG_TRY(const auto chosen, reader.manifest({image.repository, std::nullopt, choice(images, platform).digest}));
  if (!chosen) return std::nullopt;
  CG_TRY(auto size, size_of(image.repository, *chosen, reader));
  size.platforms.clear();
  for (const auto& each : images) size.platforms.push_back(each.platform.value_or(size.platform));
  return size;
}

}  // namespace crategate::stages
