// digest --image: source → configuration → values.
#include "stages/inspect.h"

#include <memory>
#include <utility>

#include "base/strings.h"
#include "image/fingerprint.h"
#include "layout/archive.h"
#include "layout/blob_file.h"
#include "oci/media_types.h"
#include "stages/image_place.h"
#include "stages/saved_image.h"

namespace crategate::stages {
namespace {

struct Found {
  oci::Digest config_digest;
  oci::ImageConfig config;
  std::optional<oci::Digest> manifest;
};

Failure absent(const std::string& image) {
  return fail(ErrorCode::not_found, concat("image ", quote(image), ": expected an image, found none"),
              "Check the name; the forms are docker:NAME, docker://REFERENCE, oci:DIR[:NAME], docker-archive:FILE and "
              "oci-archive:FILE.");
}

Result<Found> from_engine(const std::string& name, const oci::Platform& platform, const InspectServices& svc) {
  CG_TRY(docker::Engine* const engine, svc.engine());
  CG_TRY(const auto image, engine->find_image(name));
  if (!image) return absent(concat("docker:", name));
  SavedImage saved(*engine, image->id);
  CG_TRY(auto config, layout::read_archive_config(saved.source(), platform));
  CG_TRY(const auto info, engine->info());
  std::optional<oci::Digest> manifest;
  if (info.containerd_store) {
    CG_TRY(manifest, oci::Digest::parse(image->id));
  }
  return Found{std::move(config.config_digest), std::move(config.image), std::move(manifest)};
}

/// The manifest of `platform` when the reference names an index.
Result<std::optional<registry::StoredManifest>> resolve(oci::Reference reference, const oci::Platform& platform,
                                                        registry::RegistryReader& reader) {
  CG_TRY(auto stored, reader.manifest(reference));
  if (!stored || !oci::is_index(stored->descriptor.media_type)) return stored;
  CG_TRY(const auto index, oci::parse_index(stored->bytes, stored->descriptor.media_type));
  for (const auto& entry : index.manifests) {
    if (!entry.platform || entry.platform->os != platform.os || entry.platform->architecture != platform.architecture)
      continue;
    reference.tag.reset();
    reference.digest = entry.digest;
    return reader.manifest(reference);
  }
  return std::nullopt;
}

Result<Found> from_reader(const std::string& image, const oci::Reference& reference, const oci::Platform& platform,
                          registry::RegistryReader& reader) {
  CG_TRY(const auto stored, resolve(reference, platform, reader));
  if (!stored) return absent(image);
  CG_TRY(const auto manifest, oci::parse_manifest(stored->bytes, stored->descriptor.media_type));
  CG_TRY(const auto bytes, reader.blob(reference.repository, manifest.config.digest, oci::kManifestLimit));
  if (!bytes) return absent(image);
  CG_TRY(auto config, oci::parse_image_config(*bytes));
  return Found{manifest.config.digest, std::move(config), stored->descriptor.digest};
}

Result<Found> from_registry(const std::string& name, const oci::Platform& platform, const InspectServices& svc) {
  CG_TRY(auto reference, oci::parse_reference(name));
  if (!reference.tag && !reference.digest) reference.tag = "latest";
  return from_reader(concat("docker://", name), reference, platform, svc.registry);
}

Result<Found> from_layout(const std::string& image, const oci::Platform& platform) {
  CG_TRY(const ImagePlace place, find_in_layout(image));
  return from_reader(image, place.reference, platform, *place.reader);
}

Result<Found> from_archive(const std::string& path, const oci::Platform& platform) {
  const auto source = layout::file_source(path);
  if (!source) return absent(path);
  CG_TRY(auto config, layout::read_archive_config(*source, platform));
  return Found{std::move(config.config_digest), std::move(config.image), std::nullopt};
}

Result<Found> find(const std::string& image, const oci::Platform& platform, const InspectServices& svc) {
  const auto after = [&image](std::string_view prefix) { return image.substr(prefix.size()); };
  if (image.starts_with("docker://")) return from_registry(after("docker://"), platform, svc);
  if (image.starts_with("docker:")) return from_engine(after("docker:"), platform, svc);
  if (image.starts_with("oci:")) return from_layout(image, platform);
  if (image.starts_with("docker-archive:")) return from_archive(after("docker-archive:"), platform);
  if (image.starts_with("oci-archive:")) return from_archive(after("oci-archive:"), platform);
  return fail(ErrorCode::bad_input, concat("--image: expected where the image is, found ", quote(image)),
              "Write docker:NAME, docker://REFERENCE, oci:DIR[:NAME], docker-archive:FILE or oci-archive:FILE.");
}

}  // namespace

Result<ImageEvidence> inspect_image(const std::string& image, const oci::Platform& platform,
                                    const std::vector<std::string>& ignore_labels, const InspectServices& svc) {
  CG_TRY(auto found, find(image, platform, svc));
  return ImageEvidence{.layer_text = image::layer_text_digest(found.config.diff_ids),
                       .fingerprint = image::fingerprint(found.config, ignore_labels),
                       .config_digest = std::move(found.config_digest),
                       .manifest_digest = std::move(found.manifest)};
}

}  // namespace crategate::stages
