// Archives as engines and attackers write them.
#include "unit/layout/archives.h"

#include <zstd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/sha256.h"
#include "base/strings.h"
#include "layout/gzip.h"
#include "oci/media_types.h"

namespace crategate::test {
namespace {

void put(std::array<char, 512>& header, std::size_t at, const std::string& text) {
  std::memcpy(header.data() + at, text.data(), text.size());
}

std::string octal(std::size_t number, int digits) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%0*zo", digits, number);
  return text.data();
}

std::string header_of(const Entry& entry) {
  std::array<char, 512> header{};
  put(header, 0, entry.name.substr(0, 100));
  put(header, 100, "0000644");
  put(header, 108, "0000000");
  put(header, 116, "0000000");
  put(header, 124, entry.size_field.empty() ? octal(entry.data.size(), 11) : entry.size_field);
  put(header, 136, "00000000000");
  put(header, 148, "        ");
  header[156] = entry.type;
  put(header, 157, entry.link);
  put(header, 257,
      std::string("ustar\0"
                  "00",
                  8));
  std::size_t sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(header, 148, octal(sum, 6));
  header[154] = '\0';
  return {header.begin(), header.end()};
}

}  // namespace

std::string tar(const std::vector<Entry>& entries) {
  std::string bytes;
  for (const Entry& entry : entries) {
    bytes += header_of(entry);
    bytes += entry.data;
    bytes.resize((bytes.size() + 511) / 512 * 512);
  }
  return bytes + std::string(1024, '\0');
}

Entry pax(const std::vector<std::string>& records) {
  std::string data;
  for (const std::string& record : records) {
    std::size_t length = record.size() + 3;
    while (std::to_string(length).size() + record.size() + 2 != length) ++length;
    data += concat(length, " ", record, "\n");
  }
  return {"PaxHeaders/x", data, 'x', ""};
}

std::string zstd(const std::string& bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 3));
  return out;
}

net::BodySource source_of(std::string bytes, std::size_t piece) {
  return [bytes = std::make_shared<std::string>(std::move(bytes)), piece, at = std::size_t{0}]() mutable {
    std::string chunk = bytes->substr(at, piece);
    at += chunk.size();
    return Result<std::string>(std::move(chunk));
  };
}

std::string drain(const net::BodySource& source) {
  std::string bytes;
  while (true) {
    const auto chunk = source();
    if (!chunk) return concat("error: ", chunk.error().message);
    if (chunk->empty()) return bytes;
    bytes += *chunk;
  }
}

std::string hex(const std::string& bytes) { return sha256_hex(bytes); }

std::string gzip(const std::string& bytes) {
  std::string out;
  const auto sink = [&out](std::string_view chunk) -> Result<void> {
    out += chunk;
    return {};
  };
  layout::GzipStream stream;
  if (!stream.write(bytes, sink) || !stream.finish(sink)) return {};
  return out;
}

std::string SavedImage::config() const {
  std::string ids;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    ids += concat(i == 0 ? "" : ",", "\"sha256:", diff_ids.empty() ? hex(layers[i]) : diff_ids.at(i), "\"");
  }
  return concat(R"({"architecture":")", architecture,
                R"(","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[)", ids, "]}}");
}

std::string SavedImage::stored(std::size_t index) const {
  return compressed ? gzip(layers.at(index)) : layers.at(index);
}

std::string SavedImage::manifest() const {
  std::string list;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    list += concat(i == 0 ? "" : ",", R"({"mediaType":")", compressed ? oci::kOciLayerGzip : oci::kOciLayer,
                   R"(","digest":"sha256:)", hex(stored(i)), R"(","size":)", stored(i).size(), "}");
  }
  return concat(R"({"schemaVersion": 2, "mediaType":")", oci::kOciManifest, R"(","config":{"mediaType":")",
                oci::kOciConfig, R"(","digest":"sha256:)", hex(config()), R"(","size":)", config().size(),
                R"(},"layers":[)", list, "]}");
}

std::string index_of(const std::string& media_type, const std::string& manifest, const std::string& extra) {
  return concat(R"({"schemaVersion":2,"mediaType":")", oci::kOciIndex, R"(","manifests":[{"mediaType":")", media_type,
                R"(","digest":"sha256:)", hex(manifest), R"(","size":)", manifest.size(), "}", extra, "]}");
}

std::vector<Entry> SavedImage::oci_entries() const {
  std::vector<Entry> entries{{"blobs/", "", '5', ""}, {"blobs/sha256/", "", '5', ""}};
  for (std::size_t i = 0; i < layers.size(); ++i) entries.push_back({"blobs/sha256/" + hex(stored(i)), stored(i)});
  entries.push_back({"blobs/sha256/" + hex(config()), config()});
  entries.push_back({"blobs/sha256/" + hex(manifest()), manifest()});
  entries.push_back({"index.json", index_of(std::string(oci::kOciManifest), manifest())});
  entries.push_back({"oci-layout", R"({"imageLayoutVersion":"1.0.0"})"});
  return entries;
}

std::vector<Entry> SavedImage::legacy_entries() const {
  std::vector<Entry> entries;
  std::string names;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string id = hex(concat("v1 ", i));
    entries.push_back({id + "/", "", '5', ""});
    entries.push_back({id + "/VERSION", "1.0"});
    entries.push_back({id + "/json", "{}"});
    entries.push_back({id + "/layer.tar", stored(i)});
    names += concat(i == 0 ? "" : ",", "\"", id, "/layer.tar\"");
  }
  entries.push_back({hex(config()) + ".json", config()});
  entries.push_back({"manifest.json", concat(R"([{"Config":")", hex(config()),
                                             R"(.json","RepoTags":["a:1"],"Layers":[)", names, "]}]")});
  entries.push_back({"repositories", "{}"});
  return entries;
}

}  // namespace crategate::test
