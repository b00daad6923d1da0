// From an archive's contents to one image.
// Belongs here: which manifest, configuration and layers are the image, and that they agree.
// Not here: reading the archive (archive_contents).
#include "layout/archive.h"

#include <algorithm>
#include <set>

#include "base/strings.h"
#include "json/value.h"
#include "layout/archive_contents.h"
#include "oci/media_types.h"

namespace crategate::layout {
namespace {

constexpr int kMaxIndexDepth = 2;

Failure refused(std::string message) {
  return fail(ErrorCode::integrity, concat("the image archive: ", message),
              "save the image again with `docker save`, one image at a time");
}

// The parts of the image, before its layers are looked at.
struct Found {
  std::string manifest_bytes;             // empty in an archive without OCI manifests
  std::optional<oci::Manifest> manifest;  // of those bytes
  oci::Digest config_digest;
  std::string config_bytes;
  oci::ImageConfig image;
};

bool is_attestation(const oci::Descriptor& entry) {
  const auto type = entry.annotations.find("vnd.docker.reference.type");
  const bool marked = type != entry.annotations.end() && type->second == "attestation-manifest";
  return marked || (entry.platform && entry.platform->os == "unknown");
}

// Variants are compared only where both say one: v8 is implied for arm64 by some writers.
bool fits(const oci::Platform& found, const oci::Platform& wanted) {
  const bool same_variant = found.variant == wanted.variant || found.variant.empty() || wanted.variant.empty();
  return found.os == wanted.os && found.architecture == wanted.architecture && same_variant;
}

// Collects the manifests for `platform` that an index names, attestations left out.
Result<void> collect(const ArchiveContents& contents, const std::string& index_bytes, std::string_view media_type,
                     const oci::Platform& platform, int depth, std::map<oci::Digest, oci::Descriptor>& images) {
  if (depth > kMaxIndexDepth) return refused("indexes are nested too deeply");
  CG_TRY(const oci::Index index, oci::parse_index(index_bytes, media_type));
  for (const oci::Descriptor& entry : index.manifests) {
    if (is_attestation(entry) || (entry.platform && !fits(*entry.platform, platform))) continue;
    const auto blob = contents.small_blobs.find(entry.digest);
    if (blob == contents.small_blobs.end()) {
      return refused(concat("expected the manifest ", entry.digest.text(), ", found no such blob"));
    }
    if (oci::is_index(entry.media_type)) {
      CG_CHECK(collect(contents, blob->second, entry.media_type, platform, depth + 1, images));
    } else {
      images.emplace(entry.digest, entry);
    }
  }
  return {};
}

Result<std::string> config_of(const ArchiveContents& contents, const oci::Digest& digest) {
  const auto blob = contents.small_blobs.find(digest);
  if (blob != contents.small_blobs.end()) return blob->second;
  return refused(concat("expected the configuration ", digest.text(), " of at most ", format_bytes(oci::kManifestLimit),
                        ", found none"));
}

Result<Found> find_by_index(const ArchiveContents& contents, const oci::Platform& platform) {
  std::map<oci::Digest, oci::Descriptor> images;
  CG_CHECK(collect(contents, contents.documents.at("index.json"), oci::kOciIndex, platform, 0, images));
  if (images.size() != 1) {
    return refused(concat("expected one image for ", platform.text(), ", found ", images.size()));
  }
  const auto& [digest, descriptor] = *images.begin();
  const std::string& bytes = contents.small_blobs.at(digest);
  CG_TRY(oci::Manifest manifest, oci::parse_manifest(bytes, descriptor.media_type));
  CG_TRY(std::string config, config_of(contents, manifest.config.digest));
  CG_TRY(oci::ImageConfig image, oci::parse_image_config(config));
  const oci::Digest config_digest = manifest.config.digest;
  return Found{bytes, std::move(manifest), config_digest, std::move(config), std::move(image)};
}

// The digest in a configuration's name: `<hex>.json`, `sha256:<hex>` or `blobs/sha256/<hex>`.
Result<oci::Digest> digest_in_name(std::string name) {
  const std::string given = name;
  if (name.ends_with(".json")) name.resize(name.size() - 5);
  name.erase(0, name.find_last_of("/:") + 1);
  const auto digest = oci::Digest::parse(concat("sha256:", name));
  if (digest) return *digest;
  return refused(
      concat("manifest.json: Config: expected the name of a configuration, found ", crategate::quoted(given)));
}

Result<Found> find_by_manifest_list(const ArchiveContents& contents) {
  CG_TRY(const json::Document document,
         json::Document::parse(contents.documents.at("manifest.json"), "manifest.json", {}, ErrorCode::integrity));
  CG_TRY(const auto entries, document.root().items());
  std::set<std::string> configs;
  for (const json::Reader& entry : entries) {
    CG_TRY(std::string config, entry.string("Config"));
    configs.insert(std::move(config));
  }
  if (configs.size() != 1) return refused(concat("expected one image, found ", configs.size()));
  CG_TRY(oci::Digest digest, digest_in_name(*configs.begin()));
  CG_TRY(std::string config, config_of(contents, digest));
  CG_TRY(oci::ImageConfig image, oci::parse_image_config(config));
  return Found{{}, std::nullopt, std::move(digest), std::move(config), std::move(image)};
}

Result<Found> find_image(const ArchiveContents& contents, const oci::Platform& platform) {
  if (!contents.documents.contains("index.json") && !contents.documents.contains("manifest.json")) {
    return refused("expected index.json or manifest.json, found neither");
  }
  CG_TRY(Found found, contents.documents.contains("index.json") ? find_by_index(contents, platform)
                                                                : find_by_manifest_list(contents));
  if (fits(found.image.platform, platform)) return found;
  return refused(concat("expected an image for ", platform.text(), ", found one for ", found.image.platform.text()));
}

Result<oci::Digest> diff_id_of(StagedLayer& layer) {
  if (!layer.diff_id) {
    CG_TRY(oci::Digest digest, uncompressed_digest(layer.file.path()));
    // A tar file may begin with the bytes of a compressed one.
    if (digest == layer.content) layer.media_type = oci::kOciLayer;
    layer.diff_id = std::move(digest);
  }
  return *layer.diff_id;
}

Failure no_such_layer(std::size_t index, const oci::Digest& digest) {
  return refused(concat("layer ", index, ": expected ", digest.text(), ", found no such layer"));
}

// The staged layers of the image, in its order, each proven to be what the configuration says.
Result<std::vector<StagedLayer*>> layers_of(const Found& found, ArchiveContents& contents, const sys::Path& layout) {
  const auto& diff_ids = found.image.diff_ids;
  if (found.manifest && found.manifest->layers.size() != diff_ids.size()) {
    return refused(concat("expected ", diff_ids.size(), " layers as the configuration says, found ",
                          found.manifest->layers.size(), " in the manifest"));
  }
  for (std::size_t i = 0; found.manifest && i < diff_ids.size(); ++i) {
    const auto small = contents.small_blobs.find(found.manifest->layers[i].digest);
    if (small == contents.small_blobs.end()) continue;
    CG_TRY(StagedLayer layer, stage_layer(layout, small->second));
    contents.layers.push_back(std::move(layer));
    contents.small_blobs.erase(small);
  }
  std::map<oci::Digest, StagedLayer*> known;
  for (StagedLayer& layer : contents.layers) {
    if (found.manifest) {
      known.emplace(layer.content, &layer);
    } else {
      CG_TRY(const oci::Digest diff_id, diff_id_of(layer));
      known.emplace(diff_id, &layer);
    }
  }
  std::vector<StagedLayer*> layers;
  for (std::size_t i = 0; i < diff_ids.size(); ++i) {
    const oci::Digest& key = found.manifest ? found.manifest->layers[i].digest : diff_ids[i];
    const auto staged = known.find(key);
    if (staged == known.end()) return no_such_layer(i, key);
    CG_TRY(const oci::Digest diff_id, diff_id_of(*staged->second));
    if (diff_id != diff_ids[i]) {
      return refused(concat("layer ", i, ": expected the diff ID ", diff_ids[i].text(), ", found ", diff_id.text()));
    }
    layers.push_back(staged->second);
  }
  return layers;
}

/// The layer as the manifest will name it: stored elsewhere, or compressed here.
Result<oci::Descriptor> compressed(StagedLayer& layer, const sys::Path& layout, const FindStoredLayer& find_stored) {
  if (!layer.stored && !layer.is_compressed() && find_stored) {
    CG_TRY(layer.stored, find_stored(*layer.diff_id));
  }
  if (layer.stored) return *layer.stored;
  CG_CHECK(compress(layer, layout));
  return oci::Descriptor{layer.media_type, layer.file.digest(), layer.file.size(), {}, std::nullopt};
}

// The manifest as it came, byte for byte, unless every layer is uncompressed, which is how the classic store saves an
// image: then the layers are compressed, and the manifest is ours.
Result<std::pair<std::string, std::string>> manifest_of(const Found& found, const std::vector<StagedLayer*>& layers,
                                                        const sys::Path& layout, const FindStoredLayer& find_stored) {
  const bool any_compressed =
      std::any_of(layers.begin(), layers.end(), [](const auto* each) { return each->is_compressed(); });
  if (found.manifest && (any_compressed || layers.empty())) {
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const std::uint64_t expected = found.manifest->layers[i].size;
      if (layers[i]->file.size() == expected) continue;
      return refused(concat("layer ", i, ": expected ", expected, " bytes, found ", layers[i]->file.size()));
    }
    return std::pair{found.manifest_bytes, found.manifest->media_type};
  }
  oci::Manifest made{std::string(oci::kOciManifest),
                     {std::string(oci::kOciConfig), found.config_digest, found.config_bytes.size(), {}, std::nullopt},
                     {},
                     found.manifest ? found.manifest->annotations : std::map<std::string, std::string>{}};
  for (StagedLayer* layer : layers) {
    CG_TRY(oci::Descriptor named, compressed(*layer, layout, find_stored));
    made.layers.push_back(std::move(named));
  }
  return std::pair{made.to_json(), made.media_type};
}

}  // namespace

