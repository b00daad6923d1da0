// Blobs that are cut on their way, in both directions.
#include <gmock/gmock.h>

#include <atomic>

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

TEST(RegistryDownload, B11GoesOnWhereItWasCut) {
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

TEST(RegistryDownload, A45B11ChecksSizeAndDigest) {
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

Reply chunked(const std::string& chunks) {
  return {.raw = concat("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunks), .close = true};
}

TEST(RegistryDownload, ThatLacksNothingButItsEndIsComplete) {
  RegistryFixture registry;
  registry.server.expect("GET", kBlob, chunked(concat("a\r\n", kBytes, "\r\n")));
  Sink sink;
  const auto read = registry.client.read_blob(registry.repository(), kLayer, sink.function());
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(sink.bytes, kBytes);
}

TEST(RegistryDownload, ThatGoesOnAfterItsEndIsRefusedAtOnce) {
  for (const char* chunks : {"b\r\n01234567890\r\n0\r\n\r\n", "a\r\n0123456789\r\n1\r\n0\r\n0\r\n\r\n"}) {
    RegistryFixture registry;
    registry.server.expect("GET", kBlob, chunked(chunks));
    Sink sink;
    const auto read = registry.client.read_blob(registry.repository(), kLayer, sink.function());
    ASSERT_FALSE(read) << chunks;
    EXPECT_EQ(read.error().code, ErrorCode::integrity) << "B11";
    EXPECT_THAT(describe(read.error()), HasSubstr("found more"));
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

TEST(RegistryUpload, IsTriedAgainAsLongAsItGetsAhead) {
  RegistryFixture registry;
  registry.server.expect("HEAD", kBlob, {.status = 404});
  registry.server.expect("POST", kUploads, at(kSession));
  registry.server.expect("PUT", kEnd, {.reset = true});
  for (int last = 1; last <= 7; ++last) {
    registry.server.expect("HEAD", kBlob, {.status = 404});
    registry.server.expect("GET", kSession, {.status = 204, .headers = {{"Range", concat("0-", last)}}});
    registry.server.expect("PATCH", kSession, last < 7 ? Reply{.reset = true} : at(kSession));
  }
  registry.server.expect("PUT", kEnd, {.status = 201});
  Source source;
  const auto put = registry.client.put_blob(registry.repository(), kLayer, source.blob());
  ASSERT_TRUE(put) << describe(put.error());
  EXPECT_EQ(source.opened, (std::vector<std::uint64_t>{0, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(RegistryUpload, MayTakeLongerThanAnOperationBeforeItIsCut) {
  RegistryFixture registry;
  registry.server.expect("HEAD", kBlob, {.status = 404});
  registry.server.expect("POST", kUploads, at(kSession));
  registry.server.expect("PUT", kEnd, {.reset = true});
  registry.server.expect("HEAD", kBlob, {.status = 404});
  registry.server.expect("GET", kSession, {.status = 204, .headers = {{"Range", "0-3"}}});
  registry.server.expect("PATCH", kSession, at(kSession));
  registry.server.expect("PUT", kEnd, {.status = 201});
  Source source;
  BlobSource slow = source.blob();
  slow.open = [&registry, open = slow.open](std::uint64_t offset) -> Result<net::BodySource> {
    CG_TRY(auto bytes, open(offset));
    return net::BodySource([&registry, bytes = std::move(bytes)]() -> Result<std::string> {
      CG_TRY(std::string piece, bytes());
      if (!piece.empty()) registry.clock.advance(std::chrono::minutes(3));
      return piece;
    });
  };
  const auto put = registry.client.put_blob(registry.repository(), kLayer, slow);
  ASSERT_TRUE(put) << describe(put.error());
  EXPECT_EQ(source.opened, (std::vector<std::uint64_t>{0, 4}));
}

/// Takes bodies of at most 512 KiB, and of each upload its first chunk alone; patience ends after 100 requests.
test::Handler forgetful(std::atomic<int>& asked) {
  return {.answer = [&asked](test::ReceivedRequest& request) -> Reply {
    if (++asked > 100) return {.status = 400};
    if (request.body.size() > 512U << 10U) return {.status = 413};
    if (request.method == "POST") return at(kSession);
    const bool first = request.method == "PATCH" && request.header("content-range").starts_with("0-");
    return first ? at(kSession) : Reply{.status = 404, .body = registry_error("BLOB_UPLOAD_UNKNOWN")};
  }};
}

TEST(RegistryUpload, EndsWhereItNeverGetsBeyondItsFirstChunk) {
  RegistryFixture registry;
  std::atomic<int> asked = 0;
  registry.server.serve_with(forgetful(asked));
  const std::string bytes(600U << 10U, 'x');
  const oci::Descriptor large{std::string(oci::kOciLayerGzip), oci::Digest::of(bytes), bytes.size(), {}, std::nullopt};
  const BlobSource source{.open = [&bytes](std::uint64_t offset) -> Result<net::BodySource> {
    return [rest = bytes.substr(offset)]() mutable -> Result<std::string> { return std::exchange(rest, {}); };
  }};
  const auto put = registry.client.put_blob(registry.repository(), large, source);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::not_found) << describe(put.error());
  EXPECT_LT(asked, 50) << "B14";
}

TEST(RegistryUpload, IsLookedForWhereItsEndIsAnsweredOtherwise) {
  for (const int status : {200, 202}) {
    RegistryFixture registry;
    registry.server.expect("HEAD", kBlob, {.status = 404});
    registry.server.expect("POST", kUploads, at(kSession));
    registry.server.expect("PUT", kEnd, {.status = status});
    registry.server.expect("HEAD", kBlob, {.status = 200});
    Source source;
    const auto put = registry.client.put_blob(registry.repository(), kLayer, source.blob());
    ASSERT_TRUE(put) << describe(put.error());
    EXPECT_EQ(*put, BlobArrival::uploaded) << status;
  }
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

TEST(RegistryStream, FromTheRegistryItGoesToIsNotHeldBackByItself) {
  RegistryFixture registry;
  const std::string tags = "/v2/a/b/tags/list", from = concat("/v2/c/d/blobs/", kDigest.text());
  registry.server.expect("HEAD", kBlob, {.status = 404});
  // Another request is told to wait while the upload is about to begin: so its PUT is the next one.
  for (int i = 0; i < 4; ++i) registry.server.expect("GET", tags, {.status = 429, .headers = {{"Retry-After", "1"}}});
  registry.server.expect_with("POST", kUploads, [&](const test::ReceivedRequest&) {
    EXPECT_EQ(registry.client.tags(registry.repository()).error().code, ErrorCode::rate_limited);
    return at(kSession);
  });
  registry.server.expect("PUT", kEnd, {.status = 201});
  registry.server.expect("GET", from, {.body = kBytes});
  const auto source = stream_from(registry.client, registry.repository("c/d"), kLayer);
  const auto put = registry.client.put_blob(registry.repository(), kLayer, source);
  ASSERT_TRUE(put) << describe(put.error());
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
