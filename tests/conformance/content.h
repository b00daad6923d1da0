// What the cases put into registries, of which every judge can read each byte.
// Belongs here: bytes.  Not here: where they go (bench).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oci/manifest.h"
#include "oci/media_types.h"
#include "registry/client.h"

namespace crategate::conformance {

struct Image {
  std::string media_type = std::string(oci::kOciManifest);
  std::string architecture;  ///< that its configuration says
  std::string config;
  std::vector<std::string> layers;  ///< blobs; those of an image are archives with gzip
  std::string manifest;
  oci::Digest digest() const { return oci::Digest::of(manifest); }
};

/// `mark` makes it different from others.
Image make_image(const std::string& mark, bool docker = false, const std::string& architecture = "amd64");
/// A manifest that refers to another: its configuration is the empty object.
Image make_artifact(const std::string& mark, const std::string& type, const std::string& subject_descriptor);
std::string descriptor_json(std::string_view media_type, std::string_view bytes);
/// Each with the platform of its image. `more` goes behind the list.
std::string index_of(const std::vector<Image>& images, bool docker = false, const std::string& more = {});

registry::BlobSource source_of(std::string bytes);
oci::Descriptor blob_descriptor(std::string_view bytes);

}  // namespace crategate::conformance
