// One image in every source, and indexes that lie about theirs (A45 to A48).
#include "stages/inspect.h"

#include <gmock/gmock.h>

#include "base/strings.h"
#include "image/fingerprint.h"
#include "json/value.h"
#include "oci/media_types.h"
#include "stages/layout_registry.h"
#include "support/fake_engine.h"
#include "support/test_directory.h"

namespace crategate::stages {
namespace {

using testing::HasSubstr;

const std::string kName = "registry.example/me/app";

struct Inspected : testing::Test {
  test::TestDirectory directory;
  LayoutRegistry registry{layout::OciLayout::open(directory / "registry").value()};
  test::FakeEngine engine;
  test::TestImage image;
  const oci::Repository repository = oci::parse_repository(kName).value();

  Result<ImageEvidence> inspect(const std::string& where, const char* platform = "linux/amd64", bool quick = false) {
    return inspect_image({.image = where, .platform = oci::parse_platform(platform).value(), .quick = quick},
                         {.engine = [this]() -> Result<docker::Engine*> { return &engine; }, .registry = registry});
  }
  void put_blob(const std::string& bytes) {
    const auto source = [&bytes](std::uint64_t) -> Result<net::BodySource> {
      return net::BodySource([rest = bytes]() mutable -> Result<std::string> { return std::exchange(rest, {}); });
    };
    const oci::Descriptor blob{"", oci::Digest::of(bytes), bytes.size(), {}, std::nullopt};
    ASSERT_TRUE(registry.put_blob(repository, blob, {std::nullopt, source}));
  }
  /// With all its blobs; untagged.
  void put(const test::TestImage& pushed) {
    for (const auto& layer : pushed.layers) put_blob(layer);
    put_blob(pushed.config());
    put_manifest(pushed.manifest(), oci::kOciManifest);
  }
  void put_manifest(const std::string& bytes, std::string_view type, std::optional<std::string> tag = std::nullopt) {
    std::optional<oci::Digest> digest;
    if (!tag) digest = oci::Digest::of(bytes);
    const auto put = registry.put_manifest({repository, std::move(tag), digest}, bytes, type);
    ASSERT_TRUE(put) << describe(put.error());
  }
  void expect_image(const Result<ImageEvidence>& found, const test::TestImage& wanted, bool has_manifest) {
    ASSERT_TRUE(found) << describe(found.error());
    const auto config = oci::parse_image_config(wanted.config()).value();
    EXPECT_EQ(found->fingerprint, image::fingerprint(config, {}));
    EXPECT_EQ(found->layer_text, image::layer_text_digest(config.diff_ids));
    EXPECT_EQ(found->config_digest, wanted.config_digest());
    EXPECT_EQ(found->manifest_digest, has_manifest ? std::optional(wanted.manifest_digest()) : std::nullopt);
  }
};

std::string entry(const std::string& bytes, std::string_view rest, std::string_view type = oci::kOciManifest,
                  std::optional<std::size_t> size = std::nullopt) {
  return concat(R"({"mediaType":")", type, R"(","digest":")", oci::Digest::of(bytes).text(), R"(","size":)",
                size.value_or(bytes.size()), rest.empty() ? "" : ",", rest, "}");
}

std::string index(const std::vector<std::string>& entries) {
  return concat(R"({"schemaVersion":2,"mediaType":")", oci::kOciIndex, R"(","manifests":[)", join(entries, ","), "]}");
}

constexpr std::string_view kAmd64 = R"("platform":{"os":"linux","architecture":"amd64"})";
constexpr std::string_view kArm64 = R"("platform":{"os":"linux","architecture":"arm64"})";

TEST_F(Inspected, IsTheSameWhereverItIs) {
  put(image);
  put_manifest(image.manifest(), oci::kOciManifest, "v1");
  directory.write("image.tar", image.archive());
  const std::string file = (directory / "image.tar").string();
  expect_image(inspect(concat("docker://", kName, ":v1")), image, true);
  expect_image(inspect(concat("docker://", kName, "@", image.manifest_digest().text())), image, true);
  expect_image(inspect(concat("oci:", (directory / "registry").string())), image, true);
  expect_image(inspect(concat("oci:", (directory / "registry").string(), ":", kName, ":v1")), image, true);
  expect_image(inspect(concat("oci-archive:", file)), image, true);
  expect_image(inspect(concat("docker-archive:", file)), image, false);
  for (const bool containerd : {false, true}) {
    engine.containerd_store = containerd;
    engine.add("app:v1", image);
    expect_image(inspect("docker:app:v1"), image, containerd);
  }
}

TEST_F(Inspected, InTheEngineIsDescribedWithoutBeingSaved) {
  for (const bool containerd : {false, true}) {
    engine.containerd_store = containerd;
    engine.add("app:v1", image);
    const auto found = inspect("docker:app:v1", "linux/amd64", true);
    ASSERT_TRUE(found) << describe(found.error());
    EXPECT_EQ(found->layer_text, image::layer_text_digest(image.diff_ids()));
    EXPECT_EQ(found->fingerprint, image::fingerprint(oci::parse_image_config(image.config()).value(), {}));
    EXPECT_EQ(found->config_digest, containerd ? std::nullopt : std::optional(image.config_digest()));
    EXPECT_FALSE(found->manifest_digest);
  }
  EXPECT_TRUE(engine.saved.empty());
  EXPECT_EQ(inspect("docker:app:v1", "linux/arm64", true).error().code, ErrorCode::not_found);
  EXPECT_EQ(inspect(concat("docker://", kName, ":v1"), "linux/amd64", true).error().code, ErrorCode::bad_input);
}

TEST_F(Inspected, WithoutLayersIsDescribedWhereItCannotBeSaved) {
  image.layers.clear();
  engine.add("empty:1", image);
  const auto found = inspect("docker:empty:1");
  ASSERT_TRUE(found) << describe(found.error());
  EXPECT_EQ(found->layer_text, "37517e5f3dc66819f61f5a7bb8ace1921282415f10551d2defa5c3eb0985b570");
  EXPECT_TRUE(engine.saved.empty());
}

TEST_F(Inspected, OfAnIndexIsTheEntryOfThePlatform) {
  test::TestImage other = image;
  other.architecture = "arm64";
  const std::string statement = R"({"config":"none"})";
  put(image);
  put(other);
  const std::string inner = index({entry(other.manifest(), kArm64)});
  put_manifest(inner, oci::kOciIndex);
  put_manifest(
      index({entry(statement, concat(kAmd64, R"(,"annotations":{"vnd.docker.reference.type":"attestation-manifest"})")),
             entry(image.manifest(), kAmd64), entry(inner, "", oci::kOciIndex)}),
      oci::kOciIndex, "v1");
  const std::string name = concat("docker://", kName, ":v1");
  expect_image(inspect(name), image, true);
  expect_image(inspect(name, "linux/arm64"), other, true);
  expect_image(inspect(name, "linux/arm64/v8"), other, true);
  const auto absent = inspect(name, "linux/s390x");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, ErrorCode::not_found);
  EXPECT_THAT(absent.error().message, HasSubstr("expected one image for linux/s390x, found linux/amd64, linux/arm64"));
}

TEST_F(Inspected, OfAnotherPlatformIsRefusedInEverySource) {
  put(image);
  put_manifest(image.manifest(), oci::kOciManifest, "v1");
  directory.write("image.tar", image.archive());
  engine.add("app:v1", image);
  for (const std::string& where :
       {concat("docker://", kName, ":v1"), concat("oci-archive:", (directory / "image.tar").string()),
        std::string("docker:app:v1"), concat("oci:", (directory / "registry").string())}) {
    const auto found = inspect(where, "linux/arm64");
    ASSERT_FALSE(found) << where;
    EXPECT_THAT(describe(found.error()), HasSubstr("linux/arm64, found")) << where;
    EXPECT_THAT(found.error().hint, HasSubstr("--platforms linux/amd64")) << where;
  }
}

TEST_F(Inspected, A45ToA48ThatContradictsItselfIsRefused) {
  put(image);
  test::TestImage other = image;
  other.env = {"LD_PRELOAD=/evil.so"};
  put_blob(other.config());
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string bytes = replace_all(image.manifest(), from, to);
    put_manifest(bytes, oci::kOciManifest);
    return bytes;
  };
  const std::string config_size = concat("\"size\":", image.config().size());
  const std::string first_layer = image.manifest().substr(image.manifest().find("\"layers\":[") + 10);
  const std::string one_layer = first_layer.substr(0, first_layer.find("},") + 2);
  const std::string arm64 = index({entry(image.manifest(), kArm64)});
  put_manifest(arm64, oci::kOciIndex);
  std::string deep = index({entry(image.manifest(), kAmd64)});
  for (int i = 0; i < 3; ++i) {
    put_manifest(deep, oci::kOciIndex);
    deep = index({entry(deep, "", oci::kOciIndex)});
  }
  const struct {
    const char* name;
    std::string index;
    const char* message;
  } rows[] = {
      {"A45 absent manifest", index({entry("absent", kAmd64)}), "expected the manifest"},
      {"A47 size of the manifest", index({entry(image.manifest(), kAmd64, oci::kOciManifest, 7)}), "expected 7 bytes"},
      {"A47 type of the manifest", index({entry(image.manifest(), kAmd64, oci::kDockerManifest)}),
       "docker.distribution"},
      {"A47 an image as an index", index({entry(image.manifest(), "", oci::kOciIndex)}), "image.index"},
      {"A47 an index as an image", index({entry(arm64, kAmd64)}), "image.manifest"},
      {"A45 absent configuration",
       index({entry(changed(image.config_digest().text(), oci::Digest::of("gone").text()), kAmd64)}),
       "expected the configuration"},
      {"A47 size of the configuration", index({entry(changed(config_size, "\"size\":7"), kAmd64)}), "expected 7 bytes"},
      {"A47 one layer less", index({entry(changed(one_layer, ""), kAmd64)}), "expected 2 layers"},
      {"A47 an artifact", index({entry(changed("image.config.v1", "helm.config.v1"), kAmd64)}), "found an artifact"},
      {"platform of the configuration", index({entry(image.manifest(), kArm64)}), "expected one image for"},
      {"A48 nested too deeply", deep, "too deeply"},
  };
  for (const auto& row : rows) {
    put_manifest(row.index, oci::kOciIndex, "v1");
    const auto found = inspect(concat("docker://", kName, ":v1"));
    ASSERT_FALSE(found) << row.name;
    EXPECT_THAT(found.error().code, testing::AnyOf(ErrorCode::integrity, ErrorCode::not_found)) << row.name;
    EXPECT_THAT(describe(found.error()), HasSubstr(row.message)) << row.name;
  }
  // The index says amd64, its configuration something else.
  put_manifest(index({entry(image.manifest(), kArm64)}), oci::kOciIndex, "v1");
  EXPECT_THAT(describe(inspect(concat("docker://", kName, ":v1"), "linux/arm64").error()),
              HasSubstr("found linux/amd64"));
}

