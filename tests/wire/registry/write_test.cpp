#include <gmock/gmock.h>

#include "wire/registry/registry_server.h"

namespace crategate::registry {
namespace {

using test::challenge;
using test::head_reply;
using test::manifest_bytes;
using test::manifest_reply;
using test::registry_error;
using test::RegistryFixture;
using test::Reply;
using testing::HasSubstr;

const std::string kUploads = "/v2/a/b/blobs/uploads/";
const oci::Digest kDigest = oci::Digest::of("layer bytes");
const std::string kBlob = concat("/v2/a/b/blobs/", kDigest.text());
const std::string kQuery = concat("digest=", net::url_encode(kDigest.text()));
const oci::Descriptor kLayer{std::string(oci::kOciLayerGzip), kDigest, 11, {}, std::nullopt};

/// Opens the blob anew for each try and counts.
struct Opener {
  int opened = 0;
  BlobSource source() {
    BlobSource made;
    made.open = [this](std::uint64_t) -> Result<net::BodySource> {
      ++opened;
      return net::BodySource([given = false]() mutable -> Result<std::string> {
        return std::exchange(given, true) ? std::string() : std::string("layer bytes");
      });
    };
    return made;
  }
};

Reply started(const std::string& location) { return {.status = 202, .headers = {{"Location", location}}}; }

TEST(RegistryUpload, SendsTheBlobOnceToTheLocationItWasGiven) {
  RegistryFixture registry;
  registry.server.expect("HEAD", kBlob, {.status = 404});
  registry.server.expect("POST", kUploads, started("/v2/a/b/blobs/uploads/1?_state=x"));
  registry.server.expect("PUT", concat("/v2/a/b/blobs/uploads/1?_state=x&", kQuery), {.status = 201});
  Opener opener;
  const auto put = registry.client.put_blob(registry.repository(), kLayer, opener.source());
  ASSERT_TRUE(put) << describe(put.error());
  EXPECT_EQ(opener.opened, 1);
  const auto upload = registry.server.received().back();
  EXPECT_EQ(upload.body, "layer bytes");
  EXPECT_EQ(upload.header("content-type"), "application/octet-stream");
  EXPECT_EQ(upload.header("content-length"), "11");
}

TEST(RegistryUpload, IsNotRepeatedWhenTheBlobIsThere) {
  RegistryFixture registry;
  registry.server.expect("HEAD", kBlob, {.status = 200});
  Opener opener;
  EXPECT_TRUE(registry.client.put_blob(registry.repository(), kLayer, opener.source()));
  EXPECT_EQ(opener.opened, 0);
}

TEST(RegistryUpload, A44GivesALocationOnAnotherHostTheBytesButNotTheLogin) {
  RegistryFixture registry(true);
  test::ScriptedHttpServer storage;
  registry.server.expect("HEAD", kBlob, challenge(R"(Basic realm="x")"));
  registry.server.expect("HEAD", kBlob, {.status = 404});
  registry.server.expect("POST", kUploads, started(storage.url("/put").text()));
  storage.expect("PUT", concat("/put?", kQuery), {.status = 201});
  Opener opener;
  ASSERT_TRUE(registry.client.put_blob(registry.repository(), kLayer, opener.source()));
  EXPECT_EQ(RegistryFixture::authorized(storage), 0);
  EXPECT_EQ(storage.received().at(0).body, "layer bytes");
}

TEST(RegistryUpload, A43RefusesALocationThatMakesNoSense) {
  for (const char* location : {"//evil.example/x", "file:///x", "http://user@evil.example/"}) {
    RegistryFixture registry;
    registry.server.expect("HEAD", kBlob, {.status = 404});
    registry.server.expect("POST", kUploads, started(location));
    Opener opener;
    EXPECT_FALSE(registry.client.put_blob(registry.repository(), kLayer, opener.source())) << location;
    EXPECT_EQ(opener.opened, 0);
  }
}

TEST(RegistryUpload, B08SeesThatItSucceededAllTheSame) {
  RegistryFixture registry;
  registry.server.expect("HEAD", kBlob, {.status = 404});
  registry.server.expect("POST", kUploads, started("/v2/a/b/blobs/uploads/1"));
  registry.server.expect("PUT", concat("/v2/a/b/blobs/uploads/1?", kQuery), {.status = 503});
  registry.server.expect("HEAD", kBlob, {.status = 200});
  Opener opener;
  EXPECT_TRUE(registry.client.put_blob(registry.repository(), kLayer, opener.source()));
  EXPECT_EQ(opener.opened, 1);
}

TEST(RegistryUpload, B08GivesUpAfterFourTries) {
  RegistryFixture registry;
  for (int i = 0; i < 4; ++i) registry.server.expect("HEAD", kBlob, {.status = 503});
  Opener opener;
  const auto put = registry.client.put_blob(registry.repository(), kLayer, opener.source());
  EXPECT_EQ(put.error().code, ErrorCode::unavailable);
  EXPECT_THAT(describe(put.error()), HasSubstr(kDigest.text()));
}

TEST(RegistryUpload, PassesOnThatTheSourceFailed) {
  RegistryFixture registry;
  registry.server.expect("HEAD", kBlob, {.status = 404});
  registry.server.expect("POST", kUploads, started("/v2/a/b/blobs/uploads/1"));
  const auto put = registry.client.put_blob(registry.repository(), kLayer,
                                            {std::nullopt, [](std::uint64_t) -> Result<net::BodySource> {
                                               return fail(ErrorCode::integrity, "changed on disk");
                                             }});
  EXPECT_EQ(put.error().code, ErrorCode::integrity);
}

TEST(RegistryMount, AsksForBothRepositoriesAndSaysWhetherItWorked) {
  RegistryFixture registry(true);
  const std::string target = concat(kUploads, "?mount=", net::url_encode(kDigest.text()), "&from=c%2Fd");
  const std::string realm = concat("Bearer realm=\"", registry.server.url("/token").text(), "\"");
  registry.server.expect("POST", target, challenge(realm));
  registry.server.expect("GET", "/token?scope=repository%3Aa%2Fb%3Apull%2Cpush&scope=repository%3Ac%2Fd%3Apull",
                         {.body = R"({"token":"mount-token","expires_in":300})"});
  registry.server.expect("POST", target, {.status = 201});
  registry.server.expect("POST", target, started("/v2/a/b/blobs/uploads/1"));
  const auto mount = [&] {
    return registry.client.put_blob(registry.repository(), kLayer, {registry.repository("c/d"), {}});
  };
  EXPECT_EQ(mount().value(), BlobArrival::mounted);
  EXPECT_EQ(mount().value(), BlobArrival::not_mounted);
}

const std::string kTag = "/v2/a/b/manifests/v1";

TEST(RegistryPut, ReadsBackWhatItWrote) {
  RegistryFixture registry;
  registry.server.expect("PUT", kTag, {.status = 201});
  registry.server.expect("HEAD", kTag, head_reply(manifest_bytes()));
  const auto put = registry.client.put_manifest(registry.tag("v1"), manifest_bytes(), oci::kOciManifest);
  ASSERT_TRUE(put) << describe(put.error());
  EXPECT_EQ(*put, oci::Digest::of(manifest_bytes()));
  EXPECT_EQ(registry.server.received().at(0).body, manifest_bytes());
  EXPECT_EQ(registry.server.received().at(0).header("content-type"), oci::kOciManifest);
}

TEST(RegistryPut, A53ThatDidNotMoveTheTagIsAnIntegrityErrorAfterAWhile) {
  RegistryFixture registry;
  registry.server.expect("PUT", kTag, {.status = 201});
  registry.server.serve_with({.answer = [](test::ReceivedRequest&) { return head_reply(manifest_bytes("old")); }});
  EXPECT_EQ(registry.client.put_manifest(registry.tag("v1"), manifest_bytes(), oci::kOciManifest).error().code,
            ErrorCode::integrity);
}

TEST(RegistryPointTag, IsNotRepeatedOverWhatSomebodyElseWroteMeanwhile) {
  RegistryFixture registry;
  registry.server.expect("PUT", kTag, {.status = 503});
  registry.server.expect("HEAD", kTag, head_reply(manifest_bytes("theirs")));
  const auto pointed = registry.client.point_tag(registry.tag("v1"), oci::Digest::of(manifest_bytes("old")),
                                                 manifest_bytes(), oci::kOciManifest);
  ASSERT_FALSE(pointed);
  EXPECT_EQ(pointed.error().code, ErrorCode::conflict) << describe(pointed.error());
  EXPECT_TRUE(pointed.error().unsettled) << "the first may still arrive";
}

TEST(RegistryPointTag, B09SaysWhenATryBeforeTheRefusedOneMayStillArrive) {
  for (const bool unanswered : {true, false}) {
    RegistryFixture registry;
    if (unanswered) {
      registry.server.expect("PUT", kTag, {.status = 503});
      registry.server.expect("HEAD", kTag, head_reply(manifest_bytes("old")));
    }
    registry.server.expect("PUT", kTag, {.status = 403, .body = registry_error("DENIED")});
    const auto pointed = registry.client.point_tag(registry.tag("v1"), oci::Digest::of(manifest_bytes("old")),
                                                   manifest_bytes(), oci::kOciManifest);
    ASSERT_FALSE(pointed);
    EXPECT_EQ(pointed.error().code, ErrorCode::forbidden);
    EXPECT_EQ(pointed.error().unsettled, unanswered);
  }
}

TEST(RegistryPointTag, IsRepeatedWhileTheTagNamesWhatItNamed) {
  RegistryFixture registry;
  registry.server.expect("PUT", kTag, {.status = 503});
  registry.server.expect("HEAD", kTag, head_reply(manifest_bytes("old")));
  registry.server.expect("PUT", kTag, {.status = 201});
  const auto pointed = registry.client.point_tag(registry.tag("v1"), oci::Digest::of(manifest_bytes("old")),
                                                 manifest_bytes(), oci::kOciManifest);
  EXPECT_TRUE(pointed) << describe(pointed.error());
}

TEST(RegistryPut, B05WaitsForAMachineThatStillServesWhatWasThereBefore) {
  RegistryFixture registry;
  registry.server.expect("PUT", kTag, {.status = 201});
  for (int i = 0; i < 3; ++i) registry.server.expect("HEAD", kTag, head_reply(manifest_bytes("old")));
  registry.server.expect("HEAD", kTag, head_reply(manifest_bytes()));
  EXPECT_TRUE(registry.client.put_manifest(registry.tag("v1"), manifest_bytes(), oci::kOciManifest)) << "B05";
}

TEST(RegistryPut, B05WaitsALittleForARegistryThatLags) {
  RegistryFixture registry;
  registry.server.expect("PUT", kTag, {.status = 201});
  registry.server.expect("HEAD", kTag, {.status = 404});
  registry.server.expect("GET", kTag, {.status = 404, .body = registry_error("MANIFEST_UNKNOWN")});
  registry.server.expect("HEAD", kTag, head_reply(manifest_bytes()));
  EXPECT_TRUE(registry.client.put_manifest(registry.tag("v1"), manifest_bytes(), oci::kOciManifest));
  EXPECT_EQ(registry.clock.sleeps().size(), 1U);
}

struct PutRow {
  const char* name;
  Reply reply;
  ErrorCode code;
};

class RegistryPutRefused : public testing::TestWithParam<PutRow> {};

TEST_P(RegistryPutRefused, B03B06IsReportedAtOnce) {
  RegistryFixture registry;
  registry.server.expect("PUT", kTag, GetParam().reply);
  const auto put = registry.client.put_manifest(registry.tag("v1"), manifest_bytes(), oci::kOciManifest);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, GetParam().code);
  EXPECT_EQ(registry.server.received().size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, RegistryPutRefused,
    testing::Values(
        PutRow{"Forbidden", {.status = 403, .body = registry_error("DENIED")}, ErrorCode::forbidden},
        PutRow{"Immutable", {.status = 409}, ErrorCode::conflict},
        PutRow{"MissingBlob", {.status = 404, .body = registry_error("MANIFEST_BLOB_UNKNOWN")}, ErrorCode::integrity},
        PutRow{"Redirect", {.status = 307, .headers = {{"Location", "/elsewhere"}}}, ErrorCode::unavailable},
        PutRow{"AskedToWaitADay", {.status = 429, .headers = {{"Retry-After", "86400"}}}, ErrorCode::rate_limited}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(RegistryPut, B15RefusesBytesThatAreNotTheDigestOrTooManyBeforeSendingThem) {
  RegistryFixture registry;
  EXPECT_EQ(registry.client.put_manifest(registry.by_digest(kDigest), manifest_bytes(), oci::kOciManifest).error().code,
            ErrorCode::integrity);
  EXPECT_EQ(registry.client.put_manifest(registry.tag("v1"), std::string((4U << 20U) + 1, ' '), oci::kOciManifest)
                .error()
                .code,
            ErrorCode::bad_input);
  EXPECT_TRUE(registry.server.received().empty());
}

TEST(RegistryPut, A53IsBelievedByWhatIsServedNotByTheStatus) {
  for (const int status : {200, 202}) {
    RegistryFixture registry;
    registry.server.expect("PUT", kTag, {.status = status});
    registry.server.expect("HEAD", kTag, head_reply(manifest_bytes()));
    EXPECT_TRUE(registry.client.put_manifest(registry.tag("v1"), manifest_bytes(), oci::kOciManifest)) << status;
  }
}

TEST(RegistryRetry, B06WaitsAsLongAsItIsAskedTo) {
  RegistryFixture registry;
  registry.server.expect("PUT", kTag, {.status = 429, .headers = {{"Retry-After", "7"}}});
  registry.server.expect("PUT", kTag, {.status = 201});
  registry.server.expect("HEAD", kTag, {.status = 502});
  registry.server.expect("HEAD", kTag, head_reply(manifest_bytes()));
  EXPECT_TRUE(registry.client.put_manifest(registry.tag("v1"), manifest_bytes(), oci::kOciManifest));
  EXPECT_EQ(registry.clock.sleeps().at(0), std::chrono::seconds(7));
}

TEST(RegistryRetry, B08EndsAfterFourTries) {
  RegistryFixture registry;
  for (int i = 0; i < 4; ++i) registry.server.expect("GET", kTag, {.status = 500});
  EXPECT_EQ(registry.client.manifest(registry.tag("v1")).error().code, ErrorCode::unavailable);
}

TEST(RegistryRetry, B09OvercomesAConnectionThatIsCut) {
  RegistryFixture registry;
  registry.server.expect("GET", "/v2/a/b/manifests/first", {.status = 404, .body = registry_error("MANIFEST_UNKNOWN")});
  ASSERT_TRUE(registry.client.manifest(registry.tag("first")));
  registry.server.expect_with("GET", kTag,
                              [](const auto&) { return Reply{.raw = "HTTP/1.1 200 OK\r\n", .close = true}; });
  registry.server.expect("GET", kTag, manifest_reply(manifest_bytes()));
  const auto read = registry.client.manifest(registry.tag("v1"));
  EXPECT_TRUE(read) << describe(read.error());
}

}  // namespace
}  // namespace crategate::registry
