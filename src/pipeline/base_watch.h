// The base images of a plan: what each stands for, and whether it has moved since the cell's image was published.
// Belongs here: the decision.  Not here: asking registries (stages/base_watch).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/configuration.h"
#include "oci/digest.h"
#include "pipeline/plan.h"

namespace crategate::pipeline {

inline constexpr std::string_view kRevisionLabel = "org.opencontainers.image.revision";
inline constexpr std::string_view kBaseDigestLabel = "org.opencontainers.image.base.digest";
/// Cell::base_moved_from of the plan that the image was built for.
inline constexpr std::string_view kMovedFromLabel = "io.crategate.base.moved-from";

/// The labels of the image that a cell has published.
struct PublishedImage {
  std::string version, revision, base_digest, moved_from;
  bool by_moving_tag = false;  ///< found under no tag of its version: an image of another release
};

/// What registries say of one cell.
struct BaseFacts {
  std::optional<PublishedImage> published;  ///< nullopt = none yet
  std::optional<oci::Digest> now;           ///< of the base; nullopt = its registry has none of that name
  bool is_unknown = false;                  ///< one of them could not be found out
};

/// A build context takes the place of the image `base`.
bool is_replaced(const std::string& base, const config::Build& build);
/// That a registry can tell: the cell names a base by a tag, and no build context takes its place.
bool is_watched(const Cell& cell, const config::Build& build);

/// Writes into the plan what each base stands for, so that every job builds on the same one. Under `fresh: auto` marks the
/// cells whose base has moved, and says so in the plan's reasons. What nobody can tell counts as moved, with a warning. A
/// re-run of a release decides what the run before it did, whose images are published by then.
///
/// `facts`: one for each cell, in their order; nullopt for those that are not watched.
void decide_bases(Plan& plan, const std::vector<std::optional<BaseFacts>>& facts);

}  // namespace crategate::pipeline
