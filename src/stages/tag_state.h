// What a tag names now: the facts for the rules of tags (pipeline/tags). Reads only.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "pipeline/plan.h"
#include "pipeline/tags.h"
#include "registry/client.h"

namespace crategate::stages {

/// What a moving tag was moved to last, as the journal says; empty = unknown.
struct Expected {
  std::string version;
  std::optional<oci::Digest> image;
};

/// Of an image, or of the first image of an index. nullopt = no such tag.
Result<std::optional<std::map<std::string, std::string>>> image_labels(const oci::Reference& tag,
                                                                       registry::RegistryReader& reader);

/// With its labels. nullopt = no such tag.
///
/// An index has no trigger: whoever made it, its images are not the ones that were published under that name. Its version
/// is its annotation's, else the label of its first image.
Result<std::optional<pipeline::TagState>> tag_state(const oci::Reference& tag, registry::RegistryReader& reader);

/// As far as its rule asks, and no further where the tag names `target` already. What has no readable version in a label
/// has that of the highest version tag above the plan's which names the same; at most 50 are looked at, and a registry
/// that lists no tags leaves it unknown (TagState::may_be_higher).
///
/// `expected`: where a moving tag names that image, or what the tag of that version names, that is the version, and no
/// label is read.
Result<std::optional<pipeline::TagState>> tag_state(const pipeline::Plan& plan, const pipeline::PlannedTag& tag,
                                                    const oci::Digest& target, registry::RegistryReader& reader,
                                                    const Expected& expected = {});

}  // namespace crategate::stages
