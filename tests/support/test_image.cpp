// Image archives written by hand.
#include "support/test_image.h"

#include <array>
#include <cstdio>
#include <cstring>

#include "base/strings.h"
#include "json/value.h"
#include "oci/media_types.h"

namespace crategate::test {
namespace {

json::Value descriptor(std::string_view media_type, const std::string& bytes) {
  return json::Value::object({{"mediaType", std::string(media_type)},
                              {"digest", oci::Digest::of(bytes).text()},
                              {"size", static_cast<std::int64_t>(bytes.size())}});
}

std::string blob_name(const std::string& bytes) { return concat("blobs/sha256/", oci::Digest::of(bytes).hex()); }

void add_entry(std::string& archive, const std::string& name, const std::string& data, std::int64_t time = 0) {
  std::array<char, 512> header{};
  const auto put = [&header](std::size_t at, const std::string& text) {
    std::memcpy(header.data() + at, text.data(), text.size());
  };
  std::array<char, 16> size{};
  std::snprintf(size.data(), size.size(), "%011zo", data.size());
  put(0, name);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, size.data());
  std::array<char, 16> modified{};
  std::snprintf(modified.data(), modified.size(), "%011llo", static_cast<unsigned long long>(time));
  put(136, modified.data());
  put(148, "        ");
  header[156] = '0';
  put(257, std::string("ustar\0"
                       "00",
                       8));
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  std::snprintf(size.data(), size.size(), "%06o", sum);
  put(148, size.data());
  header[154] = '\0';
  archive.append(header.data(), header.size());
  archive += data;
  archive.resize((archive.size() + 511) / 512 * 512);
}

}  // namespace

std::string layer_of(const std::map<std::string, std::string>& files, std::int64_t time) {
  std::string layer;
  for (const auto& [name, data] : files) add_entry(layer, name, data, time);
  layer.resize(layer.size() + 1024);
  return layer;
}

std::vector<oci::Digest> TestImage::diff_ids() const {
  std::vector<oci::Digest> ids;
  for (const auto& layer : layers) ids.push_back(oci::Digest::of(layer));
  return ids;
}

std::string TestImage::config() const {
  std::vector<std::string> ids;
  for (const auto& id : diff_ids()) ids.push_back(id.text());
  return json::Value::object(
             {{"architecture", architecture},
              {"os", "linux"},
              {"config",
               json::Value::object({{"Env", json::Value::array_of(env)}, {"Labels", json::Value::object_of(labels)}})},
              {"rootfs", json::Value::object({{"type", "layers"}, {"diff_ids", json::Value::array_of(ids)}})}})
      .canonical();
}

std::string TestImage::manifest() const {
  auto list = json::Value::array();
  for (const auto& layer : layers) list.push(descriptor(oci::kOciLayer, layer));
  return json::Value::object({{"schemaVersion", 2},
                              {"mediaType", std::string(oci::kOciManifest)},
                              {"config", descriptor(oci::kOciConfig, config())},
                              {"layers", std::move(list)}})
      .canonical();
}

std::string TestImage::archive() const {
  std::string bytes;
  auto names = json::Value::array();
  for (const auto& layer : layers) {
    add_entry(bytes, blob_name(layer), layer);
    names.push(blob_name(layer));
  }
  add_entry(bytes, blob_name(config()), config());
  add_entry(bytes, blob_name(manifest()), manifest());
  const auto index =
      json::Value::object({{"schemaVersion", 2},
                           {"mediaType", std::string(oci::kOciIndex)},
                           {"manifests", json::Value::array({descriptor(oci::kOciManifest, manifest())})}});
  add_entry(bytes, "index.json", index.canonical());
  add_entry(bytes, "manifest.json",
            json::Value::array({json::Value::object({{"Config", blob_name(config())}, {"Layers", std::move(names)}})})
                .canonical());
  add_entry(bytes, "oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  return bytes + std::string(1024, '\0');
}

}  // namespace crategate::test
