// What a tag names now: the facts for the rules of tags (pipeline/tags). Reads only.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "pipeline/plan.h"
#include "pipeline/tags.h"
#include "registry/client.h"

namespace crategate::stages {

/// With its labels. nullopt = no such tag.
///
/// An index has no trigger: whoever made it, its images are not the ones that were published under that name. Its version
/// is its annotation's, else the label of its first image.
Result<std::optional<pipeline::TagState>> tag_state(const oci::Reference& tag, registry::RegistryReader& reader);

/// As far as its rule asks, and no further where the tag names `target` already. What has no readable version in a label
/// has that of the highest version tag above the plan's which names the same; at most 50 are looked at, and a registry
/// that lists no tags leaves it unknown.
///
/// `expected`: the version that a moving tag was moved to last, or empty. Where the tag of that version names the same,
/// that is the version, and no label is read.
Result<std::optional<pipeline::TagState>> tag_state(const pipeline::Plan& plan, const pipeline::PlannedTag& tag,
                                                    const oci::Digest& target, registry::RegistryReader& reader,
                                                    const std::string& expected = "");

}  // namespace crategate::stages
