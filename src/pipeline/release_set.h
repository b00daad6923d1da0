// The release set: one index that lists every image of a release, so that one tag switches all of them.
// Belongs here: the document.  Not here: bringing it to a registry (stages/release_set), its tags (planned_tags).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "oci/manifest.h"
#include "oci/reference.h"
#include "pipeline/plan.h"

namespace crategate::pipeline {

inline constexpr std::string_view kReleaseSetType = "application/vnd.crategate.release-set.v1";

/// The bytes of the index; the media type is `oci::kOciIndex`. Equal images give equal bytes: the cells in plan order,
/// and no date. `images`: cell → its published image.
/// Errors: bad_input for a cell without an image or without a version tag, and for more images than an index holds.
Result<std::string> release_set_index(const Plan& plan, const std::map<std::string, oci::Descriptor>& images);

struct SetImage {
  std::string cell;
  oci::Reference image;  ///< with version tag and digest
  oci::Platform platform;
};

struct ReleaseSet {
  std::string version, revision;  ///< revision: empty when there was no git repository
  std::vector<SetImage> images;
};

/// `name`: of the index, in errors.
/// Errors: bad_input for what is no release set; integrity for what is no index.
Result<ReleaseSet> parse_release_set(std::string_view bytes, std::string_view media_type, std::string_view name);

}  // namespace crategate::pipeline
