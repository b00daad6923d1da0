#include "registry/untag.h"

#include <utility>

#include "base/strings.h"
#include "json/value.h"
#include "oci/media_types.h"

namespace crategate::registry {
namespace {

constexpr std::string_view kEmptyType = "application/vnd.oci.empty.v1+json";
constexpr std::string_view kEmptyBlob = "{}";
constexpr std::string_view kArtifactType = "application/vnd.crategate.removed-tag";
constexpr int kByDigestOnly = 400;  ///< of distribution 2.8 to a DELETE by tag; 405 means that it deletes nothing

/// Of nothing but that tag: no other one names it, so it can be deleted with all its tags.
std::string placeholder_of(const oci::Reference& tag) {
  const auto empty = json::Value::object({{"mediaType", kEmptyType},
                                          {"digest", oci::Digest::of(kEmptyBlob).text()},
                                          {"size", static_cast<std::int64_t>(kEmptyBlob.size())}});
  auto layers = json::Value::array();
  layers.push(empty);
  return json::Value::object({{"schemaVersion", std::int64_t{2}},
                              {"mediaType", oci::kOciManifest},
                              {"artifactType", kArtifactType},
                              {"config", empty},
                              {"layers", std::move(layers)},
                              {"annotations", json::Value::object({{"removed-tag", tag.familiar()}})}})
      .canonical();
}

Result<oci::Digest> put_placeholder(RegistryWriter& writer, const oci::Reference& tag) {
  const oci::Descriptor empty{
      std::string(kEmptyType), oci::Digest::of(kEmptyBlob), kEmptyBlob.size(), {}, std::nullopt};
  const auto open = [](std::uint64_t offset) -> Result<net::BodySource> {
    return net::BodySource([rest = std::string(kEmptyBlob.substr(offset))]() mutable -> Result<std::string> {
      return std::exchange(rest, {});
    });
  };
  CG_CHECK(writer.put_blob(tag.repository, empty, {.mount_from = std::nullopt, .open = open}));
  return writer.put_manifest(tag, placeholder_of(tag), oci::kOciManifest);
}

/// The manifest of that digest, and with it the tag.
Result<void> remove_with_tag(RegistryReader& reader, RegistryWriter& writer, const oci::Reference& tag,
                             const oci::Digest& digest) {
  CG_CHECK(writer.remove_manifest({tag.repository, std::nullopt, digest}));
  CG_TRY(const auto left, reader.digest(tag));
  if (!left) return {};
  return fail(ErrorCode::conflict,
              concat(tag.familiar(), ": expected no such tag after its removal, found ", left->text()),
              "the registry keeps tags without a manifest, or somebody else writes this one; look at who does");
}

Result<bool> remove_by_digest(RegistryReader& reader, RegistryWriter& writer, const oci::Reference& tag) {
  CG_TRY(const auto before, reader.manifest(tag));
  if (!before) return false;
  CG_TRY(const auto placeholder, put_placeholder(writer, tag));
  auto removed = remove_with_tag(reader, writer, tag, placeholder);
  if (removed) return true;
  const auto back = writer.put_manifest(tag, before->bytes, before->descriptor.media_type);
  if (back) return fail(std::move(removed).error());
  Error error = std::move(removed).error();
  error.message += concat("; ", tag.familiar(), " names an empty manifest now, instead of ",
                          before->descriptor.digest.text(), ": ", describe(back.error()));
  return fail(std::move(error));
}

}  // namespace

Result<bool> remove_tag(RegistryReader& reader, RegistryWriter& writer, const oci::Reference& tag) {
  auto removed = writer.remove_manifest(tag);
  if (removed || !removed.error().http || removed.error().http->status != kByDigestOnly) return removed;
  return remove_by_digest(reader, writer, tag);
}

}  // namespace crategate::registry
