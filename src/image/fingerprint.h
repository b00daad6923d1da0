// The identity of an image's content, and the seed's text value (P-GATE-1).
// Belongs here: values only; no I/O.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oci/image_config.h"

namespace crategate::image {

/// `v1:` + SHA-256 of canonical JSON over os/architecture/variant, the diff IDs in order and the config keys of
/// P-GATE-1, less `ignore_labels`. Equal under re-compression, re-push, other store, other media type.
std::string fingerprint(const oci::ImageConfig& image, const std::vector<std::string>& ignore_labels);

/// The seed's value: SHA-256 hex of `[sha256:a sha256:b]\n`, which is what
/// `docker inspect --format='{{.RootFS.Layers}}' | sha256sum` prints.
std::string layer_text_digest(const std::vector<oci::Digest>& diff_ids);

/// True for SHA-256 of "\n", of "[]\n" and of nothing: no image stands behind them, so they are never evidence.
bool is_empty_evidence(std::string_view hex);

/// One line per difference between two images, for the gate's explanation: `config.Env: expected …, found …`,
/// `layer 3 (RUN apt-get …): expected sha256:…, found sha256:…`. Empty = equal fingerprints.
std::vector<std::string> differences(const oci::ImageConfig& expected, const oci::ImageConfig& found,
                                     const std::vector<std::string>& ignore_labels);

}  // namespace crategate::image
