// Manifests and indexes: what is taken, what is refused, what is written.
#include "oci/manifest.h"

#include <gmock/gmock.h>

#include "base/strings.h"
#include "oci/media_types.h"

namespace crategate::oci {
namespace {

using testing::HasSubstr;

const std::string kDigest = Digest::of("x").text();
const std::string kConfig =
    concat(R"({"mediaType":"application/vnd.oci.image.config.v1+json","digest":")", kDigest, R"(","size":2})");
const std::string kLayer =
    concat(R"({"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":")", kDigest, R"(","size":0})");

std::string manifest(std::string_view members) { return concat(R"({"schemaVersion":2,)", members, "}"); }

std::string image(std::string_view media_type) {
  return manifest(concat(R"("mediaType":")", media_type, R"(","config":)", kConfig, R"(,"layers":[)", kLayer, "]"));
}

std::string index(std::string_view media_type) {
  return manifest(concat(R"("mediaType":")", media_type, R"(","manifests":[{"mediaType":")", kOciManifest,
                         R"(","digest":")", kDigest,
                         R"(","size":7,"platform":{"os":"linux","architecture":"arm","variant":"v7"}}])"));
}

TEST(Manifest, IsReadInBothDialects) {
  for (const std::string_view media_type : {kOciManifest, kDockerManifest}) {
    const auto parsed = parse_manifest(image(media_type), media_type);
    ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
    EXPECT_EQ(parsed->media_type, media_type);
    EXPECT_EQ(parsed->config.size, 2u);
    ASSERT_EQ(parsed->layers.size(), 1u);
    EXPECT_EQ(parsed->layers[0].digest.text(), kDigest);
  }
}

TEST(Manifest, WritesCanonicalBytesThatReadBack) {
  const Digest digest = Digest::of("x");
  const Manifest written{std::string(kOciManifest),
                         {std::string(kOciConfig), digest, 2, {}, {}},
                         {{std::string(kOciLayer), digest, 9, {{"k", "v"}}, {}}},
                         {{"b", "1"}, {"a", "2"}}};
  const std::string bytes = written.to_json();
  EXPECT_EQ(bytes, concat(R"({"annotations":{"a":"2","b":"1"},"config":{"digest":")", kDigest, R"(","mediaType":")",
                          kOciConfig, R"(","size":2},"layers":[{"annotations":{"k":"v"},"digest":")", kDigest,
                          R"(","mediaType":")", kOciLayer, R"(","size":9}],"mediaType":")", kOciManifest,
                          R"(","schemaVersion":2})"));
  EXPECT_EQ(parse_manifest(bytes, kOciManifest).value().to_json(), bytes);
}

TEST(Manifest, HasNoLayersWhereTheirListIsNull) {
  const auto parsed = parse_manifest(manifest(concat(R"("config":)", kConfig, R"(,"layers":null)")), kOciManifest);
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  EXPECT_TRUE(parsed->layers.empty());
}

TEST(Index, IsReadAndWrittenWithPlatforms) {
  const Index parsed = parse_index(index(kOciIndex), kOciIndex).value();
  ASSERT_EQ(parsed.manifests.size(), 1u);
  EXPECT_EQ(parsed.manifests[0].platform, (Platform{"linux", "arm", "v7"}));
  EXPECT_EQ(parse_index(parsed.to_json(), "").value().to_json(), parsed.to_json());
  EXPECT_TRUE(parse_index(index(kDockerManifestList), kDockerManifestList).has_value());
}

