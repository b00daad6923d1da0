// What counts as the same image.
// Belongs here: which parts of a configuration are identity.  Not here: why two images differ (difference.cpp).
#include "image/fingerprint.h"

#include <algorithm>
#include <array>

#include "base/sha256.h"
#include "base/strings.h"
#include "image/config_keys.h"
#include "json/value.h"

namespace crategate::image {
namespace {

/// SHA-256 of "\n", of "[]\n" and of nothing.
constexpr std::array<std::string_view, 3> kEmptyEvidence{
    "01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b",
    "37517e5f3dc66819f61f5a7bb8ace1921282415f10551d2defa5c3eb0985b570",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"};

}  // namespace

std::string fingerprint(const oci::ImageConfig& image, const std::vector<std::string>& ignore_labels) {
  json::Value diff_ids = json::Value::array();
  for (const oci::Digest& diff_id : image.diff_ids) diff_ids.push(diff_id.text());
  json::Value config = json::Value::object();
  for (auto& [key, value] : config_keys(image.config, ignore_labels)) {
    if (!value.is_null()) config.set(std::string(key), std::move(value));
  }
  const json::Value identity = json::Value::object({{"architecture", image.platform.architecture},
                                                    {"config", std::move(config)},
                                                    {"diff_ids", std::move(diff_ids)},
                                                    {"os", image.platform.os},
                                                    {"variant", image.platform.variant}});
  return concat("v1:", sha256_hex(identity.canonical()));
}

std::string layer_text_digest(const std::vector<oci::Digest>& diff_ids) {
  std::vector<std::string> texts;
  for (const oci::Digest& diff_id : diff_ids) texts.push_back(diff_id.text());
  return sha256_hex(concat("[", join(texts, " "), "]\n"));
}

bool is_empty_evidence(std::string_view hex) {
  return std::find(kEmptyEvidence.begin(), kEmptyEvidence.end(), hex) != kEmptyEvidence.end();
}

}  // namespace crategate::image
