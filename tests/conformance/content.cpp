// Bytes, and the JSON around them.
#include "conformance/content.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <stdexcept>

#include "base/strings.h"
#include "json/value.h"
#include "layout/gzip.h"

namespace crategate::conformance {
namespace {

using json::Value;

std::string octal(std::uint64_t value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%0*llo", digits, static_cast<unsigned long long>(value));
  return text;
}

/// As a layer is stored.
std::string compressed(const std::string& bytes) {
  std::string blob;
  const auto sink = [&blob](std::string_view piece) -> Result<void> {
    blob += piece;
    return {};
  };
  layout::GzipStream gzip;
  if (!gzip.write(bytes, sink) || !gzip.finish(sink)) throw std::runtime_error("gzip");
  return blob;
}

std::string image_config(const std::string& mark, const std::string& architecture,
                         const std::vector<std::string>& archives) {
  std::vector<std::string> ids;
  for (const std::string& each : archives) ids.push_back(oci::Digest::of(each).text());
  return Value::object({{"architecture", architecture},
                        {"os", "linux"},
                        {"config", Value::object({{"Labels", Value::object({{"mark", mark}})}})},
                        {"rootfs", Value::object({{"type", "layers"}, {"diff_ids", Value::array_of(ids)}})}})
      .canonical();
}

std::string joined(const std::vector<std::string>& items) { return concat("[", join(items, ","), "]"); }

/// An archive with one file.
std::string archive(const std::string& file, const std::string& content) {
  std::string header(512, '\0');
  const auto put = [&header](std::size_t at, const std::string& text) { header.replace(at, text.size(), text); };
  put(0, file);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, octal(content.size(), 11));
  put(136, octal(0, 11));
  put(148, "        ");
  put(156, "0");
  put(257, std::string("ustar\0", 6) + "00");
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(148, octal(sum, 6) + std::string("\0 ", 2));
  std::string whole = header + content;
  whole.resize((whole.size() + 511) / 512 * 512 + 1024, '\0');
  return whole;
}

}  // namespace

std::string descriptor_json(std::string_view media_type, std::string_view bytes) {
  return concat(R"({"mediaType":")", media_type, R"(","digest":")", oci::Digest::of(bytes).text(), R"(","size":)",
                bytes.size(), "}");
}

Image make_image(const std::string& mark, bool docker, const std::string& architecture) {
  const std::vector<std::string> archives{archive("one", "one of " + mark),
                                          archive("two", std::string(3000, '2') + mark)};
  Image image;
  image.architecture = architecture;
  image.config = image_config(mark, architecture, archives);
  image.media_type = docker ? oci::kDockerManifest : oci::kOciManifest;
  std::vector<std::string> layers;
  for (const std::string& each : archives) {
    image.layers.push_back(compressed(each));
    layers.push_back(descriptor_json(docker ? oci::kDockerLayerGzip : oci::kOciLayerGzip, image.layers.back()));
  }
  image.manifest = concat(R"({"schemaVersion":2,"mediaType":")", image.media_type, R"(","config":)",
                          descriptor_json(docker ? oci::kDockerConfig : oci::kOciConfig, image.config), R"(,"layers":)",
                          joined(layers), "}");
  return image;
}

Image make_artifact(const std::string& mark, const std::string& type, const std::string& subject_descriptor) {
  Image image;
  image.config = "{}";
  image.layers = {"statement of " + mark};
  image.manifest = concat(R"({"schemaVersion":2,"mediaType":")", image.media_type, R"(","artifactType":")", type,
                          R"(","config":)", descriptor_json("application/vnd.oci.empty.v1+json", image.config),
                          R"(,"layers":[)", descriptor_json("application/octet-stream", image.layers[0]),
                          R"(],"subject":)", subject_descriptor, R"(,"annotations":{"mark":")", mark, "\"}}");
  return image;
}

std::string index_of(const std::vector<Image>& images, bool docker, const std::string& more) {
  std::vector<std::string> children;
  for (const Image& each : images) {
    std::string descriptor = descriptor_json(each.media_type, each.manifest);
    descriptor.pop_back();
    children.push_back(concat(descriptor, R"(,"platform":{"os":"linux","architecture":")", each.architecture, "\"}}"));
  }
  return concat(R"({"schemaVersion":2,"mediaType":")", docker ? oci::kDockerManifestList : oci::kOciIndex,
                R"(","manifests":)", joined(children), more, "}");
}

registry::BlobSource source_of(std::string bytes) {
  const auto whole = std::make_shared<const std::string>(std::move(bytes));
  return {.open = [whole](std::uint64_t offset) -> Result<net::BodySource> {
    return [whole, offset]() mutable -> Result<std::string> {
      std::string piece = whole->substr(std::min<std::size_t>(offset, whole->size()), 256U << 10U);
      offset += piece.size();
      return piece;
    };
  }};
}

oci::Descriptor blob_descriptor(std::string_view bytes) {
  return {"application/octet-stream", oci::Digest::of(bytes), bytes.size(), {}, std::nullopt};
}

}  // namespace crategate::conformance
