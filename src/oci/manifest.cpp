// Reading and writing manifests and indexes.
// Belongs here: what makes a document one or the other, and never both.  Not here: fetching them (registry).
#include "oci/manifest.h"

#include <utility>

#include "base/strings.h"
#include "json/value.h"
#include "oci/exact_keys.h"
#include "oci/media_types.h"

namespace crategate::oci {
namespace {

constexpr std::size_t kMostEntries = 1024;
constexpr std::string_view kName = "manifest";

Failure refuse(std::string_view message) { return fail(ErrorCode::integrity, concat(kName, ": ", message)); }

Result<json::Document> parse_document(std::string_view bytes) {
  CG_TRY(auto document,
         json::Document::parse(bytes, std::string(kName), {.max_bytes = kManifestLimit}, ErrorCode::integrity));
  const json::Reader root = document.root();
  CG_CHECK(require_exact_keys(
      root, {"schemaVersion", "mediaType", "config", "layers", "manifests", "annotations", "subject", "artifactType"}));
  CG_TRY(const json::Reader schema, root.at("schemaVersion"));
  CG_TRY(const std::int64_t version, schema.as_integer());
  if (version != 2) return refuse(concat("schemaVersion: expected 2, found ", version));
  CG_TRY(const auto manifests, root.find("manifests"));
  CG_TRY(const auto layers, root.find("layers"));
  CG_TRY(const auto config, root.find("config"));
  if (manifests && (layers || config)) {
    return refuse("expected a manifest or an index, found one document with the keys of both (CVE-2021-41190)");
  }
  return document;
}

/// Without parameters such as charset.
std::string essence(std::string_view content_type) {
  return to_lower(trim(content_type.substr(0, content_type.find(';'))));
}

bool is_known(std::string_view media_type) { return is_index(media_type) || is_manifest(media_type); }

Result<std::string> media_type_of(const json::Reader& root, std::string_view content_type) {
  const std::string served = essence(content_type);
  CG_TRY(std::string own, root.string_or("mediaType", ""));
  if (!own.empty() && is_known(served) && own != served) {
    return refuse(concat("expected mediaType ", served, " as served, found ", quoted(own)));
  }
  std::string media_type = is_known(served) ? served : own;
  if (!is_known(media_type)) {
    return refuse(concat("expected the media type of a manifest or an index, found ",
                         media_type.empty() ? quoted(content_type) : quoted(media_type)));
  }
  CG_TRY(const auto manifests, root.find("manifests"));
  if (is_index(media_type) != manifests.has_value()) {
    return refuse(concat("expected ", is_index(media_type) ? "" : "no ", "key \"manifests\" in a ", media_type));
  }
  return media_type;
}

Result<Platform> read_platform(const json::Reader& value) {
  CG_CHECK(require_exact_keys(value, {"os", "architecture", "variant"}));
  Platform platform;
  CG_TRY(platform.os, value.string("os"));
  CG_TRY(platform.architecture, value.string("architecture"));
  CG_TRY(platform.variant, value.string_or("variant", ""));
  return platform;
}

Result<Descriptor> read_descriptor(const json::Reader& value) {
  CG_CHECK(require_exact_keys(value, {"mediaType", "digest", "size", "annotations", "platform", "artifactType"}));
  CG_TRY(const json::Reader digest_value, value.at("digest"));
  CG_TRY(const std::string digest_text, digest_value.as_string());
  auto digest = Digest::parse(digest_text);
  if (!digest) return digest_value.expected("sha256: and 64 lower-case hex digits");
  CG_TRY(const json::Reader size_value, value.at("size"));
  CG_TRY(const std::int64_t size, size_value.as_integer());
  if (size < 0) return size_value.expected("a size of 0 or more");
  CG_TRY(std::string media_type, value.string("mediaType"));
  CG_TRY(auto annotations, value.string_map("annotations"));
  Descriptor descriptor{std::move(media_type), *std::move(digest), static_cast<std::uint64_t>(size),
                        std::move(annotations), std::nullopt};
  CG_TRY(const auto platform, value.find("platform"));
  if (platform) {
    CG_TRY(descriptor.platform, read_platform(*platform));
  }
  CG_TRY(descriptor.artifact_type, value.string_or("artifactType", ""));
  return descriptor;
}

Result<std::vector<Descriptor>> read_descriptors(const json::Reader& list) {
  CG_TRY(const auto items, list.items());
  if (items.size() > kMostEntries)
    return refuse(concat(list.path(), ": expected at most ", kMostEntries, " entries, found ", items.size()));
  std::vector<Descriptor> descriptors;
  for (const json::Reader& item : items) {
    CG_TRY(Descriptor descriptor, read_descriptor(item));
    descriptors.push_back(std::move(descriptor));
  }
  return descriptors;
}

/// A list that is null is empty: so builders write an image without layers.
Result<std::vector<Descriptor>> read_layers(const json::Reader& root) {
  CG_TRY(const auto list, root.find("layers"));
  if (list) return read_descriptors(*list);
  CG_TRY(const auto members, root.members());
  for (const auto& [key, value] : members) {
    if (key == "layers") return std::vector<Descriptor>{};
  }
  return fail(root.at("layers").error());
}

json::Value platform_json(const Platform& platform) {
  json::Value value = json::Value::object({{"architecture", platform.architecture}, {"os", platform.os}});
  if (!platform.variant.empty()) value.set("variant", platform.variant);
  return value;
}

json::Value descriptor_json(const Descriptor& descriptor) {
  json::Value value = json::Value::object(
      {{"mediaType", descriptor.media_type}, {"digest", descriptor.digest.text()}, {"size", descriptor.size}});
  if (!descriptor.annotations.empty()) value.set("annotations", json::Value::object_of(descriptor.annotations));
  if (!descriptor.artifact_type.empty()) value.set("artifactType", descriptor.artifact_type);
  if (descriptor.platform) value.set("platform", platform_json(*descriptor.platform));
  return value;
}

json::Value descriptors_json(const std::vector<Descriptor>& descriptors) {
  json::Value list = json::Value::array();
  for (const Descriptor& descriptor : descriptors) list.push(descriptor_json(descriptor));
  return list;
}

json::Value envelope(const std::string& media_type, const std::map<std::string, std::string>& annotations) {
  json::Value value = json::Value::object({{"schemaVersion", 2}, {"mediaType", media_type}});
  if (!annotations.empty()) value.set("annotations", json::Value::object_of(annotations));
  return value;
}

}  // namespace

std::string Manifest::to_json() const {
  json::Value value = envelope(media_type, annotations);
  value.set("config", descriptor_json(config)).set("layers", descriptors_json(layers));
  return value.canonical();
}

std::string Index::to_json() const {
  json::Value value = envelope(media_type, annotations);
  if (!artifact_type.empty()) value.set("artifactType", artifact_type);
  return value.set("manifests", descriptors_json(manifests)).canonical();
}

Result<std::string> manifest_media_type(std::string_view bytes, std::string_view content_type) {
  CG_TRY(const auto document, parse_document(bytes));
  return media_type_of(document.root(), content_type);
}

Result<Manifest> parse_manifest(std::string_view bytes, std::string_view content_type) {
  CG_TRY(const auto document, parse_document(bytes));
  const json::Reader root = document.root();
  CG_TRY(std::string media_type, media_type_of(root, content_type));
  if (!is_manifest(media_type))
    return refuse(concat("expected a manifest of one image, found an index (", media_type, ")"));
  CG_TRY(const json::Reader config_value, root.at("config"));
  CG_TRY(Descriptor config, read_descriptor(config_value));
  CG_TRY(auto layers, read_layers(root));
  CG_TRY(auto annotations, root.string_map("annotations"));
  return Manifest{std::move(media_type), std::move(config), std::move(layers), std::move(annotations)};
}

Result<Index> parse_index(std::string_view bytes, std::string_view content_type) {
  CG_TRY(const auto document, parse_document(bytes));
  const json::Reader root = document.root();
  CG_TRY(std::string media_type, media_type_of(root, content_type));
  if (!is_index(media_type))
    return refuse(concat("expected an index, found a manifest of one image (", media_type, ")"));
  CG_TRY(const json::Reader list, root.at("manifests"));
  CG_TRY(auto manifests, read_descriptors(list));
  CG_TRY(auto annotations, root.string_map("annotations"));
  CG_TRY(std::string artifact_type, root.string_or("artifactType", ""));
  return Index{std::move(media_type), std::move(manifests), std::move(annotations), std::move(artifact_type)};
}

Result<std::optional<Referral>> parse_referral(std::string_view bytes, std::string_view media_type) {
  CG_TRY(const auto document, parse_document(bytes));
  const json::Reader root = document.root();
  CG_TRY(const auto subject_value, root.find("subject"));
  if (!subject_value) return std::nullopt;
  CG_TRY(Descriptor subject, read_descriptor(*subject_value));
  Descriptor entry{std::string(media_type), Digest::of(bytes), bytes.size(), {}, std::nullopt};
  CG_TRY(entry.annotations, root.string_map("annotations"));
  CG_TRY(entry.artifact_type, root.string_or("artifactType", ""));
  if (entry.artifact_type.empty() && is_manifest(media_type)) {
    CG_TRY(const json::Reader config, root.at("config"));
    CG_TRY(entry.artifact_type, config.string("mediaType"));
  }
  return Referral{std::move(subject.digest), std::move(entry)};
}

std::string referrers_tag(const Digest& subject) {
  return concat(subject.algorithm(), "-", subject.hex().substr(0, 64));
}

}  // namespace crategate::oci
