// The configuration keys that are part of an image's identity (P-GATE-1), each as one JSON value.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/value.h"
#include "oci/image_config.h"

namespace crategate::image {

/// Every key in a fixed order; an absent or empty one is null.
///
/// Effects: none
std::vector<std::pair<std::string_view, json::Value>> config_keys(const oci::ContainerConfig& config,
                                                                  const std::vector<std::string>& ignore_labels);

/// The labels that count.
std::map<std::string, std::string> labels_of(const oci::ContainerConfig& config,
                                             const std::vector<std::string>& ignore_labels);

}  // namespace crategate::image
