#include <gmock/gmock.h>

#include <filesystem>
#include <utility>

#include "base/strings.h"
#include "layout/archive.h"
#include "oci/media_types.h"
#include "support/test_directory.h"
#include "unit/layout/archives.h"

namespace crategate::layout {
namespace {

using test::Entry;
using test::hex;
using test::SavedImage;
using test::source_of;
using test::tar;
using testing::HasSubstr;

const oci::Platform kPlatform;
const SavedImage kImage{.compressed = true};

struct Row {
  const char* name;
  std::string archive;
  const char* message;
};

std::string changed(const std::function<void(std::vector<Entry>&)>& change, const SavedImage& image = kImage) {
  auto entries = image.oci_entries();
  change(entries);
  return tar(entries);
}

std::string legacy(const std::function<void(std::vector<Entry>&)>& change) {
  auto entries = SavedImage{}.legacy_entries();
  change(entries);
  return tar(entries);
}

/// Its manifest has `to` where it should have `from`; the digests agree all the same.
std::string manifest_with(const std::string& from, const std::string& to) {
  return changed([&](auto& e) {
    const std::string manifest = replace_all(kImage.manifest(), from, to);
    e[5] = {"blobs/sha256/" + hex(manifest), manifest};
    e[6].data = test::index_of(std::string(oci::kOciManifest), manifest);
  });
}

std::string second_layer() {
  return concat(R"(,{"mediaType":")", oci::kOciLayerGzip, R"(","digest":"sha256:)", hex(kImage.stored(1)),
                R"(","size":)", kImage.stored(1).size(), "}");
}

