#include <gmock/gmock.h>

#include "wire/registry/registry_server.h"

namespace crategate::registry {
namespace {

using test::manifest_bytes;
using test::manifest_reply;
using test::registry_error;
using test::RegistryFixture;
using test::Reply;
using testing::HasSubstr;

const std::string kTag = "/v2/a/b/manifests/v1";

TEST(RegistryManifest, IsReadByTagWithItsComputedDigest) {
  RegistryFixture registry;
  registry.server.expect("GET", kTag, manifest_reply(manifest_bytes()));
  const auto read = registry.client.manifest(registry.tag("v1"));
  ASSERT_TRUE(read) << describe(read.error());
  ASSERT_TRUE(*read);
  EXPECT_EQ((*read)->bytes, manifest_bytes());
  EXPECT_EQ((*read)->descriptor.digest, oci::Digest::of(manifest_bytes()));
  EXPECT_THAT(registry.server.received().at(0).header("accept"), HasSubstr(std::string(oci::kDockerManifestList)));
}

struct AbsenceRow {
  const char* name;
  Reply reply;
  bool absent;
  ErrorCode code;
};

class RegistryAbsent : public testing::TestWithParam<AbsenceRow> {};

TEST_P(RegistryAbsent, IsSaidOnlyWhenTheRegistryKnows) {
  RegistryFixture registry;
  registry.server.expect("GET", kTag, GetParam().reply);
  const auto read = registry.client.manifest(registry.tag("v1"));
  if (GetParam().absent) {
    ASSERT_TRUE(read) << describe(read.error());
    EXPECT_FALSE(*read);
  } else {
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, GetParam().code);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Rows, RegistryAbsent,
    testing::Values(
        AbsenceRow{"ManifestUnknown", {.status = 404, .body = registry_error("MANIFEST_UNKNOWN")}, true, {}},
        AbsenceRow{"NameUnknown", {.status = 404, .body = registry_error("NAME_UNKNOWN")}, true, {}},
        AbsenceRow{"ProxyPage", {.status = 404, .body = "<html>not found</html>"}, false, ErrorCode::unavailable},
        AbsenceRow{"EmptyPage", {.status = 404}, false, ErrorCode::unavailable},
        AbsenceRow{"DeniedAs404", {.status = 404, .body = registry_error("DENIED")}, false, ErrorCode::forbidden},
        AbsenceRow{"Forbidden", {.status = 403, .body = registry_error("DENIED")}, false, ErrorCode::forbidden},
        AbsenceRow{"Gone", {.status = 410}, false, ErrorCode::bad_input}),
    [](const auto& each) { return std::string(each.param.name); });

const std::string kOwnType = concat(R"("mediaType":")", oci::kOciManifest, "\",");

struct ContentRow {
  const char* name;
  std::string body, content_type;
};

class RegistryContent : public testing::TestWithParam<ContentRow> {};

TEST_P(RegistryContent, A45A47ThatContradictsItselfIsRefused) {
  RegistryFixture registry;
  Reply reply = manifest_reply(manifest_bytes());
  reply.body = GetParam().body;
  reply.headers[0].second = GetParam().content_type;
  for (int tries = 0; tries < 2; ++tries) registry.server.expect("GET", kTag, reply);
  const auto read = registry.client.manifest(registry.tag("v1"));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::integrity) << describe(read.error());
  EXPECT_EQ(registry.server.received().at(0).header("cache-control"), "");
  EXPECT_EQ(registry.server.received().at(1).header("cache-control"), "no-cache") << "B12";
}

