// A one-platform image as an engine saves it. Belongs here: bytes of archives.  Not here: what holds them (fake_engine).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "oci/digest.h"

namespace crategate::test {

/// A tar of `files`, name → bytes, all of them from `time` (seconds since the epoch).
std::string layer_of(const std::map<std::string, std::string>& files, std::int64_t time = 0);

/// Saved in the form of docker 25 and newer: an OCI layout with uncompressed layers, with manifest.json beside it.
struct TestImage {
  std::vector<std::string> layers{"layer one", "layer two"};  ///< uncompressed
  std::map<std::string, std::string> labels;
  std::vector<std::string> env{"PATH=/usr/bin"};
  std::string architecture = "amd64";

  std::string config() const;
  std::string manifest() const;
  std::string archive() const;  ///< a tar stream
  oci::Digest config_digest() const { return oci::Digest::of(config()); }
  oci::Digest manifest_digest() const { return oci::Digest::of(manifest()); }
  std::vector<oci::Digest> diff_ids() const;
};

}  // namespace crategate::test