// Entries of oci_entries(): 0, 1 directories; 2, 3 layers; 4 config; 5 manifest; 6 index.json; 7 oci-layout.
// Versions of clang-format break such rows in different ways.
// clang-format off
std::vector<Row> rows() {
  const std::string layer_name = "blobs/sha256/" + hex(kImage.stored(0));
  return {
      {"Empty", "", "the image archive"},
      {"NotATar", std::string(3000, 'x'), "the image archive"},
      {"ZipFile", "PK\x03\x04" + std::string(1000, 'x'), "the image archive"},
      {"EmptyTar", tar({}), "neither"},
      {"LayerIsALink", changed([&](auto& e) { e[2] = {layer_name, "", '2', "/etc/shadow"}; }), "found a link"},
      {"LayerIsAHardLink", changed([&](auto& e) { e[2] = {layer_name, "", '1', "/etc/shadow"}; }), "found a link"},
      {"ConfigIsADevice", changed([&](auto& e) { e[4] = {e[4].name, "", '3', ""}; }), "found a device"},
      {"IndexIsAFifo", changed([](auto& e) { e[6] = {"index.json", "", '6', ""}; }), "found a device"},
      {"TwoIndexes", changed([](auto& e) { e.push_back(e[6]); }), "found two"},
      {"OtherBytesUnderADigest", changed([](auto& e) { e[2].data[5] ^= 1; }), "of that digest"},
      {"OtherConfigUnderItsDigest", changed([](auto& e) { e[4].data += " "; }), "of that digest"},
      {"NoConfig", changed([](auto& e) { e[4].name = "ignored"; }), "expected the configuration"},
      {"NoManifest", changed([](auto& e) { e[5].name = "ignored"; }), "expected the manifest"},
      {"NoLayer", changed([](auto& e) { e[2].name = "ignored"; }), "no such layer"},
      {"A63LayerOutsideItsFolder", changed([&](auto& e) { e[2].name = "../" + layer_name; }), "expected the plain name"},
      {"A63LayerByAbsoluteName", changed([&](auto& e) { e[2].name = "/" + layer_name; }), "expected the plain name"},
      {"A63IndexByADetour", changed([](auto& e) { e.push_back({"x/../index.json", "{}"}); }), "expected the plain name"},
      {"A63IndexByAnEmptyStep", changed([](auto& e) { e.push_back({".//index.json", "{}"}); }), "expected the plain name"},
      {"A63ManifestListFromTheRoot", changed([](auto& e) { e.push_back({"/manifest.json", "[]"}); }),
       "expected the plain name"},
      {"A64BlobsAreElsewhere", changed([](auto& e) { e.push_back({"blobs", "", '2', "/etc"}); }), "expected a folder"},
      {"A64DigestsAreElsewhere", changed([](auto& e) { e.push_back({"blobs/sha256", "", '2', "../other"}); }),
       "expected a folder"},
      {"A64BlobsAreAFile", changed([](auto& e) { e.push_back({"blobs", "x"}); }), "expected a folder"},
      {"A64LegacyFolderIsALink", legacy([](auto& e) { e.push_back({hex("v1 0"), "", '2', "/etc"}); }),
       "expected a folder"},
      {"A65SameIndexWithADot", changed([](auto& e) { e.push_back({"./index.json", e[6].data}); }), "found two"},
      {"A65OtherImageInTheManifestList", changed([](auto& e) {
         const std::string other = SavedImage{.layers = {"layer two"}}.config();
         e.push_back({hex(other) + ".json", other});
         e.push_back({"manifest.json", concat(R"([{"Config":")", hex(other), R"(.json","Layers":[]}])")});
       }),
       "to name the same image"},
      {"A65TwoImagesInTheManifestList", changed([](auto& e) {
         const std::string other = SavedImage{.layers = {"layer two"}}.config();
         e.push_back({hex(other) + ".json", other});
         e.push_back({"manifest.json", concat(R"([{"Config":")", hex(kImage.config()), R"(.json"},{"Config":")", hex(other),
                                              R"(.json"}])")});
       }),
       "to name the same image"},
      {"A65TwoSpellingsOfTheConfig", legacy([](auto& e) {
         e[9].data = concat(R"([{"Config":")", hex("a"), R"(.json","config":")", hex("b"), R"(.json"}])");
       }),
       "in this spelling only"},
      {"A47ManifestIsAnIndex", changed([](auto& e) { e[6].data = test::index_of(std::string(oci::kOciIndex), kImage.manifest()); }),
       "mediaType"},
      {"A47SizeOfTheManifestIsALie", changed([](auto& e) {
         e[6].data = replace_all(e[6].data, concat("\"size\":", kImage.manifest().size()), "\"size\":7");
       }),
       "expected 7 bytes"},
      {"A47ManifestOfAnArtifact", manifest_with(R"("mediaType":"application/vnd.oci.image.config)",
                                                R"("mediaType":"application/vnd.cncf.helm.config)"),
       "found an artifact"},
      {"A47ManifestWithOneLayerLess", manifest_with(second_layer(), ""), "expected 2 layers"},
      {"A47SizeOfALayerIsALie", manifest_with(concat("\"size\":", kImage.stored(0).size()), "\"size\":7"), "expected 7 bytes"},
      {"UpperCaseDigest", changed([](auto& e) { e[2].name = concat("blobs/sha256/", std::string(64, 'A')); }),
       "no such layer"},
      {"WrongDiffId", tar(SavedImage{.compressed = true, .diff_ids = {hex("x"), hex("layer two")}}.oci_entries()),
       "diff ID"},
      {"SwappedLayers",
       tar(SavedImage{.compressed = true, .diff_ids = {hex("layer two"), hex("layer one")}}.oci_entries()), "diff ID"},
      {"OtherPlatform", tar(SavedImage{.architecture = "arm64", .compressed = true}.oci_entries()), "linux/arm64"},
      {"IndexIsNoJson", changed([](auto& e) { e[6].data = "nonsense"; }), ""},
      {"IndexWithoutImages", changed([](auto& e) {
         e[6].data = R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]})";
       }),
       "found 0"},
      {"GiantIndex", changed([](auto& e) { e[6].data = std::string(5U << 20U, ' '); }), "at most"},
      {"IndexOfItself", changed([](auto& e) {
         // A blob cannot name its own digest, so depth comes from a chain.
         std::string inner = e[6].data;
         for (int i = 0; i < 4; ++i) {
           e.push_back({"blobs/sha256/" + hex(inner), inner});
           inner = test::index_of(std::string(oci::kOciIndex), inner);
         }
         e[6].data = inner;
       }),
       "too deeply"},
      {"LegacyConfigPathLeavesTheArchive",
       legacy([](auto& e) { e[9].data = R"([{"Config":"../../etc/passwd","Layers":[]}])"; }),
       "name of a configuration"},
      {"LegacyTwoImages", legacy([](auto& e) {
         e[9].data = concat(R"([{"Config":")", hex("a"), R"(.json"},{"Config":")", hex("b"), R"(.json"}])");
       }),
       "found 2"},
      {"LegacyLayerMissing", legacy([](auto& e) { e[3].name = "ignored"; }), "no such layer"},
      {"LegacyManifestIsAnObject", legacy([](auto& e) { e[9].data = "{}"; }), ""},
      {"SizeBeyondAllMeasure", changed([](auto& e) { e[2].size_field = "77777777777"; }), ""},
      {"CompressedLayerIsDamaged",
       tar(SavedImage{.layers = {std::string("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10) + std::string(40, '\xff')}}
               .oci_entries()),
       "invalid block type"},
  };
}
// clang-format on

// One layout for all rows: making one is slow, and every row must leave it empty.
class HostileArchive : public testing::TestWithParam<Row> {
 protected:
  static void SetUpTestSuite() { directory_ = new test::TestDirectory; }
  static void TearDownTestSuite() { delete std::exchange(directory_, nullptr); }
  static test::TestDirectory* directory_;
};
test::TestDirectory* HostileArchive::directory_ = nullptr;

TEST_P(HostileArchive, IsRefusedAndLeavesNothingBehind) {
  const test::TestDirectory& directory = *directory_;
  auto layout = OciLayout::open(directory / "layout");
  ASSERT_TRUE(layout);
  const auto imported = import_archive(source_of(GetParam().archive), kPlatform, *layout);
  ASSERT_FALSE(imported);
  EXPECT_EQ(imported.error().code, ErrorCode::integrity) << imported.error().message;
  EXPECT_THAT(imported.error().message, HasSubstr(GetParam().message));
  // Without a place to keep layers, the same is refused.
  const auto read = read_archive_config(source_of(GetParam().archive), kPlatform);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::integrity) << read.error().message;
  EXPECT_THAT(read.error().message, HasSubstr(GetParam().message));
  EXPECT_TRUE(std::filesystem::is_empty(directory / "layout/blobs/sha256"));
  for (const auto& entry : std::filesystem::directory_iterator(directory / "layout")) {
    EXPECT_FALSE(entry.path().filename().string().starts_with(".blob-"));
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, HostileArchive, testing::ValuesIn(rows()),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(HostileArchiveCut, AtAnyByteIsNeverAnImage) {
  const test::TestDirectory directory;
  auto layout = OciLayout::open(directory / "layout");
  const std::string whole = tar(kImage.oci_entries());
  const std::size_t end_of_content = whole.size() - 1024 - 512;  // the last entry, which nothing needs, may be cut
  for (std::size_t size = 0; size < end_of_content - 1024; size += 97) {
    const auto imported = import_archive(source_of(whole.substr(0, size), 1U << 20U), kPlatform, *layout);
    ASSERT_FALSE(imported) << size;
    EXPECT_EQ(imported.error().code, ErrorCode::integrity) << size;
  }
}

TEST(HostileArchiveNames, NeverWriteOutsideTheLayout) {
  const test::TestDirectory directory;
  auto layout = OciLayout::open(directory / "layout");
  auto entries = kImage.oci_entries();
  for (const char* name :
       {"../evil", "/tmp/crategate-evil", "blobs/sha256/../../../evil", "blobs/sha256/link", "a\nb", "C:\\x"}) {
    entries.push_back({name, "evil"});
    entries.push_back({name, "", '2', "/etc/passwd"});
  }
  ASSERT_TRUE(import_archive(source_of(tar(entries)), kPlatform, *layout));
  EXPECT_FALSE(std::filesystem::exists(directory / "evil"));
  EXPECT_FALSE(std::filesystem::exists("/tmp/crategate-evil"));
  EXPECT_FALSE(std::filesystem::exists(directory / "layout/blobs/sha256/link"));
}

TEST(HostileArchiveCount, OfEntriesIsLimited) {
  const std::string entry = tar({{"x", ""}}).substr(0, 512);
  int given = 0;
  const auto read = read_archive_config(
      [&]() -> Result<std::string> {
        std::string chunk;
        for (int i = 0; i < 1000; ++i) chunk += entry;
        given += 1000;
        return chunk;
      },
      kPlatform);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("entries"));
  EXPECT_LT(given, 120'000);
}

}  // namespace
}  // namespace crategate::layout
