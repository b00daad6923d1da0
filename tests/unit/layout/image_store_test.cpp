#include "layout/image_store.h"

#include <sys/stat.h>

#include <gmock/gmock.h>

#include <fstream>
#include <thread>

#include "base/strings.h"
#include "oci/media_types.h"
#include "support/test_directory.h"
#include "unit/layout/archives.h"

namespace crategate::layout {
namespace {

using test::SavedImage;
using testing::HasSubstr;

struct OciLayoutTest : testing::Test {
  OciLayout open() { return OciLayout::open(directory / "images").value(); }
  oci::Descriptor store(OciLayout& layout, const std::string& layer) {
    return layout.write_manifest(SavedImage{.layers = {layer}}.manifest(), oci::kOciManifest).value();
  }
  sys::Path blob_file(const oci::Digest& digest) const {
    return directory / concat("images/blobs/sha256/", digest.hex());
  }
  test::TestDirectory directory;
};

TEST_F(OciLayoutTest, IsMadeWhereNothingIsAndOpenedAgain) {
  open();
  EXPECT_EQ(directory.read("images/oci-layout"), R"({"imageLayoutVersion":"1.0.0"})");
  EXPECT_THAT(directory.read("images/index.json"), HasSubstr(R"("manifests":[])"));
  EXPECT_TRUE(OciLayout::open(directory / "images"));
}

TEST_F(OciLayoutTest, RemovesWhatKilledWritersLeftADayAgo) {
  open();
  const auto now = std::filesystem::file_time_type::clock::now();
  for (const std::string name : {".blob-old", ".blob-new", "blob-kept", "blobs/sha256/.blob-old"}) {
    directory.write("images/" + name, "x");
    std::filesystem::last_write_time(directory / ("images/" + name),
                                     now - std::chrono::hours(name == ".blob-new" ? 23 : 25));
  }
  open();
  EXPECT_FALSE(directory.exists("images/.blob-old"));
  EXPECT_TRUE(directory.exists("images/.blob-new"));
  EXPECT_TRUE(directory.exists("images/blob-kept"));
  EXPECT_TRUE(directory.exists("images/blobs/sha256/.blob-old"));
}

TEST_F(OciLayoutTest, RefusesWhatIsSomethingElse) {
  directory.write("file", "x");
  directory.write("project/main.py", "x");
  directory.write("newer/oci-layout", R"({"imageLayoutVersion":"2.0.0"})");
  directory.write("broken/oci-layout", "x");
  directory.write("linked/oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  std::filesystem::create_symlink("/tmp", directory / "linked/blobs");
  for (const char* name : {"file", "project", "newer", "broken", "linked"}) {
    const auto opened = OciLayout::open(directory / name);
    ASSERT_FALSE(opened) << name;
    EXPECT_EQ(opened.error().code, ErrorCode::bad_input) << name;
  }
  EXPECT_EQ(directory.read("project/main.py"), "x");
}

TEST_F(OciLayoutTest, FindsAManifestByNameAndByDigest) {
  OciLayout layout = open();
  const oci::Descriptor manifest = store(layout, "a");
  ASSERT_TRUE(layout.tag("braindotai/opencrate-cpu-py3.10:v1.2.3", manifest));
  const auto named = layout.find("braindotai/opencrate-cpu-py3.10:v1.2.3");
  ASSERT_TRUE(named && *named);
  EXPECT_EQ((*named)->descriptor.digest, manifest.digest);
  EXPECT_EQ((*named)->bytes, SavedImage{.layers = {"a"}}.manifest());
  EXPECT_TRUE(layout.find(manifest.digest).value().has_value());
  EXPECT_FALSE(layout.find("other").value().has_value());
  EXPECT_FALSE(layout.find(oci::Digest::of("other")).value().has_value());
}

TEST_F(OciLayoutTest, MovesANameAndKeepsTheOthers) {
  OciLayout layout = open();
  const auto first = store(layout, "a"), second = store(layout, "b");
  ASSERT_TRUE(layout.tag("x:2", first));
  ASSERT_TRUE(layout.tag("x:1", first));
  ASSERT_TRUE(layout.tag("x:2", second));
  EXPECT_THAT(layout.names().value(),
              testing::ElementsAre(testing::Pair("x:1", first.digest), testing::Pair("x:2", second.digest)));
}

TEST_F(OciLayoutTest, DoesNotNameWhatItDoesNotHold) {
  OciLayout layout = open();
  oci::Descriptor absent = store(layout, "a");
  absent.digest = oci::Digest::of("absent");
  EXPECT_EQ(layout.tag("x:1", absent).error().code, ErrorCode::integrity);
  EXPECT_TRUE(layout.names()->empty());
}

TEST_F(OciLayoutTest, LosesNoNameWhenManyWriteAtOnce) {
  OciLayout layout = open();
  const auto manifest = store(layout, "a");
  std::vector<std::thread> writers;
  for (int i = 0; i < 6; ++i) {
    writers.emplace_back([this, i, &manifest] {
      OciLayout own = open();
      for (int j = 0; j < 2; ++j) EXPECT_TRUE(own.tag(concat("x:", i, ".", j), manifest));
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(layout.names()->size(), 12U);
}

TEST_F(OciLayoutTest, MakesABlobVisibleOnlyWhenItIsWhatItShouldBe) {
  OciLayout layout = open();
  const oci::Digest digest = oci::Digest::of("content");
  const auto write = [&](const std::string& bytes, std::uint64_t size) {
    return layout.write_blob({"", digest, size, {}, std::nullopt}, test::source_of(bytes, 3));
  };
  EXPECT_EQ(write("contents", 8).error().code, ErrorCode::integrity);
  EXPECT_EQ(write("content", 6).error().code, ErrorCode::integrity);
  EXPECT_EQ(write("content", 8).error().code, ErrorCode::integrity);
  EXPECT_EQ(write("", 0).error().code, ErrorCode::integrity);
  EXPECT_FALSE(layout.has_blob(digest).value());
  EXPECT_TRUE(write("content", 7));
  EXPECT_EQ(layout.read_blob(digest)->value_or("?"), "content");
  for (const auto& entry : std::filesystem::directory_iterator(directory / "images")) {
    EXPECT_FALSE(entry.path().filename().string().starts_with(".blob-")) << entry.path();
  }
}

TEST_F(OciLayoutTest, NoticesABlobThatWasChanged) {
  OciLayout layout = open();
  const oci::Digest digest = oci::Digest::of("content");
  ASSERT_TRUE(layout.write_blob(digest, "content"));
  std::ofstream(blob_file(digest), std::ios::binary) << "c0ntent";
  EXPECT_EQ(layout.read_blob(digest).error().code, ErrorCode::integrity);
  const auto source = layout.open_blob({"", digest, 7, {}, std::nullopt});
  ASSERT_TRUE(source);
  EXPECT_THAT(test::drain(*source), HasSubstr("error: blob"));
  std::ofstream(blob_file(digest), std::ios::binary) << "cont";
  const auto missing = layout.open_blob({"", oci::Digest::of("nowhere"), 7, {}, std::nullopt});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::integrity);
  const auto cut = layout.open_blob({"", digest, 7, {}, std::nullopt});
  EXPECT_THAT(test::drain(*cut), HasSubstr("4 bytes"));
}

TEST_F(OciLayoutTest, ReadsNoBlobThatIsTooLargeOrALink) {
  OciLayout layout = open();
  const oci::Digest digest = oci::Digest::of("content");
  ASSERT_TRUE(layout.write_blob(digest, "content"));
  EXPECT_EQ(layout.read_blob(digest, 3).error().code, ErrorCode::integrity);
  std::filesystem::remove(blob_file(digest));
  const auto expect_none = [&](const char* what) {
    EXPECT_FALSE(layout.has_blob(digest).value()) << what;
    EXPECT_EQ(layout.blob_size(digest).value(), std::nullopt) << what;
    EXPECT_EQ(layout.read_blob(digest).value(), std::nullopt) << what;
    const auto opened = layout.open_blob({"", digest, 7, {}, std::nullopt});
    ASSERT_FALSE(opened) << what;
    EXPECT_EQ(opened.error().code, ErrorCode::integrity);
    EXPECT_THAT(describe(opened.error()), HasSubstr(digest.text()));
  };
  // Even of what is as it should be: nothing outside of a stranger's layout is opened.
  directory.write("outside", "content");
  std::filesystem::create_symlink(directory / "outside", blob_file(digest));
  expect_none("a link");
  std::filesystem::remove(blob_file(digest));
  ASSERT_EQ(::mkfifo(blob_file(digest).c_str(), 0600), 0);
  expect_none("a pipe, which nobody waits for");
  std::filesystem::remove(blob_file(digest));
  std::filesystem::create_directory(blob_file(digest));
  expect_none("a directory");
  std::filesystem::rename(directory / "images/blobs/sha256", directory / "elsewhere");
  std::filesystem::remove(directory / "elsewhere" / digest.hex());
  directory.write(concat("elsewhere/", digest.hex()), "content");
  std::filesystem::create_directory_symlink(directory / "elsewhere", directory / "images/blobs/sha256");
  expect_none("a folder that is a link");
}

TEST_F(OciLayoutTest, RefusesDigestsItCannotCheck) {
  OciLayout layout = open();
  const auto sha512 = oci::Digest::parse(concat("sha512:", std::string(128, 'a')));
  ASSERT_TRUE(sha512);
  EXPECT_EQ(layout.has_blob(*sha512).error().code, ErrorCode::integrity);
  EXPECT_EQ(layout.write_blob(*sha512, "x").error().code, ErrorCode::integrity);
}

TEST_F(OciLayoutTest, SaysSoWhenItsIndexIsDamaged) {
  OciLayout layout = open();
  for (const char* text : {"", "{", "[]", R"({"schemaVersion":2,"manifests":{}})"}) {
    directory.write("images/index.json", text);
    const auto names = layout.names();
    ASSERT_FALSE(names) << text;
    EXPECT_THAT(describe(names.error()), HasSubstr("index.json"));
  }
}

}  // namespace
}  // namespace crategate::layout
