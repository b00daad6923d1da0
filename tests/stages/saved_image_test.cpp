// An image that is pushed on one thread and pulled on another.
#include "stages/saved_image.h"

#include <gmock/gmock.h>

#include <memory>

#include "oci/media_types.h"
#include "stages/layout_registry.h"
#include "support/fake_engine.h"
#include "support/test_directory.h"

namespace crategate::stages {
namespace {

class SavedImages : public ::testing::Test {
 protected:
  SavedImages() {
    image.layers = {std::string(500'000, 'a'), std::string(300'000, 'b')};
    id = engine.add("app:v1", image);
  }
  test::TestImage image;
  test::FakeEngine engine;
  std::string id;
};

TEST_F(SavedImages, ComeWholeAndInOrder) {
  SavedImage saved(engine, id);
  std::string bytes;
  for (auto chunk = saved.next(); chunk && !chunk->empty(); chunk = saved.next()) bytes += *chunk;
  EXPECT_EQ(bytes, image.archive());
  EXPECT_EQ(saved.next().value(), "");
}

TEST_F(SavedImages, MayBeAbandonedAtAnyPoint) {
  std::make_unique<SavedImage>(engine, id).reset();
  for (int chunks = 1; chunks < 40; chunks += 7) {
    SavedImage saved(engine, id);
    for (int i = 0; i < chunks; ++i) EXPECT_TRUE(saved.next());
  }
}

TEST_F(SavedImages, EndInTheErrorThatSavingEndedIn) {
  engine.save_error = Error{ErrorCode::engine, "gone", "", {}, {}, {}};
  SavedImage saved(engine, id);
  EXPECT_EQ(saved.next().value().size(), 1000U);
  EXPECT_EQ(saved.next().error().code, ErrorCode::engine);
  EXPECT_EQ(saved.next().error().code, ErrorCode::engine);
  SavedImage unknown(engine, "none");
  EXPECT_EQ(unknown.next().error().code, ErrorCode::not_found);
}

class LayoutAsRegistry : public ::testing::Test {
 protected:
  test::TestDirectory directory;
  layout::OciLayout layout = layout::OciLayout::open(directory / "images").value();
  LayoutRegistry registry{layout};
  test::TestImage image;
  oci::Reference tag = oci::parse_reference("me/app:v1").value();
  oci::Reference by_digest{tag.repository, std::nullopt, image.manifest_digest()};
};

TEST_F(LayoutAsRegistry, AnswersNothingForWhatItDoesNotHave) {
  EXPECT_EQ(registry.manifest(tag).value().has_value(), false);
  EXPECT_EQ(registry.digest(by_digest).value(), std::nullopt);
  EXPECT_FALSE(registry.has_blob(tag.repository, image.config_digest()).value());
  const oci::Descriptor config{"", image.config_digest(), image.config().size(), {}, std::nullopt};
  EXPECT_EQ(registry.put_blob(tag.repository, config, {tag.repository, {}}).value(),
            registry::BlobArrival::not_mounted);
  EXPECT_FALSE(registry.blob(tag.repository, image.config_digest(), 1000).value());
}

TEST_F(LayoutAsRegistry, HoldsManifestsByDigestAndByTag) {
  image.layers.clear();
  const std::string bytes = image.manifest();
  by_digest.digest = image.manifest_digest();
  ASSERT_TRUE(registry.put_manifest(by_digest, bytes, "application/vnd.oci.image.manifest.v1+json"));
  EXPECT_EQ(registry.digest(by_digest).value(), image.manifest_digest());
  EXPECT_EQ(registry.digest(tag).value(), std::nullopt);
  ASSERT_TRUE(registry.put_manifest(tag, bytes, "application/vnd.oci.image.manifest.v1+json"));
  EXPECT_EQ(registry.manifest(tag).value()->bytes, bytes);
}

TEST_F(LayoutAsRegistry, ServesNoManifestWhoseLayersAreLostOrDamaged) {
  const std::string bytes = image.manifest();
  ASSERT_TRUE(registry.put_manifest(by_digest, bytes, oci::kOciManifest));
  const auto lost = registry.manifest(by_digest);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ErrorCode::integrity);
  EXPECT_THAT(lost.error().message, ::testing::HasSubstr("found no such blob"));
  const auto layer = oci::parse_manifest(bytes, oci::kOciManifest).value().layers.front().digest;
  directory.write("images/blobs/sha256/" + std::string(layer.hex()), "damaged");
  EXPECT_THAT(registry.manifest(by_digest).error().message, ::testing::HasSubstr("found 7 bytes"));
}

TEST_F(LayoutAsRegistry, OpensABlobOnlyWhenItIsNeeded) {
  int opened = 0;
  const oci::Descriptor blob{"", image.config_digest(), image.config().size(), {}, std::nullopt};
  const auto open = [&](std::uint64_t) -> Result<net::BodySource> {
    ++opened;
    bool given = false;
    return net::BodySource([this, given]() mutable -> Result<std::string> {
      return std::exchange(given, true) ? std::string() : image.config();
    });
  };
  EXPECT_EQ(registry.put_blob(tag.repository, blob, {std::nullopt, open}).value(), registry::BlobArrival::uploaded);
  EXPECT_EQ(registry.put_blob(tag.repository, blob, {std::nullopt, open}).value(), registry::BlobArrival::present);
  EXPECT_EQ(opened, 1);
  EXPECT_EQ(registry.blob(tag.repository, blob.digest, 1000).value(), image.config());
  EXPECT_EQ(registry.put_blob(tag.repository, blob, {tag.repository, {}}).value(), registry::BlobArrival::mounted);
}

TEST_F(LayoutAsRegistry, RefusesAManifestUnderAnotherDigest) {
  const auto put = registry.put_manifest({tag.repository, std::nullopt, oci::Digest::of("x")}, image.manifest(),
                                         "application/vnd.oci.image.manifest.v1+json");
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::integrity);
}

}  // namespace
}  // namespace crategate::stages