Result<ImportedImage> import_archive(const net::BodySource& archive, const oci::Platform& platform, OciLayout& layout,
                                     const FindStoredLayer& find_stored) {
  CG_TRY(ArchiveContents contents, read_contents(archive, layout.directory()));
  CG_TRY(Found found, find_image(contents, platform));
  CG_TRY(const auto layers, layers_of(found, contents, layout.directory()));
  CG_TRY(const auto manifest, manifest_of(found, layers, layout.directory(), find_stored));
  CG_TRY(const oci::Manifest parsed, oci::parse_manifest(manifest.first, manifest.second));
  if (parsed.config.digest != found.config_digest || parsed.config.size != found.config_bytes.size()) {
    return refused(concat("configuration: expected ", parsed.config.size, " bytes, found ", found.config_bytes.size()));
  }
  for (StagedLayer* layer : layers) {
    if (!layer->stored && !std::exchange(layer->published, true)) CG_CHECK(layer->file.publish());
  }
  CG_CHECK(layout.write_blob(found.config_digest, found.config_bytes));
  CG_TRY(oci::Descriptor descriptor, layout.write_manifest(manifest.first, manifest.second));
  return ImportedImage{std::move(descriptor), parsed.config, std::move(found.config_bytes), std::move(found.image)};
}

Result<ArchiveConfig> read_archive_config(const net::BodySource& archive, const oci::Platform& platform) {
  CG_TRY(const ArchiveContents contents, read_contents(archive, {}));
  CG_TRY(Found found, find_image(contents, platform));
  return ArchiveConfig{std::move(found.config_digest), std::move(found.image)};
}

}  // namespace crategate::layout
