// Blobs that are cut on their way, in both directions.
#include <gmock/gmock.h>

#include "registry/blob_stream.h"
#include "wire/registry/registry_server.h"

namespace crategate::registry {
namespace {

using test::registry_error;
using test::RegistryFixture;
using test::Reply;
using testing::HasSubstr;

const std::string kBytes = "0123456789";
const oci::Digest kDigest = oci::Digest::of(kBytes);
const std::string kBlob = concat("/v2/a/b/blobs/", kDigest.text());
const std::string kUploads = "/v2/a/b/blobs/uploads/";
const std::string kSession = "/v2/a/b/blobs/uploads/1";
const std::string kEnd = concat(kSession, "?digest=", net::url_encode(kDigest.text()));
const oci::Descriptor kLayer{std::string(oci::kOciLayerGzip), kDigest, kBytes.size(), {}, std::nullopt};

Reply cut(Reply reply, const std::string& length) {
  reply.headers.emplace_back("Content-Length", length);
  reply.close = true;
  return reply;
}

Reply ranged(const std::string& bytes, const std::string& range) {
  return {.status = 206, .headers = {{"Content-Range", range}}, .body = bytes};
}

struct Sink {
  std::string bytes;
  net::BodySink function() {
    return [this](std::string_view more) -> Result<void> {
      bytes += more;
      return {};
    };
  }
};

/// `kBytes` from an offset on; keeps the offsets.
struct Source {
  std::vector<std::uint64_t> opened;
  BlobSource blob() {
    BlobSource made;
    made.open = [this](std::uint64_t offset) -> Result<net::BodySource> {
      opened.push_back(offset);
      return net::BodySource(
          [rest = kBytes.substr(offset)]() mutable -> Result<std::string> { return std::exchange(rest, {}); });
    };
    return made;
  }
};

Reply at(const std::string& location, int status = 202) {
  return {.status = status, .headers = {{"Location", location}}};
}

TEST(RegistryDownload, GoesOnWhereItWasCut) {
  RegistryFixture registry;
  registry.server.expect("GET", kBlob, cut({.body = "0123"}, "10"));
  registry.server.expect("GET", kBlob, ranged("456789", "bytes 4-9/10"));
  Sink sink;
  const auto read = registry.client.read_blob(registry.repository(), kLayer, sink.function());
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_TRUE(*read);
  EXPECT_EQ(sink.bytes, kBytes);
  EXPECT_EQ(registry.server.received().at(0).header("range"), "");
  EXPECT_EQ(registry.server.received().at(1).header("range"), "bytes=4-");
}

TEST(RegistryDownload, LeavesOutWhatItHasWhereTheRegistryKnowsNoRanges) {
  RegistryFixture registry;
  registry.server.expect("GET", kBlob, cut({.body = "0123"}, "10"));
  registry.server.expect("GET", kBlob, {.body = kBytes});
  Sink sink;
  ASSERT_TRUE(registry.client.read_blob(registry.repository(), kLayer, sink.function()));
  EXPECT_EQ(sink.bytes, kBytes);
}

TEST(RegistryDownload, RefusesARangeThatItDidNotAskFor) {
  for (const char* range : {"bytes 3-9/10", "bytes 4-9/11", "bytes x", "4-9/10", ""}) {
    RegistryFixture registry;
    registry.server.expect("GET", kBlob, cut({.body = "0123"}, "10"));
    registry.server.expect("GET", kBlob, ranged("456789", range));
    Sink sink;
    const auto read = registry.client.read_blob(registry.repository(), kLayer, sink.function());
    ASSERT_FALSE(read) << range;
    EXPECT_EQ(read.error().code, ErrorCode::integrity);
    EXPECT_EQ(sink.bytes, "0123");
  }
}

TEST(RegistryDownload, ChecksSizeAndDigest) {
  struct Row {
    std::string body, what;
  };
  for (const Row& row :
       {Row{"0123456780", "another digest"}, Row{"01234567890", "longer"}, Row{"012345678", "shorter"}}) {
    RegistryFixture registry;
    registry.server.expect("GET", kBlob, {.body = row.body});
    Sink sink;
    const auto read = registry.client.read_blob(registry.repository(), kLayer, sink.function());
    ASSERT_FALSE(read) << row.what;
    EXPECT_EQ(read.error().code, ErrorCode::integrity) << row.what;
  }
}

TEST(RegistryDownload, OfAnAbsentBlobGivesNothing) {
  RegistryFixture registry;
  registry.server.expect("GET", kBlob, {.status = 404, .body = registry_error("BLOB_UNKNOWN")});
  Sink sink;
  EXPECT_EQ(registry.client.read_blob(registry.repository(), kLayer, sink.function()).value(), false);
  EXPECT_EQ(sink.bytes, "");
}

TEST(RegistryDownload, EndsWithWhatTheSinkSaid) {
  RegistryFixture registry;
  registry.server.expect("GET", kBlob, {.body = kBytes});
  const auto read = registry.client.read_blob(registry.repository(), kLayer, [](std::string_view) -> Result<void> {
    return fail(ErrorCode::no_space, "the disk is full");
  });
  EXPECT_EQ(read.error().code, ErrorCode::no_space);
}

TEST(RegistryMirror, IsAskedFirstForADigestAndNeverForATag) {
  RegistryFixture registry;
  test::ScriptedHttpServer mirror;
  HttpRegistry client(registry.http, registry.clock, {}, {.mirrors = {{registry.server.host(), {mirror.host()}}}});
  mirror.expect("GET", kBlob, {.body = kBytes});
  Sink sink;
  EXPECT_TRUE(client.read_blob(registry.repository(), kLayer, sink.function()).value());
  EXPECT_EQ(sink.bytes, kBytes);
  registry.server.expect("HEAD", "/v2/a/b/manifests/v1", test::head_reply(test::manifest_bytes()));
  EXPECT_TRUE(client.digest(registry.tag("v1")).value());
}

TEST(RegistryMirror, ThatLacksOrChangesContentIsPassedOver) {
  RegistryFixture registry(true);
  test::ScriptedHttpServer mirror;
  HttpRegistry client(registry.http, registry.clock, {}, {.mirrors = {{registry.server.host(), {mirror.host()}}}});
  mirror.expect("GET", kBlob, {.status = 404});
  registry.server.expect("GET", kBlob, {.body = kBytes});
  Sink sink;
  EXPECT_TRUE(client.read_blob(registry.repository(), kLayer, sink.function()).value());
  const std::string bytes = test::manifest_bytes();
  const std::string path = concat("/v2/a/b/manifests/", oci::Digest::of(bytes).text());
  for (int tries = 0; tries < 2; ++tries)
    mirror.expect("GET", path, test::manifest_reply(test::manifest_bytes("evil")));
  registry.server.expect("GET", path, test::manifest_reply(bytes));
  EXPECT_EQ(client.manifest(registry.by_digest(oci::Digest::of(bytes))).value()->bytes, bytes);
}

TEST(RegistryUpload, SendsTheRestOfWhatWasCut) {
  RegistryFixture registry;
  registry.server.expect("HEAD", kBlob, {.status = 404});
  registry.server.expect("POST", kUploads, at(kSession));
  registry.server.expect("PUT", kEnd, {.reset = true});
  registry.server.expect("HEAD", kBlob, {.status = 404});
  registry.server.expect("GET", kSession, {.status = 204, .headers = {{"Range", "0-3"}}});
  registry.server.expect("PATCH", kSession, at(kSession));
  registry.server.expect("PUT", kEnd, {.status = 201});
  Source source;
  const auto put = registry.client.put_blob(registry.repository(), kLayer, source.blob());
  ASSERT_TRUE(put) << describe(put.error());
  EXPECT_EQ(*put, BlobArrival::uploaded);
  EXPECT_EQ(source.opened, (std::vector<std::uint64_t>{0, 4}));
  const auto patch = registry.server.received().at(4);
  EXPECT_EQ(patch.body, "456789");
  EXPECT_EQ(patch.header("content-range"), "4-9");
  EXPECT_EQ(registry.server.received().at(5).body, "");
}

TEST(RegistryUpload, BeginsAnewWhereTheUploadIsForgotten) {
  RegistryFixture registry;
  registry.server.expect("HEAD", kBlob, {.status = 404});
  registry.server.expect("POST", kUploads, at(kSession));
  registry.server.expect("PUT", kEnd, {.status = 404, .body = registry_error("BLOB_UPLOAD_UNKNOWN")});
  registry.server.expect("GET", kSession, {.status = 404, .body = registry_error("BLOB_UPLOAD_UNKNOWN")});
  registry.server.expect("POST", kUploads, at("/v2/a/b/blobs/uploads/2"));
  registry.server.expect("PUT", concat("/v2/a/b/blobs/uploads/2?digest=", net::url_encode(kDigest.text())),
                         {.status = 201});
  Source source;
  EXPECT_TRUE(registry.client.put_blob(registry.repository(), kLayer, source.blob())) << "B14";
  EXPECT_EQ(source.opened, (std::vector<std::uint64_t>{0, 0}));
}

TEST(RegistryUpload, IsBelievedWhenTheAnswerGotLost) {
  RegistryFixture registry;
  registry.server.expect("HEAD", kBlob, {.status = 404});
  registry.server.expect("POST", kUploads, at(kSession));
  registry.server.expect("PUT", kEnd, {.reset = true});
  registry.server.expect("HEAD", kBlob, {.status = 200});
  Source source;
  EXPECT_EQ(registry.client.put_blob(registry.repository(), kLayer, source.blob()).value(), BlobArrival::uploaded)
      << "B09";
}

TEST(RegistryUpload, GoesInChunksWhereOneBodyIsTooLarge) {
  RegistryFixture registry;
  for (int blob = 0; blob < 2; ++blob) {
    registry.server.expect("HEAD", kBlob, {.status = 404});
    registry.server.expect("POST", kUploads, at(kSession));
    if (blob == 0) {
      registry.server.expect("PUT", kEnd, {.status = 413});
      registry.server.expect("POST", kUploads, at(kSession));
    }
    registry.server.expect("PATCH", kSession, at(kSession));
    registry.server.expect("PUT", kEnd, {.status = 201});
  }
  Source source;
  ASSERT_TRUE(registry.client.put_blob(registry.repository(), kLayer, source.blob()));
  ASSERT_TRUE(registry.client.put_blob(registry.repository(), kLayer, source.blob())) << "learned";
  EXPECT_EQ(source.opened, (std::vector<std::uint64_t>{0, 0, 0}));
}

TEST(RegistryMount, ThatOpensAnUploadInsteadUsesIt) {
  RegistryFixture registry;
  registry.server.expect("POST", concat(kUploads, "?mount=", net::url_encode(kDigest.text()), "&from=c%2Fd"),
                         at(kSession));
  registry.server.expect("HEAD", kBlob, {.status = 404});
  registry.server.expect("PUT", kEnd, {.status = 201});
  Source source;
  BlobSource blob = source.blob();
  blob.mount_from = registry.repository("c/d");
  EXPECT_EQ(registry.client.put_blob(registry.repository(), kLayer, blob).value(), BlobArrival::uploaded);
}

TEST(RegistryMount, IsNotAskedForAgainWhereThereIsNone) {
  RegistryFixture registry;
  registry.server.expect("POST", concat(kUploads, "?mount=", net::url_encode(kDigest.text()), "&from=c%2Fd"),
                         {.status = 405});
  for (int blob = 0; blob < 2; ++blob) registry.server.expect("HEAD", kBlob, {.status = 200});
  Source source;
  BlobSource blob = source.blob();
  blob.mount_from = registry.repository("c/d");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(registry.client.put_blob(registry.repository(), kLayer, blob).value(), BlobArrival::present);
  }
}

TEST(RegistryStream, HoldsBackTheLastBytesOfABlobThatIsNotItsDigest) {
  RegistryFixture from, to;
  from.server.expect("GET", kBlob, {.body = "0123456780"});
  to.server.expect("HEAD", kBlob, {.status = 404});
  to.server.expect("POST", kUploads, at(kSession));
  to.server.serve_with({.answer = [](test::ReceivedRequest&) { return Reply{.status = 201}; }});
  const auto put = to.client.put_blob(to.repository(), kLayer, stream_from(from.client, from.repository(), kLayer));
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::integrity);
}

}  // namespace
}  // namespace crategate::registry
