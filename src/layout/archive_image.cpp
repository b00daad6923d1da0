// The two tables of contents of an image archive, read with suspicion.
#include "layout/archive_image.h"

#include <set>

#include "base/strings.h"
#include "json/value.h"
#include "oci/exact_keys.h"
#include "oci/image_choice.h"
#include "oci/media_types.h"

namespace crategate::layout {
namespace {

Result<std::string> manifest_bytes(const ArchiveContents& contents, const oci::Descriptor& entry) {
  const auto blob = contents.small_blobs.find(entry.digest);
  if (blob == contents.small_blobs.end()) {
    return refused_archive(concat("expected the manifest ", entry.digest.text(), ", found no such blob"));
  }
  if (blob->second.size() == entry.size) return blob->second;
  return refused_archive(
      concat("manifest ", entry.digest.text(), ": expected ", entry.size, " bytes, found ", blob->second.size()));
}

Result<std::string> config_of(const ArchiveContents& contents, const oci::Digest& digest) {
  const auto blob = contents.small_blobs.find(digest);
  if (blob != contents.small_blobs.end()) return blob->second;
  return refused_archive(concat("expected the configuration ", digest.text(), " of at most ",
                                format_bytes(oci::kManifestLimit), ", found none"));
}

Result<ArchivedImage> find_by_index(const ArchiveContents& contents, const oci::Platform& platform) {
  const auto read = [&contents](const oci::Descriptor& entry) -> Result<oci::Index> {
    CG_TRY(const std::string bytes, manifest_bytes(contents, entry));
    return oci::parse_index(bytes, entry.media_type);
  };
  CG_TRY(const oci::Index index, oci::parse_index(contents.documents.at("index.json"), oci::kOciIndex));
  auto chosen = oci::choose_image(index, platform, read);
  if (!chosen) {
    const Error& why = chosen.error();
    return why.code == ErrorCode::not_found ? refused_archive(why.message, why.hint) : fail(why);
  }
  CG_TRY(std::string bytes, manifest_bytes(contents, *chosen));
  CG_TRY(oci::Manifest manifest, oci::parse_manifest(bytes, chosen->media_type));
  CG_CHECK(oci::require_image(manifest));
  CG_TRY(std::string config, config_of(contents, manifest.config.digest));
  CG_TRY(oci::ImageConfig image, oci::parse_image_config(config));
  const oci::Digest config_digest = manifest.config.digest;
  return ArchivedImage{std::move(bytes), std::move(manifest), config_digest, std::move(config), std::move(image)};
}

// The digest in a configuration's name: `<hex>.json`, `sha256:<hex>` or `blobs/sha256/<hex>`.
Result<oci::Digest> digest_in_name(std::string name) {
  const std::string given = name;
  if (name.ends_with(".json")) name.resize(name.size() - 5);
  name.erase(0, name.find_last_of("/:") + 1);
  const auto digest = oci::Digest::parse(concat("sha256:", name));
  if (digest) return *digest;
  return refused_archive(
      concat("manifest.json: Config: expected the name of a configuration, found ", crategate::quoted(given)));
}

// The configurations that manifest.json names.
Result<std::set<oci::Digest>> listed_configs(const ArchiveContents& contents) {
  CG_TRY(const json::Document document,
         json::Document::parse(contents.documents.at("manifest.json"), "manifest.json", {}, ErrorCode::integrity));
  CG_TRY(const auto entries, document.root().items());
  std::set<oci::Digest> configs;
  for (const json::Reader& entry : entries) {
    CG_CHECK(oci::require_exact_keys(entry, {"Config", "Layers", "RepoTags", "Parent", "LayerSources"}));
    CG_TRY(std::string config, entry.string("Config"));
    CG_TRY(oci::Digest digest, digest_in_name(std::move(config)));
    configs.insert(std::move(digest));
  }
  return configs;
}

Result<ArchivedImage> find_by_manifest_list(const ArchiveContents& contents) {
  CG_TRY(const auto configs, listed_configs(contents));
  if (configs.size() != 1) return refused_archive(concat("expected one image, found ", configs.size()));
  CG_TRY(std::string config, config_of(contents, *configs.begin()));
  CG_TRY(oci::ImageConfig image, oci::parse_image_config(config));
  return ArchivedImage{{}, std::nullopt, *configs.begin(), std::move(config), std::move(image)};
}

// Some engines read the one document and some the other: both must lead to the same image.
Result<void> require_agreement(const ArchiveContents& contents, const ArchivedImage& found,
                               const oci::Platform& platform) {
  CG_TRY(const auto configs, listed_configs(contents));
  for (const oci::Digest& listed : configs) {
    if (listed == found.config_digest) continue;
    CG_TRY(const std::string config, config_of(contents, listed));
    CG_TRY(const oci::ImageConfig other, oci::parse_image_config(config));
    if (!oci::fits(other.platform, platform)) continue;
    return refused_archive(
        concat("expected index.json and manifest.json to name the same image, found the configurations ",
               found.config_digest.text(), " and ", listed.text()));
  }
  return {};
}

}  // namespace

Result<ArchivedImage> find_image(const ArchiveContents& contents, const oci::Platform& platform) {
  const bool has_index = contents.documents.contains("index.json"),
             has_list = contents.documents.contains("manifest.json");
  if (!has_index && !has_list) return refused_archive("expected index.json or manifest.json, found neither");
  CG_TRY(ArchivedImage found, has_index ? find_by_index(contents, platform) : find_by_manifest_list(contents));
  if (!oci::fits(found.image.platform, platform)) {
    return refused_archive(
        concat("expected an image for ", platform.text(), ", found one for ", found.image.platform.text()),
        concat("Choose it with --platforms ", found.image.platform.text(), "."));
  }
  if (has_index && has_list) CG_CHECK(require_agreement(contents, found, platform));
  return found;
}

Failure refused_archive(std::string_view message, std::string hint) {
  if (hint.empty()) hint = "save the image again with `docker save`, one image at a time";
  return fail(ErrorCode::integrity, concat("the image archive: ", message), std::move(hint));
}

}  // namespace crategate::layout
