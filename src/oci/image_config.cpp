// Reading image configurations.
#include "oci/image_config.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "json/value.h"
#include "oci/exact_keys.h"

namespace crategate::oci {
namespace {

/// Keys of a map whose values say nothing (`{"80/tcp": {}}`), sorted.
Result<std::vector<std::string>> read_set(const json::Reader& object, std::string_view key) {
  std::vector<std::string> keys;
  CG_TRY(const auto set, object.find(key));
  if (!set) return keys;
  CG_TRY(const auto members, set->members());
  for (const auto& [name, value] : members) keys.push_back(name);
  std::sort(keys.begin(), keys.end());
  return keys;
}

Result<std::int64_t> read_number(const json::Reader& object, std::string_view key) {
  CG_TRY(const auto value, object.find(key));
  return value ? value->as_integer() : Result<std::int64_t>(0);
}

Result<std::optional<HealthCheck>> read_health_check(const json::Reader& config) {
  CG_TRY(const auto value, config.find("Healthcheck"));
  if (!value) return std::nullopt;
  CG_CHECK(require_exact_keys(*value, {"Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"}));
  HealthCheck check;
  CG_TRY(check.test, value->strings("Test"));
  CG_TRY(check.interval, read_number(*value, "Interval"));
  CG_TRY(check.timeout, read_number(*value, "Timeout"));
  CG_TRY(check.start_period, read_number(*value, "StartPeriod"));
  CG_TRY(check.start_interval, read_number(*value, "StartInterval"));
  CG_TRY(check.retries, read_number(*value, "Retries"));
  return check == HealthCheck{} ? std::nullopt : std::optional(std::move(check));
}

Result<std::vector<Digest>> read_diff_ids(const json::Reader& root) {
  CG_TRY(const json::Reader rootfs, root.at("rootfs"));
  CG_CHECK(require_exact_keys(rootfs, {"diff_ids", "type"}));
  std::vector<Digest> diff_ids;
  CG_TRY(const auto list, rootfs.find("diff_ids"));
  if (!list) return diff_ids;
  CG_TRY(const auto items, list->items());
  for (const json::Reader& item : items) {
    CG_TRY(const std::string text, item.as_string());
    auto digest = Digest::parse(text);
    if (!digest) return item.expected("sha256: and 64 lower-case hex digits");
    diff_ids.push_back(*std::move(digest));
  }
  return diff_ids;
}

Result<std::vector<HistoryEntry>> read_history(const json::Reader& root) {
  std::vector<HistoryEntry> history;
  CG_TRY(const auto list, root.find("history"));
  if (!list) return history;
  CG_TRY(const auto items, list->items());
  for (const json::Reader& item : items) {
    HistoryEntry entry;
    CG_TRY(entry.created_by, item.string_or("created_by", ""));
    CG_TRY(const auto empty_layer, item.find("empty_layer"));
    if (empty_layer) {
      CG_TRY(entry.empty_layer, empty_layer->as_bool());
    }
    history.push_back(std::move(entry));
  }
  return history;
}

Result<std::string> read_name(const json::Reader& root, std::string_view key) {
  CG_TRY(const json::Reader value, root.at(key));
  CG_TRY(std::string name, value.as_string());
  if (name.empty()) return value.expected("a name");
  return name;
}

}  // namespace

Result<ContainerConfig> read_container_config(const json::Reader& value) {
  CG_CHECK(require_exact_keys(value, {"Env", "Entrypoint", "Cmd", "Shell", "OnBuild", "User", "WorkingDir",
                                      "StopSignal", "Labels", "ExposedPorts", "Volumes", "Healthcheck"}));
  ContainerConfig config;
  CG_TRY(config.env, value.strings("Env"));
  CG_TRY(config.entrypoint, value.strings("Entrypoint"));
  CG_TRY(config.cmd, value.strings("Cmd"));
  CG_TRY(config.shell, value.strings("Shell"));
  CG_TRY(config.on_build, value.strings("OnBuild"));
  CG_TRY(config.user, value.string_or("User", ""));
  CG_TRY(config.working_dir, value.string_or("WorkingDir", ""));
  CG_TRY(config.stop_signal, value.string_or("StopSignal", ""));
  CG_TRY(config.labels, value.string_map("Labels"));
  CG_TRY(config.exposed_ports, read_set(value, "ExposedPorts"));
  CG_TRY(config.volumes, read_set(value, "Volumes"));
  CG_TRY(config.health_check, read_health_check(value));
  return config;
}

Result<ImageConfig> parse_image_config(std::string_view bytes) {
  CG_TRY(const auto document, json::Document::parse(bytes, "image configuration", {}, ErrorCode::integrity));
  const json::Reader root = document.root();
  CG_CHECK(require_exact_keys(root, {"os", "architecture", "variant", "config", "rootfs", "history"}));
  ImageConfig image;
  CG_TRY(image.platform.os, read_name(root, "os"));
  CG_TRY(image.platform.architecture, read_name(root, "architecture"));
  CG_TRY(image.platform.variant, root.string_or("variant", ""));
  CG_TRY(image.diff_ids, read_diff_ids(root));
  CG_TRY(const auto config, root.find("config"));
  if (config) {
    CG_TRY(image.config, read_container_config(*config));
  }
  CG_TRY(image.history, read_history(root));
  return image;
}

}  // namespace crategate::oci
