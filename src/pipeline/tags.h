// Which tags move, from where to where: version tags (P-EV-6) and moving tags (P-EV-5, P-EV-7).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/configuration.h"
#include "oci/digest.h"
#include "pipeline/plan.h"

namespace crategate::pipeline {

inline constexpr std::string_view kTriggerLabel = "io.crategate.trigger";
inline constexpr std::string_view kReleasedLabel = "io.crategate.released";
inline constexpr std::string_view kVersionLabel = "org.opencontainers.image.version";

/// What a tag names now.
struct TagState {
  oci::Digest manifest;
  std::string trigger, released, version;  ///< labels; empty = no such label
};

/// The order in which tags become visible: none of a rank is written before all of the rank below are in place.
enum class TagRank : unsigned char {
  version,  ///< of this very version; new as a rule
  extra,    ///< of a branch, of a schedule: moved by every publication
  moving,   ///< `latest`, `v1`: by precedence of versions
  set,      ///< the index of the whole release
};
std::string_view to_string(TagRank rank);

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

/// Everything a stage is about to write, in order; printed, then applied.
struct ChangeSet {
  std::vector<TagMove> moves;
  bool empty() const;  ///< nothing needed
};

/// The image tags of a cell for this plan (`dated` adds `-YYYYMMDD` on schedule and manual runs).
std::vector<std::string> version_tags(const Plan& plan, const Cell& cell, const config::Release& release,
                                      std::string_view today);

/// Errors: conflict when `create-only` meets other content made by a release or of unknown origin (P-EV-6, A56).
Result<TagMove> decide_version_tag(const Plan& plan, const Cell& cell, const std::string& tag,
                                   const std::optional<TagState>& now, const oci::Digest& target,
                                   const config::Release& release);

/// Moving tags never go to a lower version than the one they name, unless `allow-downgrade` (P-EV-7).
Result<TagMove> decide_moving_tag(const Plan& plan, const Cell& cell, const std::string& tag,
                                  const std::optional<TagState>& now, const oci::Digest& target,
                                  const config::Release& release);

}  // namespace crategate::pipeline