INSTANTIATE_TEST_SUITE_P(
    Rows, RegistryContent,
    testing::Values(ContentRow{"OtherBodyUnderTheAnnouncedDigest", manifest_bytes("other"),
                               std::string(oci::kOciManifest)},
                    ContentRow{"TypeContradictsTheDocument", manifest_bytes(), std::string(oci::kOciIndex)},
                    ContentRow{"KindIsAnotherThanTheServerSays", replace_all(manifest_bytes(), kOwnType, ""),
                               std::string(oci::kOciIndex)},
                    ContentRow{"Empty", "", std::string(oci::kOciManifest)},
                    ContentRow{"NoJson", "<html>", std::string(oci::kOciManifest)}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(RegistryManifest, A47ThatIsBothAnIndexAndAnImageIsRefused) {
  RegistryFixture registry;
  std::string both = manifest_bytes();
  both.insert(1, R"("manifests":[],)");
  for (int tries = 0; tries < 2; ++tries) registry.server.expect("GET", kTag, manifest_reply(both));
  EXPECT_EQ(registry.client.manifest(registry.tag("v1")).error().code, ErrorCode::integrity);
}

TEST(RegistryManifest, A45ByDigestMustBeThatContent) {
  RegistryFixture registry;
  const oci::Digest asked = oci::Digest::of("asked for");
  Reply reply = manifest_reply(manifest_bytes());
  reply.headers[1].second = asked.text();
  for (int tries = 0; tries < 2; ++tries) {
    registry.server.expect("GET", concat("/v2/a/b/manifests/", asked.text()), reply);
  }
  EXPECT_EQ(registry.client.manifest(registry.by_digest(asked)).error().code, ErrorCode::integrity);
}

TEST(RegistryManifest, A49LargerThanFourMebibytesIsRefused) {
  RegistryFixture registry;
  for (int tries = 0; tries < 2; ++tries)
    registry.server.expect("GET", kTag, {.body = std::string((4U << 20U) + 1, ' ')});
  EXPECT_EQ(registry.client.manifest(registry.tag("v1")).error().code, ErrorCode::integrity);
}

TEST(RegistryManifest, NeedsATagOrADigest) {
  RegistryFixture registry;
  EXPECT_EQ(registry.client.manifest({registry.repository(), std::nullopt, std::nullopt}).error().code,
            ErrorCode::bad_input);
}

TEST(RegistryDigest, ComesFromTheHeadersAlone) {
  RegistryFixture registry;
  Reply head = manifest_reply(manifest_bytes());
  head.body.clear();
  registry.server.expect("HEAD", kTag, head);
  EXPECT_EQ(registry.client.digest(registry.tag("v1")).value(), oci::Digest::of(manifest_bytes()));
}

TEST(RegistryDigest, IsComputedWhenTheHeadersDoNotSayIt) {
  for (const std::string& header : {std::string(), std::string("sha256:short"), std::string("sha256:../../x")}) {
    RegistryFixture registry;
    registry.server.expect("HEAD", kTag, {.headers = {{"Docker-Content-Digest", header}}});
    registry.server.expect("GET", kTag, manifest_reply(manifest_bytes()));
    EXPECT_EQ(registry.client.digest(registry.tag("v1")).value(), oci::Digest::of(manifest_bytes()));
  }
}

TEST(RegistryDigest, OfWhatAHeadDoesNotFindIsConfirmedByTheBody) {
  RegistryFixture registry;
  registry.server.expect("HEAD", kTag, {.status = 404});
  registry.server.expect("GET", kTag, {.status = 404, .body = registry_error("MANIFEST_UNKNOWN")});
  EXPECT_EQ(registry.client.digest(registry.tag("v1")).value(), std::nullopt);
}

TEST(RegistryDigest, OfAProxyPageIsNotAbsent) {
  RegistryFixture registry;
  registry.server.expect("HEAD", kTag, {.status = 404});
  registry.server.expect("GET", kTag, {.status = 404, .body = "<html>"});
  EXPECT_EQ(registry.client.digest(registry.tag("v1")).error().code, ErrorCode::unavailable);
}

TEST(RegistryBlob, A45IsCheckedAgainstItsDigest) {
  RegistryFixture registry;
  const oci::Digest digest = oci::Digest::of("config");
  const std::string path = concat("/v2/a/b/blobs/", digest.text());
  registry.server.expect("GET", path, {.body = "config"});
  for (int tries = 0; tries < 2; ++tries) registry.server.expect("GET", path, {.body = "c0nfig"});
  registry.server.expect("GET", path, {.status = 404, .body = registry_error("BLOB_UNKNOWN")});
  registry.server.expect("GET", path, {.body = std::string(100, 'x')});
  EXPECT_EQ(registry.client.blob(registry.repository(), digest, 50)->value_or("?"), "config");
  EXPECT_EQ(registry.client.blob(registry.repository(), digest, 50).error().code, ErrorCode::integrity);
  EXPECT_EQ(registry.client.blob(registry.repository(), digest, 50).value(), std::nullopt);
  EXPECT_EQ(registry.client.blob(registry.repository(), digest, 50).error().code, ErrorCode::integrity);
}

TEST(RegistryBlob, IsThereWhenTheRegistryOrItsStorageHasIt) {
  RegistryFixture registry;
  const oci::Digest digest = oci::Digest::of("blob");
  const std::string path = concat("/v2/a/b/blobs/", digest.text());
  registry.server.expect("HEAD", path, {.status = 200});
  registry.server.expect("HEAD", path, {.status = 307, .headers = {{"Location", "https://storage.invalid/x"}}});
  registry.server.expect("HEAD", path, {.status = 404});
  registry.server.expect("HEAD", path, {.status = 403});
  EXPECT_EQ(registry.client.has_blob(registry.repository(), digest).value(), true);
  EXPECT_EQ(registry.client.has_blob(registry.repository(), digest).value(), true);
  EXPECT_EQ(registry.client.has_blob(registry.repository(), digest).value(), false);
  EXPECT_EQ(registry.client.has_blob(registry.repository(), digest).error().code, ErrorCode::forbidden);
}

TEST(RegistryRedirect, A42IsFollowedWithoutTheLoginOnAnotherOrigin) {
  RegistryFixture registry(true);
  test::ScriptedHttpServer storage;
  const oci::Digest digest = oci::Digest::of("config");
  const std::string path = concat("/v2/a/b/blobs/", digest.text());
  registry.server.expect("GET", path, test::challenge(R"(Basic realm="x")"));
  registry.server.expect("GET", path, {.status = 307, .headers = {{"Location", storage.url("/signed?x=1").text()}}});
  storage.expect("GET", "/signed?x=1", {.body = "config"});
  EXPECT_EQ(registry.client.blob(registry.repository(), digest, 50)->value_or("?"), "config");
  EXPECT_EQ(RegistryFixture::authorized(registry.server), 1);
  EXPECT_EQ(RegistryFixture::authorized(storage), 0);
}

TEST(RegistryRedirect, A41ToStorageThatDemandsALoginGetsNone) {
  RegistryFixture registry(true);
  test::ScriptedHttpServer storage;
  const oci::Digest digest = oci::Digest::of("config");
  registry.server.expect("GET", concat("/v2/a/b/blobs/", digest.text()),
                         {.status = 302, .headers = {{"Location", storage.url("/s").text()}}});
  storage.expect("GET", "/s", test::challenge(R"(Basic realm="give me")"));
  EXPECT_FALSE(registry.client.blob(registry.repository(), digest, 50));
  EXPECT_EQ(RegistryFixture::authorized(storage), 0);
}

TEST(RegistryRedirect, NotFoundAtTheStorageIsNotAbsent) {
  RegistryFixture registry;
  test::ScriptedHttpServer storage;
  const oci::Digest digest = oci::Digest::of("config");
  registry.server.expect("GET", concat("/v2/a/b/blobs/", digest.text()),
                         {.status = 302, .headers = {{"Location", storage.url("/s").text()}}});
  storage.expect("GET", "/s", {.status = 404, .body = registry_error("BLOB_UNKNOWN")});
  EXPECT_FALSE(registry.client.blob(registry.repository(), digest, 50));
}

TEST(RegistryRedirect, A43WithoutEndOrToANonsensePlaceIsRefused) {
  const oci::Digest digest = oci::Digest::of("config");
  const std::string path = concat("/v2/a/b/blobs/", digest.text());
  {
    RegistryFixture registry;
    for (int i = 0; i < 6; ++i) registry.server.expect("GET", path, {.status = 302, .headers = {{"Location", path}}});
    EXPECT_EQ(registry.client.blob(registry.repository(), digest, 50).error().code, ErrorCode::integrity);
  }
  for (const char* location : {"//evil.example/x", "file:///etc/passwd", "\\\\evil", "", "http://user@evil.example/"}) {
    RegistryFixture registry;
    registry.server.expect("GET", path, {.status = 302, .headers = {{"Location", location}}});
    EXPECT_FALSE(registry.client.blob(registry.repository(), digest, 50)) << location;
  }
}

}  // namespace
}  // namespace crategate::registry
