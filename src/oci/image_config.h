// Image configurations (https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/value.h"
#include "oci/digest.h"
#include "oci/platform.h"

namespace crategate::oci {

struct HealthCheck {
  std::vector<std::string> test;
  std::int64_t interval = 0, timeout = 0, start_period = 0, start_interval = 0, retries = 0;  ///< nanoseconds; count
  bool operator==(const HealthCheck&) const = default;
};

/// The part of a configuration that decides what a container does. Absent, null and empty are the same thing.
struct ContainerConfig {
  std::vector<std::string> env, entrypoint, cmd, shell, on_build;
  std::string user, working_dir, stop_signal;
  std::map<std::string, std::string> labels;
  std::vector<std::string> exposed_ports, volumes;  ///< sorted
  std::optional<HealthCheck> health_check;
  bool operator==(const ContainerConfig&) const = default;
};

struct HistoryEntry {
  std::string created_by;
  bool empty_layer = false;
};

struct ImageConfig {
  Platform platform;
  std::vector<Digest> diff_ids;
  ContainerConfig config;
  std::vector<HistoryEntry> history;
};

/// The object under the key `config`, or under `Config` where an engine describes an image.
/// Errors: the document's.
Result<ContainerConfig> read_container_config(const json::Reader& value);

/// Errors: integrity, naming the path in the document.
Result<ImageConfig> parse_image_config(std::string_view bytes);

}  // namespace crategate::oci
