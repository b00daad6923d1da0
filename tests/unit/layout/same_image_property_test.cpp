// Random images, stored in every way that keeps them the same image: one fingerprint, and one text value.
#include <gmock/gmock.h>
#include <zlib.h>
#include <zstd.h>

#include <random>

#include "base/strings.h"
#include "image/fingerprint.h"
#include "json/value.h"
#include "layout/archive.h"
#include "layout/unpacked.h"
#include "oci/media_types.h"
#include "support/test_directory.h"
#include "unit/layout/archives.h"

namespace crategate::layout {
namespace {

using test::Entry;
using test::hex;
using test::source_of;
using test::tar;

constexpr int kImages = 40;

std::string gzip_at(const std::string& bytes, int level) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, level, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, bytes.size()) + 64, '\0'), in = bytes;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zstd_at(const std::string& bytes, int level) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), level));
  return out;
}

class RandomImage {
 public:
  explicit RandomImage(unsigned seed) : random_(seed) {
    std::vector<std::string> ids;
    for (std::size_t i = 0, count = 1 + below(5); i < count; ++i) {
      layers_.push_back(tar({{concat("file-", below(1000)), content()}}));
      ids.push_back(concat("sha256:", hex(layers_.back())));
    }
    if (below(3) == 0) {  // a layer twice
      layers_.push_back(layers_.front());
      ids.push_back(ids.front());
    }
    config_ = json::Value::object(
                  {{"architecture", "amd64"},
                   {"os", "linux"},
                   {"config",
                    json::Value::object({{"Env", json::Value::array_of({content().substr(0, 20)})}, {"User", "1"}})},
                   {"rootfs", json::Value::object({{"type", "layers"}, {"diff_ids", json::Value::array_of(ids)}})}})
                  .pretty();
  }

  /// Stored in one of many ways; media types and the order of entries vary, too.
  std::string archive() {
    const bool docker = below(2) == 0;
    std::vector<Entry> entries{{"blobs/sha256/" + hex(config_), config_}};
    std::vector<std::string> listed;
    for (const std::string& layer : layers_) {
      const auto [bytes, type] = stored(layer, docker);
      entries.push_back({"blobs/sha256/" + hex(bytes), bytes});
      listed.push_back(descriptor(type, bytes));
    }
    const std::string type(docker ? oci::kDockerManifest : oci::kOciManifest);
    const std::string manifest = concat(R"({"schemaVersion":2,"mediaType":")", type, R"(","config":)",
                                        descriptor(docker ? oci::kDockerConfig : oci::kOciConfig, config_),
                                        R"(,"layers":[)", join(listed, ","), "]}");
    entries.push_back({"blobs/sha256/" + hex(manifest), manifest});
    entries.push_back({"index.json", test::index_of(type, manifest)});
    for (std::size_t i = entries.size(); i > 1; --i) std::swap(entries[i - 1], entries[below(i)]);
    return wrapped(tar(entries));
  }

  /// As docker 20.10 saves it.
  std::string legacy_archive() {
    std::vector<Entry> entries{{hex(config_) + ".json", config_},
                               {"manifest.json", concat(R"([{"Config":")", hex(config_), R"(.json","Layers":[]}])")}};
    for (const std::string& layer : layers_) {
      entries.push_back({concat(hex(std::to_string(entries.size())), "/layer.tar"), layer});
    }
    return wrapped(tar(entries));
  }

  const std::string& config() const { return config_; }
  std::size_t below(std::size_t limit) { return random_() % limit; }

 private:
  std::string content() {
    std::string made;
    for (std::size_t i = 0, size = 1 + below(20'000); i < size; ++i) made += static_cast<char>('a' + below(20));
    return made;
  }
  static std::string descriptor(std::string_view type, const std::string& bytes) {
    return concat(R"({"mediaType":")", type, R"(","digest":"sha256:)", hex(bytes), R"(","size":)", bytes.size(), "}");
  }
  std::pair<std::string, std::string_view> stored(const std::string& layer, bool docker) {
    switch (below(3)) {
      case 0:
        return {gzip_at(layer, static_cast<int>(1 + below(9))), docker ? oci::kDockerLayerGzip : oci::kOciLayerGzip};
      case 1:
        return {zstd_at(layer, static_cast<int>(1 + below(19))), oci::kOciLayerZstd};
      default:
        return {layer, oci::kOciLayer};
    }
  }
  std::string wrapped(std::string archive) {
    const auto way = below(3);
    return way == 0 ? gzip_at(archive, 6) : way == 1 ? zstd_at(archive, 3) : std::move(archive);
  }

  std::mt19937 random_;
  std::vector<std::string> layers_;
  std::string config_;
};

TEST(SameImageProperty, HoweverItIsCompressedListedAndWrapped) {
  for (unsigned seed = 0; seed < kImages; ++seed) {
    RandomImage image(seed);
    const auto config = oci::parse_image_config(image.config()).value();
    for (int way = 0; way < 4; ++way) {
      const auto read =
          read_archive_config(source_of(way == 0 ? image.legacy_archive() : image.archive(), 4096), oci::Platform{});
      ASSERT_TRUE(read) << "seed " << seed << ": " << describe(read.error());
      ASSERT_EQ(read->config_digest, oci::Digest::of(image.config()));
      ASSERT_EQ(image::fingerprint(read->image, {}), image::fingerprint(config, {}));
      ASSERT_EQ(image::layer_text_digest(read->image.diff_ids), image::layer_text_digest(config.diff_ids));
    }
  }
}

TEST(SameImageProperty, AfterItWasImportedAnywhere) {
  for (unsigned seed = 0; seed < kImages / 4; ++seed) {
    const test::TestDirectory directory;
    auto layout = OciLayout::open(directory / "layout").value();
    RandomImage image(seed);
    for (int way = 0; way < 3; ++way) {
      const auto imported =
          import_archive(source_of(way == 0 ? image.legacy_archive() : image.archive(), 4096), oci::Platform{}, layout);
      ASSERT_TRUE(imported) << "seed " << seed << ": " << describe(imported.error());
      ASSERT_EQ(imported->config.digest, oci::Digest::of(image.config()));
      const auto stored = layout.find(imported->manifest.digest).value();
      const auto manifest = oci::parse_manifest(stored->bytes, imported->manifest.media_type).value();
      for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
        const auto facts = examine(views_of(layout.open_blob(manifest.layers[i]).value()));
        ASSERT_TRUE(facts) << describe(facts.error());
        ASSERT_EQ(facts->diff_id, imported->image.diff_ids[i]);
      }
    }
  }
}

}  // namespace
}  // namespace crategate::layout
