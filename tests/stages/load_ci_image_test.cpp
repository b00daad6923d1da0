// ci-image load: layouts and archives as an artifact brings them, whole and damaged.
#include "stages/load_ci_image.h"

#include <gmock/gmock.h>

#include "layout/image_store.h"
#include "oci/media_types.h"
#include "stages/project.h"
#include "support/fake_engine.h"
#include "support/test_image.h"

namespace crategate::stages {
namespace {

using ::testing::HasSubstr;

class LoadCiImage : public ::testing::Test {
 protected:
  LoadCiImage() {
    settings.image = "ghcr.io/o/r/ci";
    image.layers.clear();
    auto layout = layout::OciLayout::open(from).value();
    EXPECT_TRUE(layout.write_blob(image.config_digest(), image.config()));
    const auto manifest = layout.write_manifest(image.manifest(), oci::kOciManifest).value();
    EXPECT_TRUE(layout.tag("latest", manifest));
    digest = manifest.digest;
  }
  /// A blob's file, below the test's directory.
  static sys::Path blob(const oci::Digest& of) { return sys::Path("artifact/blobs/sha256") / of.hex(); }
  void change(const oci::Digest& of, const std::string& to) const { project.directory.write(blob(of), to); }
  void remove(const oci::Digest& of) const { std::filesystem::remove(project.directory / blob(of)); }
  Result<CiImageLoaded> load(const sys::Path& path) {
    return load_ci_image({.settings = settings, .workspace = project.workspace, .from = path, .architecture = "amd64"},
                         engine, project.files);
  }
  void expect_damaged(const sys::Path& path) {
    const auto loaded = load(path);
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, ErrorCode::integrity) << describe(loaded.error());
    EXPECT_THAT(loaded.error().hint, HasSubstr("download the artifact ci-image again"));
    EXPECT_EQ(engine.loaded.size(), 0U);
  }

  sample::Project project;
  config::CiImage settings;
  test::TestImage image;
  oci::Digest digest = oci::Digest::of("none");
  sys::Path from = project.directory / "artifact";
  test::FakeEngine engine;
};

TEST_F(LoadCiImage, SaysThatABlobWasChanged) {
  change(image.config_digest(), image.config() + "  ");
  expect_damaged(from);
}

TEST_F(LoadCiImage, SaysThatABlobIsMissing) {
  remove(image.config_digest());
  expect_damaged(from);
}

TEST_F(LoadCiImage, SaysThatTheManifestWasChangedOrIsMissing) {
  change(digest, "{}");
  expect_damaged(from);
  remove(digest);
  expect_damaged(from);
}

TEST_F(LoadCiImage, SaysThatSomethingIsNoArchive) {
  project.directory.write("empty", "");
  expect_damaged(project.directory / "empty");
  project.directory.write("text", "<html>not found</html>\n");
  expect_damaged(project.directory / "text");
  EXPECT_FALSE(project.exists(".crategate/ci-image/loaded"));
}

TEST_F(LoadCiImage, TellsWhatIsNotThereFromWhatIsDamaged) {
  EXPECT_EQ(load(project.directory / "nowhere").error().code, ErrorCode::not_found);
  EXPECT_EQ(load(project.workspace.root).error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace crategate::stages