TEST_F(Inspected, A46MalformedDigestsAreRefusedBeforeAnythingIsAsked) {
  for (const char* digest :
       {"sha256:../../../etc/passwd", "sha256:AB", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha256:", ":"}) {
    EXPECT_EQ(inspect(concat("docker://", kName, "@", digest)).error().code, ErrorCode::bad_input) << digest;
    EXPECT_FALSE(inspect(concat("oci:", (directory / "registry").string(), ":", digest))) << digest;
  }
}

TEST_F(Inspected, LeavesALayoutAsItWas) {
  directory.write("layout/oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  directory.write("layout/index.json", index({}));
  EXPECT_FALSE(inspect(concat("oci:", (directory / "layout").string(), ":v1")));
  EXPECT_FALSE(std::filesystem::exists(directory / "layout/blobs"));
  EXPECT_FALSE(std::filesystem::exists(directory / "layout/.lock"));
}

TEST_F(Inspected, NeedsAFormThatIsKnown) {
  for (const char* where : {"app:v1", "", "tar:x", "OCI:x", "docker-archive", "containers-storage:x"}) {
    EXPECT_EQ(inspect(where).error().code, ErrorCode::bad_input) << where;
  }
  for (const char* where :
       {"docker:absent:1", "docker-archive:/absent", "oci:/absent", "docker://registry.example/me/app:absent"}) {
    EXPECT_EQ(inspect(where).error().code, ErrorCode::not_found) << where;
  }
}

}  // namespace
}  // namespace crategate::stages