TEST(Manifest, A47A48A49RefusesWhatIsAmbiguousOrDamaged) {
  const auto with_layer = [](std::string_view layer) {
    return manifest(concat(R"("config":)", kConfig, R"(,"layers":[)", layer, "]"));
  };
  std::string many = kLayer;
  for (int i = 0; i < 1024; ++i) many += "," + kLayer;
  const struct {
    std::string_view name;
    std::string bytes;
    std::string_view content_type, message;
  } rows[] = {
      {"no JSON", "<html>", kOciManifest, "manifest:1:1"},
      {"no object", "[]", kOciManifest, "expected an object"},
      {"schema 1", R"({"schemaVersion":1,"fsLayers":[]})", kOciManifest, "schemaVersion: expected 2, found 1"},
      {"no schema", R"({"layers":[]})", kOciManifest, "schemaVersion: expected a value, found nothing"},
      {"both kinds", manifest(concat(R"("manifests":[],"config":)", kConfig, R"(,"layers":[])")), kOciManifest,
       "CVE-2021-41190"},
      {"index with layers", manifest(R"("manifests":[],"layers":[])"), kOciIndex, "CVE-2021-41190"},
      {"index with config", manifest(concat(R"("manifests":[],"config":)", kConfig)), kOciIndex, "CVE-2021-41190"},
      {"other spelling", manifest(concat(R"("config":)", kConfig, R"(,"layers":[],"Manifests":[])")), kOciManifest,
       "\"Manifests\""},
      {"contradiction", image(kOciManifest), kDockerManifest, "expected mediaType application/vnd.docker"},
      {"contradiction, kind", image(kOciManifest), kOciIndex, "expected mediaType application/vnd.oci.image.index"},
      {"index served as manifest", manifest(R"("manifests":[])"), kOciManifest, "expected no key \"manifests\""},
      {"index", index(kOciIndex), kOciIndex, "expected a manifest of one image, found an index"},
      {"no type at all", with_layer(kLayer), "application/json", "expected the media type of a manifest or an index"},
      {"unknown own type", image("text/plain"), "", "found \"text/plain\""},
      {"no config", manifest(R"("layers":[])"), kOciManifest, "config: expected a value"},
      {"no layers", manifest(concat(R"("config":)", kConfig)), kOciManifest, "layers: expected a value"},
      {"negative size", with_layer(replace_all(kLayer, ":0}", ":-1}")), kOciManifest,
       "layers[0].size: expected a size of 0 or more"},
      {"fractional size", with_layer(replace_all(kLayer, ":0}", ":1.5}")), kOciManifest, "layers[0].size"},
      {"bad digest", with_layer(replace_all(kLayer, "sha256:", "sha256:../")), kOciManifest,
       "layers[0].digest: expected sha256:"},
      {"no digest", with_layer(R"({"mediaType":"x","size":0})"), kOciManifest, "layers[0].digest: expected a value"},
      {"annotation that is no text", with_layer(replace_all(kLayer, ":0}", R"(:0,"annotations":{"a":1}})")),
       kOciManifest, "layers[0].annotations.a: expected a string"},
      {"platform without os", with_layer(replace_all(kLayer, ":0}", R"(:0,"platform":{"architecture":"a"}})")),
       kOciManifest, "layers[0].platform.os"},
      {"platform in two spellings",
       with_layer(replace_all(kLayer, ":0}", R"(:0,"platform":{"os":"linux","OS":"windows","architecture":"a"}})")),
       kOciManifest, "in this spelling only"},
      {"1025 layers", with_layer(many), kOciManifest, "layers: expected at most 1024 entries, found 1025"},
      {"over 4 MiB", std::string(kManifestLimit + 1, ' '), kOciManifest, "expected at most 4.0 MiB"},
  };
  for (const auto& row : rows) {
    const auto parsed = parse_manifest(row.bytes, row.content_type);
    ASSERT_FALSE(parsed.has_value()) << row.name;
    EXPECT_EQ(parsed.error().code, ErrorCode::integrity) << row.name;
    EXPECT_THAT(parsed.error().message, HasSubstr(row.message)) << row.name;
  }
  EXPECT_THAT(parse_index(image(kOciManifest), kOciManifest).error().message, HasSubstr("expected an index"));
}

TEST(Index, A48RefusesMoreEntriesThanItsLimit) {
  const std::string entry = concat(R"({"mediaType":")", kOciManifest, R"(","digest":")", kDigest, R"(","size":7})");
  std::string many = entry;
  for (int i = 0; i < 1023; ++i) many += "," + entry;
  EXPECT_TRUE(parse_index(manifest(concat(R"("manifests":[)", many, "]")), kOciIndex));
  const auto refused = parse_index(manifest(concat(R"("manifests":[)", many, ",", entry, "]")), kOciIndex);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::integrity);
  EXPECT_THAT(refused.error().message, HasSubstr("expected at most 1024 entries, found 1025"));
}

TEST(Manifest, TypeComesFromTheServerOrElseFromTheDocument) {
  const std::string bare = manifest(concat(R"("config":)", kConfig, R"(,"layers":[])"));
  EXPECT_EQ(manifest_media_type(bare, kOciManifest).value(), kOciManifest);
  EXPECT_EQ(manifest_media_type(bare, "Application/vnd.OCI.image.manifest.v1+json; charset=utf-8").value(),
            kOciManifest);
  EXPECT_EQ(manifest_media_type(image(kDockerManifest), "application/octet-stream").value(), kDockerManifest);
  EXPECT_EQ(manifest_media_type(index(kOciIndex), "").value(), kOciIndex);
  EXPECT_FALSE(manifest_media_type(bare, "").has_value());
}

}  // namespace
}  // namespace crategate::oci
