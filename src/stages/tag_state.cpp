#include "stages/tag_state.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/version.h"
#include "oci/image_config.h"
#include "oci/media_types.h"
#include "sys/parallel.h"

namespace crategate::stages {
namespace {

using Labels = std::map<std::string, std::string>;

constexpr std::size_t kMostTags = 50;  ///< that are asked what they name
constexpr std::string_view kNoPlatform = "unknown";

std::string value_of(const Labels& labels, std::string_view name) {
  const auto found = labels.find(std::string(name));
  return found == labels.end() ? std::string() : found->second;
}

/// None for what is not an image of ours, and for a configuration that is not there.
Result<Labels> labels_of(const oci::Repository& repository, const registry::StoredManifest& stored,
                         registry::RegistryReader& reader) {
  CG_TRY(const auto manifest, oci::parse_manifest(stored.bytes, stored.descriptor.media_type));
  CG_TRY(const auto bytes, reader.blob(repository, manifest.config.digest, oci::kManifestLimit));
  if (!bytes) return Labels{};
  auto config = oci::parse_image_config(*bytes);
  return config ? std::move(config->config.labels) : Labels{};
}

/// The first that is an image: attestations stand in an index, too.
const oci::Descriptor* first_image(const oci::Index& index) {
  const auto found = std::ranges::find_if(index.manifests, [](const oci::Descriptor& child) {
    return oci::is_manifest(child.media_type) && !(child.platform && child.platform->os == kNoPlatform);
  });
  return found == index.manifests.end() ? nullptr : &*found;
}

/// Of its first image.
Result<Labels> labels_of(const oci::Repository& repository, const oci::Index& index, registry::RegistryReader& reader) {
  const auto* child = first_image(index);
  if (child == nullptr) return Labels{};
  CG_TRY(const auto image, reader.manifest({repository, std::nullopt, child->digest}));
  if (!image) return Labels{};
  return labels_of(repository, *image, reader);
}

Result<std::string> index_version(const oci::Repository& repository, const registry::StoredManifest& stored,
                                  registry::RegistryReader& reader) {
  CG_TRY(const auto index, oci::parse_index(stored.bytes, stored.descriptor.media_type));
  auto version = value_of(index.annotations, pipeline::kVersionLabel);
  if (!version.empty()) return version;
  CG_TRY(const auto labels, labels_of(repository, index, reader));
  return value_of(labels, pipeline::kVersionLabel);
}

Result<pipeline::TagState> state_of(const oci::Repository& repository, const registry::StoredManifest& stored,
                                    registry::RegistryReader& reader) {
  pipeline::TagState state{.manifest = stored.descriptor.digest, .trigger = {}, .released = {}, .version = {}};
  if (oci::is_index(stored.descriptor.media_type)) {
    CG_TRY(state.version, index_version(repository, stored, reader));
    return state;
  }
  if (!oci::is_manifest(stored.descriptor.media_type)) return state;
  CG_TRY(const auto labels, labels_of(repository, stored, reader));
  state.trigger = value_of(labels, pipeline::kTriggerLabel);
  state.released = value_of(labels, pipeline::kReleasedLabel);
  state.version = value_of(labels, pipeline::kVersionLabel);
  return state;
}

/// A registry that refuses the list has said nothing about the tag.
bool is_refusal(const Error& error) {
  return error.code == ErrorCode::unauthenticated || error.code == ErrorCode::forbidden ||
         error.code == ErrorCode::not_found;
}

/// The versions above `ours`, the highest first. nullopt = the list is refused.
Result<std::optional<std::vector<Version>>> higher_tags(const oci::Repository& repository, const Version& ours,
                                                        registry::RegistryReader& reader) {
  const auto listed = reader.tags(repository);
  if (!listed && !is_refusal(listed.error())) return fail(listed.error());
  if (!listed || !*listed) return std::nullopt;
  std::vector<Version> higher;
  for (const auto& tag : **listed) {
    auto version = parse_version(tag);
    if (version && compare(*version, ours) > 0) higher.push_back(*std::move(version));
  }
  std::ranges::sort(higher, [](const Version& a, const Version& b) { return compare(a, b) > 0; });
  return higher;
}

/// The version that no label says, if a higher one's tag names the same.
Result<void> find_by_tags(const oci::Repository& repository, const Version& ours, registry::RegistryReader& reader,
                          pipeline::TagState& state) {
  CG_TRY(const auto higher, higher_tags(repository, ours, reader));
  state.may_be_higher = !higher || higher->size() > kMostTags;
  for (std::size_t i = 0; higher && i < std::min(higher->size(), kMostTags); ++i) {
    const Version& version = (*higher)[i];
    CG_TRY(const auto digest, reader.digest({repository, version.text, std::nullopt}));
    if (digest != state.manifest) continue;
    state.version = version.text;
    state.version_by = pipeline::VersionBy::tag;
    state.may_be_higher = false;
    break;
  }
  return {};
}

struct Named {
  std::optional<registry::StoredManifest> stored;
  std::optional<oci::Digest> expected;  ///< what the tag of the expected version names
};

/// At once: that saves a round trip. A version that is no tag, and an answer that fails, only leave it unknown.
Result<Named> what_is_named(const oci::Reference& tag, const std::string& expected, registry::RegistryReader& reader) {
  Named named;
  const auto version = oci::parse_tag(expected);
  CG_CHECK(sys::for_each_parallel(version ? 2 : 1, 2, [&](std::size_t half) -> Result<void> {
    if (half == 0) {
      CG_TRY(named.stored, reader.manifest(tag));
    } else if (const auto digest = reader.digest({tag.repository, *version, std::nullopt})) {
      named.expected = *digest;
    }
    return {};
  }));
  return named;
}

}  // namespace

Result<std::optional<Labels>> image_labels(const oci::Reference& tag, registry::RegistryReader& reader) {
  CG_TRY(const auto stored, reader.manifest(tag));
  if (!stored) return std::nullopt;
  if (!oci::is_index(stored->descriptor.media_type)) return labels_of(tag.repository, *stored, reader);
  CG_TRY(const auto index, oci::parse_index(stored->bytes, stored->descriptor.media_type));
  return labels_of(tag.repository, index, reader);
}

Result<std::optional<pipeline::TagState>> tag_state(const oci::Reference& tag, registry::RegistryReader& reader) {
  CG_TRY(const auto stored, reader.manifest(tag));
  if (!stored) return std::nullopt;
  return state_of(tag.repository, *stored, reader);
}

Result<std::optional<pipeline::TagState>> tag_state(const pipeline::Plan& plan, const pipeline::PlannedTag& tag,
                                                    const oci::Digest& target, registry::RegistryReader& reader,
                                                    const Expected& expected) {
  CG_TRY(const auto repository, oci::parse_repository(tag.repository));
  const oci::Reference reference{repository, tag.tag, std::nullopt};
  if (tag.rank == pipeline::TagRank::extra) {
    CG_TRY(auto digest, reader.digest(reference));
    if (!digest) return std::nullopt;
    return pipeline::TagState{.manifest = *std::move(digest), .trigger = {}, .released = {}, .version = {}};
  }
  if (expected.image) {
    CG_TRY(const auto now, reader.digest(reference));
    if (!now) return std::nullopt;
    pipeline::TagState state{.manifest = *now, .trigger = {}, .released = {}, .version = {}};
    if (*now == target) return state;
    if (*now == *expected.image) {
      state.version = expected.version;
      state.version_by = pipeline::VersionBy::journal;
      return state;
    }
  }
  CG_TRY(const auto named, what_is_named(reference, expected.version, reader));
  const auto& stored = named.stored;
  if (!stored) return std::nullopt;
  if (stored->descriptor.digest == target) {
    return pipeline::TagState{.manifest = target, .trigger = {}, .released = {}, .version = {}};
  }
  if (named.expected == stored->descriptor.digest) {
    return pipeline::TagState{.manifest = *named.expected,
                              .trigger = {},
                              .released = {},
                              .version = expected.version,
                              .version_by = pipeline::VersionBy::tag};
  }
  CG_TRY(auto state, state_of(repository, *stored, reader));
  if (tag.rank == pipeline::TagRank::version || parse_version(state.version)) return state;
  CG_TRY(const auto ours, parse_version(plan.version));
  CG_CHECK(find_by_tags(repository, ours, reader, state));
  return state;
}

}  // namespace crategate::stages
