// What a copy leaves alone and what it refuses. That its results are whole is asked by tests/conformance.
#include "registry/copy.h"

#include <gmock/gmock.h>

#include "base/strings.h"
#include "oci/media_types.h"
#include "support/fakes.h"
#include "support/scripted_http_server.h"
#include "support/strict_registry.h"

namespace crategate::registry {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string descriptor(std::string_view media_type, const std::string& bytes, const std::string& more = {}) {
  return concat(R"({"mediaType":")", media_type, R"(","digest":")", oci::Digest::of(bytes).text(), R"(","size":)",
                bytes.size(), more, "}");
}

std::string image_of(const std::string& layers) {
  return concat(R"({"schemaVersion":2,"mediaType":")", oci::kOciManifest, R"(","config":)",
                descriptor(oci::kOciConfig, "{}"), R"(,"layers":[)", layers, "]}");
}

std::string index_of(const std::string& child, std::string_view type) {
  return concat(R"({"schemaVersion":2,"mediaType":")", oci::kOciIndex, R"(","manifests":[)", descriptor(type, child),
                "]}");
}

struct Scene {
  Scene() { strict.add_blob("a/b", "{}"); }
  Result<Copied> copy() {
    return copy_image(client, {{strict.host(), "a/b"}, "v1", std::nullopt}, client, client,
                      {{strict.host(), "c/d"}, "v1", std::nullopt});
  }
  test::FakeClock clock;
  test::StrictRegistry strict;
  net::PosixHttpClient http;
  HttpRegistry client{http, clock,
                      [](const std::string&) -> Result<std::optional<Credentials>> { return std::nullopt; },
                      RegistryOptions{}};
};

TEST(RegistryCopy, A41FollowsNoAddressOfAManifest) {
  Scene scene;
  test::ScriptedHttpServer canary;
  const std::string elsewhere = concat(R"(,"urls":[")", canary.url("/layer").text(), "\"]");
  const std::string foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
  scene.strict.add_blob("a/b", "own");
  const std::string image = image_of(
      concat(descriptor(oci::kOciLayerGzip, "own", elsewhere), ",", descriptor(foreign, "somebody else's", elsewhere)));
  scene.strict.add_manifest("a/b", "v1", image, std::string(oci::kOciManifest));
  const auto copied = scene.copy();
  ASSERT_TRUE(copied) << describe(copied.error());
  EXPECT_EQ(copied->mounted, 2U) << "the configuration and its own layer";
  EXPECT_THAT(canary.received(), IsEmpty());
  EXPECT_TRUE(scene.strict.content().at("c/d").manifests.contains(oci::Digest::of(image).text()));
}

TEST(RegistryCopy, A48OfAnIndexDeeperThanTwoIsRefusedBeforeAnythingIsWritten) {
  Scene scene;
  std::string bytes = image_of("");
  std::string type(oci::kOciManifest);
  scene.strict.add_manifest("a/b", "", bytes, type);
  for (int depth = 1; depth <= 3; ++depth) {
    bytes = index_of(bytes, type);
    type = oci::kOciIndex;
    scene.strict.add_manifest("a/b", "v1", bytes, type);
    const auto copied = scene.copy();
    EXPECT_EQ(copied.has_value(), depth < 3) << depth;
    if (copied) continue;
    EXPECT_EQ(copied.error().code, ErrorCode::integrity);
    EXPECT_THAT(copied.error().message, HasSubstr("at most 2 levels"));
  }
  EXPECT_FALSE(scene.strict.content().at("c/d").manifests.contains(oci::Digest::of(bytes).text()));
}

TEST(RegistryCopy, BringsWhatAnIndexLacksThatIsThereAlready) {
  Scene scene;
  scene.strict.add_blob("a/b", "layer");
  const std::string image = image_of(descriptor(oci::kOciLayerGzip, "layer"));
  const std::string index = index_of(image, oci::kOciManifest);
  scene.strict.add_manifest("a/b", "", image, std::string(oci::kOciManifest));
  scene.strict.add_manifest("a/b", "v1", index, std::string(oci::kOciIndex));
  scene.strict.add_manifest("c/d", "v1", index, std::string(oci::kOciIndex));
  const auto first = scene.copy(), second = scene.copy();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->manifests, 1U) << "the image, not the index";
  EXPECT_EQ(first->mounted, 2U);
  EXPECT_TRUE(scene.strict.content().at("c/d").manifests.contains(oci::Digest::of(image).text()));
  EXPECT_EQ(second->manifests, 0U);
  EXPECT_EQ(second->mounted, 0U);
}

}  // namespace
}  // namespace crategate::registry
