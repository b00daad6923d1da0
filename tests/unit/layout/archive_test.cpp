#include "layout/archive.h"

#include <gmock/gmock.h>

#include "base/strings.h"
#include "oci/media_types.h"
#include "support/test_directory.h"
#include "unit/layout/archives.h"

namespace crategate::layout {
namespace {

using test::hex;
using test::SavedImage;
using test::source_of;
using test::tar;
using testing::HasSubstr;

const oci::Platform kPlatform;

struct ArchiveImport : testing::Test {
  Result<ImportedImage> import(const std::string& bytes, std::size_t piece = 1000) {
    if (!layout) layout = OciLayout::open(directory / "layout").value();
    return import_archive(source_of(bytes, piece), kPlatform, *layout);
  }
  std::string blob(const oci::Digest& digest) { return layout->read_blob(digest)->value_or("absent"); }
  /// Files that are neither the layout's own nor a blob.
  int leftovers() const {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory / "layout")) {
      if (entry.path().filename().string().starts_with(".blob-")) ++count;
    }
    return count;
  }
  test::TestDirectory directory;
  std::optional<OciLayout> layout;
};

TEST_F(ArchiveImport, KeepsTheManifestOfTheContainerdStoreByteForByte) {
  const SavedImage image{.compressed = true};
  for (const std::size_t piece : {std::size_t{1}, std::size_t{513}, std::size_t{1} << 20}) {
    const auto imported = import(tar(image.oci_entries()), piece);
    ASSERT_TRUE(imported) << imported.error().message;
    EXPECT_EQ(imported->manifest.digest, oci::Digest::of(image.manifest()));
    EXPECT_EQ(imported->config.digest, oci::Digest::of(image.config()));
    EXPECT_EQ(imported->config_bytes, image.config());
    EXPECT_EQ(blob(imported->manifest.digest), image.manifest());
    EXPECT_EQ(blob(oci::Digest::of(test::gzip("layer one"))), test::gzip("layer one"));
    EXPECT_EQ(leftovers(), 0);
  }
}

TEST_F(ArchiveImport, CompressesTheLayersOfTheClassicStoreAndKeepsTheConfiguration) {
  const SavedImage image;
  for (const auto& entries : {image.oci_entries(), image.legacy_entries()}) {
    const auto imported = import(tar(entries));
    ASSERT_TRUE(imported) << imported.error().message;
    EXPECT_EQ(imported->manifest.media_type, oci::kOciManifest);
    EXPECT_EQ(imported->config.digest, oci::Digest::of(image.config()));
    const auto manifest = oci::parse_manifest(blob(imported->manifest.digest), oci::kOciManifest);
    ASSERT_TRUE(manifest);
    ASSERT_EQ(manifest->layers.size(), 2U);
    EXPECT_EQ(manifest->layers[0].digest, oci::Digest::of(test::gzip("layer one")));
    EXPECT_EQ(manifest->layers[1].media_type, oci::kOciLayerGzip);
    EXPECT_EQ(leftovers(), 0);
  }
}

TEST_F(ArchiveImport, NamesALayerThatIsStoredElsewhereAndLeavesItThere) {
  layout = OciLayout::open(directory / "layout").value();
  const SavedImage image;
  const oci::Descriptor elsewhere{
      std::string(oci::kOciLayerGzip), oci::Digest::of("stored elsewhere"), 16, {}, std::nullopt};
  std::vector<oci::Digest> asked;
  const auto imported = import_archive(source_of(tar(image.oci_entries())), kPlatform, *layout,
                                       [&](const oci::Digest& diff_id) -> Result<std::optional<oci::Descriptor>> {
                                         asked.push_back(diff_id);
                                         if (diff_id != oci::Digest::of("layer one")) return std::nullopt;
                                         return elsewhere;
                                       });
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_THAT(asked, testing::UnorderedElementsAreArray(imported->image.diff_ids));
  const auto manifest = oci::parse_manifest(blob(imported->manifest.digest), oci::kOciManifest).value();
  ASSERT_EQ(manifest.layers.size(), 2U);
  EXPECT_EQ(manifest.layers[0].digest, elsewhere.digest);
  EXPECT_FALSE(layout->has_blob(elsewhere.digest).value());
  EXPECT_FALSE(layout->has_blob(oci::Digest::of(test::gzip("layer one"))).value());
  EXPECT_TRUE(layout->has_blob(manifest.layers[1].digest).value());
  EXPECT_EQ(leftovers(), 0);
}

TEST_F(ArchiveImport, MakesTheSameManifestFromEveryFormOfTheClassicStore) {
  const SavedImage image;
  const auto modern = import(tar(image.oci_entries()));
  const auto legacy = import(tar(image.legacy_entries()));
  EXPECT_EQ(modern->manifest.digest, legacy->manifest.digest);
}

