// From an archive's contents to one image.
// Belongs here: which layers are the image's, and that everything agrees.
// Not here: reading the archive (archive_contents), which image it is (archive_image).
#include "layout/archive.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/strings.h"
#include "layout/archive_contents.h"
#include "layout/archive_image.h"
#include "oci/media_types.h"

namespace crategate::layout {
namespace {

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
  return refused_archive(concat("layer ", index, ": expected ", digest.text(), ", found no such layer"));
}

Result<void> require_as_many_layers(const ArchivedImage& found) {
  const std::size_t expected = found.image.diff_ids.size();
  if (!found.manifest || found.manifest->layers.size() == expected) return {};
  return refused_archive(concat("expected ", expected, " layers as the configuration says, found ",
                                found.manifest->layers.size(), " in the manifest"));
}

Failure other_diff_id(std::size_t index, const oci::Digest& expected, const oci::Digest& found) {
  return refused_archive(concat("layer ", index, ": expected the diff ID ", expected.text(), ", found ", found.text()));
}

Failure other_size(std::size_t index, std::uint64_t expected, std::uint64_t found) {
  return refused_archive(concat("layer ", index, ": expected ", expected, " bytes, found ", found));
}

// Each layer, which was looked at in passing, is what manifest and configuration say.
Result<void> check_layers(const ArchivedImage& found, const ArchiveContents& contents) {
  CG_CHECK(require_as_many_layers(found));
  struct Seen {
    oci::Digest diff_id;
    std::uint64_t size;
  };
  std::map<oci::Digest, Seen> by_content;
  std::set<oci::Digest> diff_ids;
  for (const BlobFacts& seen : contents.seen) {
    by_content.emplace(seen.content, Seen{seen.diff_id, seen.size});
    diff_ids.insert(seen.diff_id);
  }
  for (const auto& [digest, bytes] : contents.small_blobs) {
    by_content.emplace(digest, Seen{digest, bytes.size()});
    diff_ids.insert(digest);
  }
  for (std::size_t i = 0; i < found.image.diff_ids.size(); ++i) {
    const oci::Digest& expected = found.image.diff_ids[i];
    if (!found.manifest) {
      if (!diff_ids.contains(expected)) return no_such_layer(i, expected);
      continue;
    }
    const oci::Descriptor& layer = found.manifest->layers[i];
    const auto seen = by_content.find(layer.digest);
    if (seen == by_content.end()) return no_such_layer(i, layer.digest);
    if (seen->second.diff_id != expected) return other_diff_id(i, expected, seen->second.diff_id);
    if (seen->second.size != layer.size) return other_size(i, layer.size, seen->second.size);
  }
  return {};
}

// The staged layers of the image, in its order, each proven to be what the configuration says.
Result<std::vector<StagedLayer*>> layers_of(const ArchivedImage& found, ArchiveContents& contents,
                                            const sys::Path& layout) {
  const auto& diff_ids = found.image.diff_ids;
  CG_CHECK(require_as_many_layers(found));
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
    if (diff_id != diff_ids[i]) return other_diff_id(i, diff_ids[i], diff_id);
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
Result<std::pair<std::string, std::string>> manifest_of(const ArchivedImage& found,
                                                        const std::vector<StagedLayer*>& layers,
                                                        const sys::Path& layout, const FindStoredLayer& find_stored) {
  const bool any_compressed =
      std::any_of(layers.begin(), layers.end(), [](const auto* each) { return each->is_compressed(); });
  if (found.manifest && (any_compressed || layers.empty())) {
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const std::uint64_t expected = found.manifest->layers[i].size;
      if (layers[i]->file.size() == expected) continue;
      return other_size(i, expected, layers[i]->file.size());
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
  CG_TRY(ArchivedImage found, find_image(contents, platform));
  CG_TRY(const auto layers, layers_of(found, contents, layout.directory()));
  CG_TRY(const auto manifest, manifest_of(found, layers, layout.directory(), find_stored));
  CG_TRY(const oci::Manifest parsed, oci::parse_manifest(manifest.first, manifest.second));
  if (parsed.config.digest != found.config_digest || parsed.config.size != found.config_bytes.size()) {
    return refused_archive(
        concat("configuration: expected ", parsed.config.size, " bytes, found ", found.config_bytes.size()));
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
  CG_TRY(ArchivedImage found, find_image(contents, platform));
  CG_CHECK(check_layers(found, contents));
  std::optional<oci::Digest> manifest;
  if (found.manifest) manifest = oci::Digest::of(found.manifest_bytes);
  return ArchiveConfig{std::move(found.config_digest), std::move(found.image), std::move(manifest)};
}

}  // namespace crategate::layout
