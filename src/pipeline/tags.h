// What happens to a tag: version tags (P-EV-6), extra tags, moving tags and the release set (P-EV-5, P-EV-7).
// Belongs here: the rules.  Not here: which tags there are (planned_tags), what they name now (stages/tag_state).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/configuration.h"
#include "oci/digest.h"
#include "pipeline/plan.h"

namespace crategate::pipeline {

inline constexpr std::string_view kTriggerLabel = "io.crategate.trigger";
inline constexpr std::string_view kReleasedLabel = "io.crategate.released";
inline constexpr std::string_view kVersionLabel = "org.opencontainers.image.version";

/// Who says which version an image is.
enum class VersionBy : unsigned char {
  label,
  tag,      ///< no label does: it is a tag of the same content
  journal,  ///< the tag was moved to it last, and still names it
};

/// What a tag names now.
struct TagState {
  oci::Digest manifest;
  std::string trigger, released, version;  ///< labels; empty = no such label
  VersionBy version_by = VersionBy::label;
  bool leftover = false;       ///< an undone release of the same version left it
  bool may_be_higher = false;  ///< no version is known, and not every higher version's tag could be looked at
};

/// The order in which tags become visible: none of a rank is written before all of the rank below are in place.
enum class TagRank : unsigned char {
  version,  ///< of this very version; new as a rule
  extra,    ///< of a branch, of a trigger: moved by every publication
  moving,   ///< `latest`, `v1`: by precedence of versions
  set,      ///< the index of the whole release
};
std::string_view to_string(TagRank rank);

/// A tag that a publication may write, before anybody has looked at what it names.
struct PlannedTag {
  std::string cell, repository, tag;  ///< no cell: the index of the release
  TagRank rank = TagRank::version;
  bool operator==(const PlannedTag&) const = default;
};

/// One tag and what is to happen to it.
struct TagMove {
  std::string cell, repository, tag;  ///< no cell: the index of the release
  TagRank rank = TagRank::version;
  std::optional<oci::Digest> from;
  oci::Digest to;
  bool needed = true;  ///< false: already there, or kept by policy
  std::string note;    ///< why it is kept, or a warning
  bool warning = false;
  bool operator==(const TagMove&) const = default;
};

/// Whether a trigger publishes a version again: a schedule, a manual run.
bool is_later_run(std::string_view trigger);

/// What happens to a tag that names `now` and is to name `target`.
///
/// Rank version: by `version-tag`, and by who made what is there (P-EV-6). Rank extra: it moves. Ranks moving and set:
/// never to a version below the one that the tag names, nor below `newest` of it, unless `allow-downgrade` (P-EV-7);
/// where nobody knows which version it names, it moves with a warning; it stays where the tags that would tell cannot be
/// looked at.
/// `newest`: moving tag → the version that it was moved to last (LastMoved::versions).
/// Errors: conflict when `create-only` meets other content made by a release or of unknown origin (P-EV-6, A56).
Result<TagMove> decide_tag(const Plan& plan, const PlannedTag& tag, const std::optional<TagState>& now,
                           const oci::Digest& target, const config::Release& release,
                           const std::map<std::string, std::string>& newest);

/// A moving tag never names an image that no version tag names: where that one was kept at another image, so is this.
TagMove kept_with_version(const PlannedTag& tag, const std::optional<TagState>& now, const oci::Digest& target);

}  // namespace crategate::pipeline