TEST_F(ArchiveImport, KeepsAManifestWhoseLayersAreOnlyPartlyCompressed) {
  SavedImage image{.compressed = true};
  auto entries = image.oci_entries();
  std::string manifest = image.manifest();
  manifest = replace_all(manifest, concat(oci::kOciLayerGzip, R"(","digest":"sha256:)", hex(test::gzip("layer one"))),
                         concat(oci::kOciLayer, R"(","digest":"sha256:)", hex("layer one")));
  manifest = replace_all(manifest, concat(hex("layer one"), R"(","size":)", test::gzip("layer one").size()),
                         concat(hex("layer one"), R"(","size":9)"));
  entries[2] = {"blobs/sha256/" + hex("layer one"), "layer one"};
  entries[5] = {"blobs/sha256/" + hex(manifest), manifest};
  entries[6].data = test::index_of(std::string(oci::kOciManifest), manifest);
  const auto imported = import(tar(entries));
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(imported->manifest.digest, oci::Digest::of(manifest));
  EXPECT_EQ(blob(oci::Digest::of("layer one")), "layer one");
}

TEST_F(ArchiveImport, FindsEqualLayersThatOldEnginesLinkToEachOther) {
  const SavedImage image{.layers = {"same", "same"}};
  auto entries = image.legacy_entries();
  entries[7] = {hex("v1 1") + "/layer.tar", "", '2', concat("../", hex("v1 0"), "/layer.tar")};
  const auto imported = import(tar(entries));
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(imported->image.diff_ids.size(), 2U);
}

TEST_F(ArchiveImport, TakesALayerThatLooksLikeJson) {
  const SavedImage image{.layers = {"{\"looks\":\"like json\"", "layer two"}};
  const auto imported = import(tar(image.oci_entries()));
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(imported->config.digest, oci::Digest::of(image.config()));
}

TEST_F(ArchiveImport, IsNotMisledByALayerThatBeginsLikeACompressedOne) {
  const SavedImage image{.layers = {std::string("\x1f\x8b") + "but is plain"}};
  for (const auto& entries : {image.oci_entries(), image.legacy_entries()}) {
    const auto imported = import(tar(entries));
    ASSERT_TRUE(imported) << imported.error().message;
    EXPECT_EQ(oci::parse_manifest(blob(imported->manifest.digest), oci::kOciManifest)->layers.at(0).digest,
              oci::Digest::of(test::gzip(image.layers[0])));
  }
}

TEST_F(ArchiveImport, TakesThePlatformsEntryOfAnIndexAndLeavesAttestationsOut) {
  const SavedImage image{.compressed = true};
  const SavedImage other{.layers = {"arm"}, .architecture = "arm64", .compressed = true};
  const std::string statement = "{}";
  const auto entry = [](const std::string& bytes, const std::string& rest) {
    return concat(R"({"mediaType":")", oci::kOciManifest, R"(","digest":"sha256:)", hex(bytes), R"(","size":)",
                  bytes.size(), ",", rest, "}");
  };
  const std::string inner = concat(
      R"({"schemaVersion":2,"mediaType":")", oci::kOciIndex, R"(","manifests":[)",
      entry(image.manifest(), R"("platform":{"os":"linux","architecture":"amd64"})"), ",",
      entry(other.manifest(), R"("platform":{"os":"linux","architecture":"arm64"})"), ",",
      entry(
          statement,
          R"("platform":{"os":"unknown","architecture":"unknown"},"annotations":{"vnd.docker.reference.type":"attestation-manifest"})"),
      "]}");
  auto entries = image.oci_entries();
  entries[6].data = test::index_of(std::string(oci::kOciIndex), inner);
  entries.push_back({"blobs/sha256/" + hex(inner), inner});
  entries.push_back({"blobs/sha256/" + hex(statement), statement});
  const auto imported = import(tar(entries));
  ASSERT_TRUE(imported) << imported.error().message;
  EXPECT_EQ(imported->manifest.digest, oci::Digest::of(image.manifest()));
}

TEST_F(ArchiveImport, ReadsAnArchiveThatIsItselfCompressed) {
  const SavedImage image{.compressed = true};
  EXPECT_TRUE(import(test::gzip(tar(image.oci_entries()))));
}

TEST_F(ArchiveImport, PassesTheErrorOfItsSourceOn) {
  auto opened = OciLayout::open(directory / "layout");
  ASSERT_TRUE(opened);
  const auto imported = import_archive([]() -> Result<std::string> { return fail(ErrorCode::engine, "daemon died"); },
                                       kPlatform, *opened);
  ASSERT_FALSE(imported);
  EXPECT_EQ(imported.error().code, ErrorCode::engine);
}

TEST_F(ArchiveImport, TakesItsSourceToTheEnd) {
  int asked = 0;
  auto source = source_of(tar(SavedImage{}.oci_entries()) + std::string(100'000, '\0'));
  auto opened = OciLayout::open(directory / "layout");
  bool ended = false;
  const auto imported = import_archive(
      [&]() -> Result<std::string> {
        ++asked;
        auto chunk = source();
        ended = chunk->empty();
        return chunk;
      },
      kPlatform, *opened);
  EXPECT_TRUE(imported);
  EXPECT_TRUE(ended) << asked;
}

TEST(ArchiveConfigRead, FindsTheConfigurationInEveryForm) {
  const SavedImage plain, compressed{.compressed = true};
  for (const auto& [image, entries] : {std::pair{plain, plain.oci_entries()},
                                       {plain, plain.legacy_entries()},
                                       {compressed, compressed.oci_entries()}}) {
    const auto read = read_archive_config(source_of(tar(entries)), kPlatform);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->config_digest, oci::Digest::of(image.config()));
    EXPECT_EQ(read->image.diff_ids.size(), 2U);
  }
}

}  // namespace
}  // namespace crategate::layout
