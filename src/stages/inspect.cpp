// digest --image: source → configuration → values.
#include "stages/inspect.h"

#include <memory>
#include <utility>

#include "base/strings.h"
#include "image/fingerprint.h"
#include "layout/archive.h"
#include "layout/blob_file.h"
#include "oci/image_choice.h"
#include "oci/media_types.h"
#include "stages/image_place.h"
#include "stages/saved_image.h"

namespace crategate::stages {
namespace {

struct Found {
  std::optional<oci::Digest> config_digest;
  oci::ImageConfig config;
  std::optional<oci::Digest> manifest;
};

constexpr std::string_view kForms =
    "docker:NAME, docker://REFERENCE, oci:DIR[:NAME], docker-archive:FILE and oci-archive:FILE";

Failure absent(const std::string& image) {
  return fail(ErrorCode::not_found, concat("image ", quote(image), ": expected an image, found none"),
              concat("Check the name; the forms are ", kForms, "."));
}

Result<void> require_platform(const oci::Platform& found, const oci::Platform& wanted) {
  if (oci::fits(found, wanted)) return {};
  return fail(ErrorCode::not_found, concat("expected one image for ", wanted.text(), ", found ", found.text()),
              concat("Choose it with --platforms ", found.text(), "."));
}

/// On the classic store the id is the configuration's digest.
Result<Found> described(docker::EngineImage image, bool containerd_store, const oci::Platform& platform) {
  Found found;
  found.config.platform = {std::move(image.os), std::move(image.architecture), std::move(image.variant)};
  found.config.diff_ids = std::move(image.diff_ids);
  found.config.config = std::move(image.config);
  CG_CHECK(require_platform(found.config.platform, platform));
  if (!containerd_store) {
    CG_TRY(found.config_digest, oci::Digest::parse(image.id));
  }
  return found;
}

/// The engine's description of itself costs as much as that of an image.
Result<bool> in_containerd_store(const docker::EngineImage& image, docker::Engine& engine) {
  if (image.id_is_manifest) return *image.id_is_manifest;
  CG_TRY(const auto info, engine.info());
  return info.containerd_store;
}

Result<Found> from_engine(const std::string& name, const InspectRequest& request, const InspectServices& svc) {
  CG_TRY(docker::Engine* const engine, svc.engine());
  CG_TRY(auto image, engine->find_image(name));
  if (!image) return absent(request.image);
  CG_TRY(const bool containerd_store, in_containerd_store(*image, *engine));
  // The classic store saves no image without layers.
  const bool saved_at_all = containerd_store || !image->diff_ids.empty();
  if (request.quick || !saved_at_all) return described(*std::move(image), containerd_store, request.platform);
  SavedImage saved(*engine, image->id);
  CG_TRY(auto config, layout::read_archive_config(saved.source(), request.platform));
  if (!containerd_store) config.manifest.reset();  // made by saving it
  return Found{std::move(config.config_digest), std::move(config.image), std::move(config.manifest)};
}

/// A manifest that an index names.
Result<registry::StoredManifest> entry_of(const oci::Repository& repository, const oci::Descriptor& entry,
                                          registry::RegistryReader& reader) {
  CG_TRY(auto stored, reader.manifest({repository, std::nullopt, entry.digest}));
  if (!stored) {
    return fail(ErrorCode::not_found,
                concat("expected the manifest ", entry.digest.text(), " that an index names, found none"));
  }
  if (stored->descriptor.media_type == entry.media_type && stored->bytes.size() == entry.size)
    return *std::move(stored);
  return fail(ErrorCode::integrity,
              concat("manifest ", entry.digest.text(), ": expected ", entry.size, " bytes of ", entry.media_type,
                     " as the index says, found ", stored->bytes.size(), " of ", stored->descriptor.media_type));
}

/// The manifest itself, or that of `platform` when the reference names an index.
Result<std::optional<registry::StoredManifest>> resolve(const oci::Reference& reference, const oci::Platform& platform,
                                                        registry::RegistryReader& reader) {
  CG_TRY(auto stored, reader.manifest(reference));
  if (!stored || !oci::is_index(stored->descriptor.media_type)) return stored;
  const auto read = [&](const oci::Descriptor& entry) -> Result<oci::Index> {
    CG_TRY(const auto nested, entry_of(reference.repository, entry, reader));
    return oci::parse_index(nested.bytes, entry.media_type);
  };
  CG_TRY(const auto index, oci::parse_index(stored->bytes, stored->descriptor.media_type));
  CG_TRY(const auto chosen, oci::choose_image(index, platform, read));
  CG_TRY(stored, entry_of(reference.repository, chosen, reader));
  return stored;
}

Result<oci::ImageConfig> config_of(const oci::Manifest& manifest, const oci::Repository& repository,
                                   registry::RegistryReader& reader) {
  CG_CHECK(oci::require_image(manifest));
  CG_TRY(const auto bytes, reader.blob(repository, manifest.config.digest, oci::kManifestLimit));
  if (!bytes) {
    return fail(ErrorCode::not_found,
                concat("expected the configuration ", manifest.config.digest.text(), ", found none"));
  }
  if (bytes->size() != manifest.config.size) {
    return fail(ErrorCode::integrity,
                concat("configuration: expected ", manifest.config.size, " bytes, found ", bytes->size()));
  }
  CG_TRY(auto config, oci::parse_image_config(*bytes));
  if (config.diff_ids.size() == manifest.layers.size()) return config;
  return fail(ErrorCode::integrity,
              concat("expected ", config.diff_ids.size(), " layers as the configuration says, found ",
                     manifest.layers.size(), " in the manifest"));
}

Result<Found> from_reader(const InspectRequest& request, const oci::Reference& reference,
                          registry::RegistryReader& reader) {
  CG_TRY(const auto stored, resolve(reference, request.platform, reader));
  if (!stored) return absent(request.image);
  CG_TRY(const auto manifest, oci::parse_manifest(stored->bytes, stored->descriptor.media_type));
  CG_TRY(auto config, config_of(manifest, reference.repository, reader));
  CG_CHECK(require_platform(config.platform, request.platform));
  return Found{manifest.config.digest, std::move(config), stored->descriptor.digest};
}

Result<Found> from_registry(const std::string& name, const InspectRequest& request, const InspectServices& svc) {
  CG_TRY(auto reference, oci::parse_reference(name));
  if (!reference.tag && !reference.digest) reference.tag = "latest";
  return from_reader(request, reference, svc.registry);
}

Result<Found> from_layout(const InspectRequest& request) {
  CG_TRY(const ImagePlace place, find_in_layout(request.image));
  return from_reader(request, place.reference, *place.reader);
}

/// `manifest`: whether the archive's is what a registry would get.
Result<Found> from_archive(const std::string& path, bool manifest, const InspectRequest& request) {
  const auto source = layout::file_source(path);
  if (!source) return absent(request.image);
  CG_TRY(auto config, layout::read_archive_config(*source, request.platform));
  if (!manifest) config.manifest.reset();
  return Found{std::move(config.config_digest), std::move(config.image), std::move(config.manifest)};
}

Result<Found> find(const InspectRequest& request, const InspectServices& svc) {
  const std::string& image = request.image;
  const auto after = [&image](std::string_view prefix) { return image.substr(prefix.size()); };
  const bool engine = image.starts_with("docker:") && !image.starts_with("docker://");
  if (request.quick && !engine) {
    return fail(ErrorCode::bad_input, concat("--quick: expected --image docker:NAME, found ", quote(image)),
                "Only the engine describes images; leave --quick out.");
  }
  if (engine) return from_engine(after("docker:"), request, svc);
  if (image.starts_with("docker://")) return from_registry(after("docker://"), request, svc);
  if (image.starts_with("oci:")) return from_layout(request);
  if (image.starts_with("docker-archive:")) return from_archive(after("docker-archive:"), false, request);
  if (image.starts_with("oci-archive:")) return from_archive(after("oci-archive:"), true, request);
  return fail(ErrorCode::bad_input, concat("--image: expected where the image is, found ", quote(image)),
              concat("Write one of ", kForms, "."));
}

}  // namespace

Result<ImageEvidence> inspect_image(const InspectRequest& request, const InspectServices& svc) {
  auto found = find(request, svc);
  if (!found) {
    const bool named = found.error().message.find(quote(request.image)) != std::string::npos;
    return fail(named ? std::move(found).error() : std::move(found).error().within(request.image));
  }
  return ImageEvidence{.layer_text = image::layer_text_digest(found->config.diff_ids),
                       .fingerprint = image::fingerprint(found->config, request.ignore_labels),
                       .config_digest = std::move(found->config_digest),
                       .manifest_digest = std::move(found->manifest)};
}

}  // namespace crategate::stages
