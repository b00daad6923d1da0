#include "pipeline/release_set.h"

#include <utility>

#include "base/strings.h"
#include "oci/media_types.h"
#include "pipeline/tags.h"

namespace crategate::pipeline {
namespace {

constexpr std::string_view kCellAnnotation = "io.crategate.cell";
constexpr std::string_view kNameAnnotation = "org.opencontainers.image.ref.name";
constexpr std::string_view kRevisionAnnotation = "org.opencontainers.image.revision";

Failure no_image(const Cell& cell, std::string_view what) {
  return fail(ErrorCode::bad_input, concat("release set: cell ", cell.key, ": expected ", what, ", found none"),
              "A release set lists every image of the plan, or it is not made.");
}

Result<oci::Descriptor> entry_of(const Cell& cell, const std::map<std::string, oci::Descriptor>& images) {
  const auto image = images.find(cell.key);
  if (image == images.end()) return no_image(cell, "its published image");
  if (cell.tags.empty()) return no_image(cell, "a version tag");
  return oci::Descriptor{.media_type = image->second.media_type,
                         .digest = image->second.digest,
                         .size = image->second.size,
                         .annotations = {{std::string(kCellAnnotation), cell.key},
                                         {std::string(kNameAnnotation), concat(cell.image, ":", cell.tags.front())}},
                         .platform = cell.platform};
}

std::string annotation(const std::map<std::string, std::string>& annotations, std::string_view name) {
  const auto found = annotations.find(std::string(name));
  return found == annotations.end() ? std::string() : found->second;
}

Failure no_set(std::string_view name, std::string_view expected, std::string_view found) {
  return fail(ErrorCode::bad_input, concat(name, ": expected ", expected, ", found ", found),
              "Name the tag that release.set of the project says; only crategate makes such an index.");
}

Result<SetImage> image_of(const oci::Descriptor& entry, std::string_view name) {
  const std::string image = annotation(entry.annotations, kNameAnnotation);
  auto reference = oci::parse_reference(image);
  if (!reference || !reference->tag || reference->digest) {
    return no_set(name, concat("repository:tag as ", kNameAnnotation, " of every image"), quoted(image));
  }
  reference->digest = entry.digest;
  SetImage found{.cell = annotation(entry.annotations, kCellAnnotation), .image = *std::move(reference)};
  if (found.cell.empty()) return no_set(name, concat(kCellAnnotation, " of every image"), "an image without");
  if (entry.platform) found.platform = *entry.platform;
  return found;
}

}  // namespace

Result<std::string> release_set_index(const Plan& plan, const std::map<std::string, oci::Descriptor>& images) {
  oci::Index index{.media_type = std::string(oci::kOciIndex),
                   .manifests = {},
                   .annotations = {{std::string(kVersionLabel), plan.version}},
                   .artifact_type = std::string(kReleaseSetType)};
  if (!plan.commit.empty()) index.annotations.emplace(kRevisionAnnotation, plan.commit);
  for (const auto& cell : plan.cells) {
    CG_TRY(auto entry, entry_of(cell, images));
    index.manifests.push_back(std::move(entry));
  }
  auto bytes = index.to_json();
  if (const auto read = oci::parse_index(bytes, oci::kOciIndex); !read) {
    return fail(ErrorCode::bad_input, concat("release set: ", read.error().message), "Leave release.set out.");
  }
  return bytes;
}

Result<ReleaseSet> parse_release_set(std::string_view bytes, std::string_view media_type, std::string_view name) {
  if (!oci::is_index(media_type)) return no_set(name, "a release set", "an image");
  CG_TRY(const auto index, oci::parse_index(bytes, media_type));
  if (index.artifact_type != kReleaseSetType) {
    return no_set(name, concat("a release set (", kReleaseSetType, ")"),
                  index.artifact_type.empty() ? std::string("another index") : quoted(index.artifact_type));
  }
  ReleaseSet set{.version = annotation(index.annotations, kVersionLabel),
                 .revision = annotation(index.annotations, kRevisionAnnotation),
                 .images = {}};
  for (const auto& entry : index.manifests) {
    CG_TRY(auto image, image_of(entry, name));
    set.images.push_back(std::move(image));
  }
  return set;
}

}  // namespace crategate::pipeline
