// Configuration keys as JSON values.
#include "image/config_keys.h"

#include <algorithm>

namespace crategate::image {
namespace {

json::Value list_or_null(const std::vector<std::string>& items) {
  return items.empty() ? json::Value() : json::Value::array_of(items);
}

json::Value set_or_null(std::vector<std::string> items) {
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  return list_or_null(items);
}

json::Value text_or_null(const std::string& text) { return text.empty() ? json::Value() : json::Value(text); }

json::Value map_or_null(const std::map<std::string, std::string>& map) {
  return map.empty() ? json::Value() : json::Value::object_of(map);
}

json::Value health_check_or_null(const std::optional<oci::HealthCheck>& check) {
  if (!check || *check == oci::HealthCheck{}) return {};
  return json::Value::object({{"Test", json::Value::array_of(check->test)},
                              {"Interval", check->interval},
                              {"Timeout", check->timeout},
                              {"StartPeriod", check->start_period},
                              {"StartInterval", check->start_interval},
                              {"Retries", check->retries}});
}

}  // namespace

std::map<std::string, std::string> labels_of(const oci::ContainerConfig& config,
                                             const std::vector<std::string>& ignore_labels) {
  std::map<std::string, std::string> labels = config.labels;
  for (const std::string& label : ignore_labels) labels.erase(label);
  return labels;
}

std::vector<std::pair<std::string_view, json::Value>> config_keys(const oci::ContainerConfig& config,
                                                                  const std::vector<std::string>& ignore_labels) {
  return {{"Env", list_or_null(config.env)},
          {"Entrypoint", list_or_null(config.entrypoint)},
          {"Cmd", list_or_null(config.cmd)},
          {"User", text_or_null(config.user)},
          {"WorkingDir", text_or_null(config.working_dir)},
          {"Labels", map_or_null(labels_of(config, ignore_labels))},
          {"ExposedPorts", set_or_null(config.exposed_ports)},
          {"Volumes", set_or_null(config.volumes)},
          {"StopSignal", text_or_null(config.stop_signal)},
          {"Healthcheck", health_check_or_null(config.health_check)},
          {"Shell", list_or_null(config.shell)},
          {"OnBuild", list_or_null(config.on_build)}};
}

}  // namespace crategate::image
