// Why two images are not the same, one line per difference.
// The lines are empty exactly when the fingerprints are equal.
#include <algorithm>
#include <map>

#include "base/strings.h"
#include "base/utf8.h"
#include "image/config_keys.h"
#include "image/fingerprint.h"

namespace crategate::image {
namespace {

constexpr std::size_t kLongestInstruction = 60;
constexpr std::size_t kLongestValue = 200;

using Lines = std::vector<std::string>;

std::string line(std::string_view what, std::string_view expected, std::string_view found) {
  return concat(what, ": expected ", expected, ", found ", found);
}

std::string shortened(std::string_view text, std::size_t limit) {
  std::size_t end = 0;
  while (end < text.size()) {
    const std::size_t next = end + code_point_at(text, end).length;
    if (next > limit) return concat(text.substr(0, end), "…");
    end = next;
  }
  return std::string(text);
}

std::string value_text(const json::Value& value) {
  return value.is_null() ? "nothing" : shortened(value.canonical(), kLongestValue);
}

std::string entry_text(const std::map<std::string, std::string>& map, const std::string& key) {
  const auto entry = map.find(key);
  return entry == map.end() ? "nothing" : quoted(entry->second, kLongestValue);
}

Lines map_differences(std::string_view what, const std::map<std::string, std::string>& expected,
                      const std::map<std::string, std::string>& found) {
  std::map<std::string, std::string> all = expected;
  all.insert(found.begin(), found.end());
  Lines lines;
  for (const auto& [key, value] : all) {
    std::string wanted = entry_text(expected, key);
    std::string seen = entry_text(found, key);
    const auto a = expected.find(key), b = found.find(key);
    const bool equal = a != expected.end() && b != found.end() && a->second == b->second;
    if (!equal) lines.push_back(line(concat(what, "[", quoted(key), "]"), wanted, seen));
  }
  return lines;
}

/// Variables by name; empty optional when a name stands there twice, so that only the whole list tells.
std::optional<std::map<std::string, std::string>> variables(const std::vector<std::string>& env) {
  std::map<std::string, std::string> map;
  for (const std::string& entry : env) {
    const std::size_t equals = entry.find('=');
    if (equals == std::string::npos) return std::nullopt;
    if (!map.emplace(entry.substr(0, equals), entry.substr(equals + 1)).second) return std::nullopt;
  }
  return map;
}

Lines env_differences(const std::vector<std::string>& expected, const std::vector<std::string>& found) {
  const auto wanted = variables(expected), seen = variables(found);
  if (wanted && seen && *wanted != *seen) return map_differences("config.Env", *wanted, *seen);
  if (expected == found) return {};
  return {line("config.Env", value_text(json::Value::array_of(expected)), value_text(json::Value::array_of(found)))};
}

Lines config_differences(const oci::ContainerConfig& expected, const oci::ContainerConfig& found,
                         const std::vector<std::string>& ignore_labels) {
  Lines lines = env_differences(expected.env, found.env);
  const auto append = [&lines](Lines more) { lines.insert(lines.end(), more.begin(), more.end()); };
  const auto wanted = config_keys(expected, ignore_labels), seen = config_keys(found, ignore_labels);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const std::string_view key = wanted[i].first;
    if (key == "Env" || wanted[i].second.canonical() == seen[i].second.canonical()) continue;
    if (key == "Labels") {
      append(map_differences("config.Labels", labels_of(expected, ignore_labels), labels_of(found, ignore_labels)));
    } else {
      lines.push_back(line(concat("config.", key), value_text(wanted[i].second), value_text(seen[i].second)));
    }
  }
  return lines;
}

/// The instruction as its author wrote it, without the builder's decoration.
std::string instruction(std::string_view created_by) {
  constexpr std::string_view kShell = "/bin/sh -c ", kNoOperation = "#(nop) ", kBuildKit = " # buildkit";
  std::string text;
  if (created_by.starts_with(kShell)) {
    created_by.remove_prefix(kShell.size());
    if (created_by.starts_with(kNoOperation)) {
      created_by.remove_prefix(kNoOperation.size());
    } else {
      text = "RUN ";
    }
  }
  if (created_by.ends_with(kBuildKit)) created_by.remove_suffix(kBuildKit.size());
  return shortened(neutralise(concat(text, trim(created_by))), kLongestInstruction);
}

/// The instruction of each layer, by the history's entries that made one.
std::vector<std::string> instructions(const oci::ImageConfig& image) {
  std::vector<std::string> texts;
  for (const oci::HistoryEntry& entry : image.history) {
    if (!entry.empty_layer) texts.push_back(instruction(entry.created_by));
  }
  return texts;
}

Lines layer_differences(const oci::ImageConfig& expected, const oci::ImageConfig& found) {
  const std::vector<std::string> wanted = instructions(expected), seen = instructions(found);
  const auto digest = [](const oci::ImageConfig& image, std::size_t i) {
    return i < image.diff_ids.size() ? image.diff_ids[i].text() : std::string("no layer");
  };
  Lines lines;
  for (std::size_t i = 0; i < std::max(expected.diff_ids.size(), found.diff_ids.size()); ++i) {
    if (digest(expected, i) == digest(found, i)) continue;
    const std::string& by = i < wanted.size() ? wanted[i] : i < seen.size() ? seen[i] : "";
    const std::string what = by.empty() ? concat("layer ", i + 1) : concat("layer ", i + 1, " (", by, ")");
    lines.push_back(line(what, digest(expected, i), digest(found, i)));
  }
  return lines;
}

}  // namespace

std::vector<std::string> differences(const oci::ImageConfig& expected, const oci::ImageConfig& found,
                                     const std::vector<std::string>& ignore_labels) {
  Lines lines;
  if (expected.platform != found.platform) {
    lines.push_back(line("platform", expected.platform.text(), found.platform.text()));
  }
  for (Lines more :
       {layer_differences(expected, found), config_differences(expected.config, found.config, ignore_labels)}) {
    lines.insert(lines.end(), more.begin(), more.end());
  }
  return lines;
}

}  // namespace crategate::image
