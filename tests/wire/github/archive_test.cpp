// Archives: from a signed address of a storage, whole or not at all.
#include <gmock/gmock.h>

#include "base/sha256.h"
#include "wire/github/api_server.h"

namespace crategate::github {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::ApiFixture;
using test::kBase;
using test::Reply;
using testing::HasSubstr;
using testing::Not;

const std::string kZip = "/repos/o/r/actions/artifacts/3/zip";
const std::string kBytes = "0123456789";
const std::string kSigned = "/blob?sig=very-secret";

RunArtifact artifact(const std::string& bytes = kBytes) {
  return {.id = 3, .name = "logs", .size = bytes.size(), .digest = oci::Digest::of(bytes)};
}

Reply part(std::size_t from, std::size_t count = 100) {
  const std::string body = kBytes.substr(from, count);
  return {.status = 206,
          .headers = {{"Content-Range", concat("bytes ", from, '-', from + body.size() - 1, "/", kBytes.size())}},
          .body = body};
}

/// A whole answer of which only so many bytes of the body arrive.
Reply cut(std::size_t arriving) {
  return {.headers = {{"Content-Length", concat(kBytes.size())}}, .body = kBytes.substr(0, arriving), .close = true};
}

struct ArchiveFixture : ApiFixture {
  using ApiFixture::ApiFixture;
  void redirect(int status = 302) {
    expect("GET", kZip, {.status = status, .headers = {{"Location", storage.url(kSigned).text()}}});
  }
  void store(Reply reply) { storage.expect("GET", kSigned, std::move(reply)); }
  Result<Downloaded> download(const RunArtifact& wanted = artifact()) {
    auto done = client.artifact_archive(repository(), wanted, [this](std::string_view bytes) -> Result<void> {
      received += bytes;
      return {};
    });
    if (!done) {
      const std::string text = describe(done.error()) + done.error().hint;
      EXPECT_THAT(text, Not(HasSubstr("sig")));
      EXPECT_THAT(text, Not(HasSubstr("sesame")));
    }
    EXPECT_EQ(ApiFixture::authorized(storage), 0);
    return done;
  }
  test::ScriptedHttpServer storage;
  std::string received;
};

TEST(ArtifactArchive, ComesFromTheSignedAddressWithoutTheToken) {
  ArchiveFixture api;
  api.redirect();
  api.store({.headers = {{"Content-Type", "application/zip"}}, .body = kBytes});
  const auto done = api.download();
  ASSERT_TRUE(done) << describe(done.error());
  EXPECT_EQ(api.received, kBytes);
  EXPECT_EQ(done->size, kBytes.size());
  EXPECT_EQ(done->digest, oci::Digest::of(kBytes));
  EXPECT_EQ(done->content_type, "application/zip");
  EXPECT_EQ(ApiFixture::authorized(api.server), 1);
}

TEST(ArtifactArchive, NeedsNoMoreThanItsId) {
  ArchiveFixture api;
  api.redirect();
  api.store({.body = kBytes});
  EXPECT_EQ(api.download({.id = 3})->digest, oci::Digest::of(kBytes));
}

TEST(ArtifactArchive, MayBeEmpty) {
  ArchiveFixture api;
  api.redirect();
  api.store({});
  EXPECT_EQ(api.download(artifact(""))->size, 0U);
}

TEST(ArtifactArchive, A60IsFetchedWithoutTheTokenFromTheSameServer) {
  ArchiveFixture api;
  api.expect("GET", kZip, {.status = 302, .headers = {{"Location", "/blob"}}});
  api.server.expect("GET", "/blob", {.body = kBytes});
  EXPECT_TRUE(api.download());
  EXPECT_EQ(ApiFixture::authorized(api.server), 1);
}

TEST(ArtifactArchive, OfARenamedRepositoryIsAskedForThereFirst) {
  ArchiveFixture api;
  api.expect("GET", kZip, {.status = 301, .headers = {{"Location", kBase + "/repositories/1/zip"}}});
  api.expect("GET", "/repositories/1/zip", {.status = 302, .headers = {{"Location", api.storage.url(kSigned).text()}}});
  api.store({.body = kBytes});
  EXPECT_TRUE(api.download());
  EXPECT_EQ(ApiFixture::authorized(api.server), 2);
}

TEST(ArtifactArchive, FollowsTheStorageOnceMore) {
  ArchiveFixture api;
  test::ScriptedHttpServer far;
  api.redirect(307);
  api.store({.status = 307, .headers = {{"Location", far.url("/b").text()}}, .body = "moved"});
  far.expect("GET", "/b", {.body = kBytes});
  EXPECT_TRUE(api.download());
  EXPECT_EQ(api.received, kBytes);
  EXPECT_EQ(ApiFixture::authorized(far), 0);
}

TEST(ArtifactArchive, A60IsNotFetchedFromANonsensePlace) {
  for (const char* location : {"", "//evil.example/x", "file:///etc/passwd", "ftp://h/x", "http://me:word@h/"}) {
    ArchiveFixture api;
    api.expect("GET", kZip, {.status = 302, .headers = {{"Location", location}}});
    EXPECT_EQ(api.download().error().code, ErrorCode::integrity) << location;
  }
}

TEST(ArtifactArchive, MustBeRedirectedTo) {
  ArchiveFixture api;
  api.expect("GET", kZip, {.body = kBytes});
  EXPECT_EQ(api.download().error().code, ErrorCode::github_api);
  EXPECT_EQ(api.received, "");
}

TEST(ArtifactArchive, ThatHasExpiredIsNotFound) {
  ArchiveFixture api;
  RunArtifact old = artifact();
  old.expired = true;
  EXPECT_EQ(api.download(old).error().code, ErrorCode::not_found);
  api.expect("GET", kZip, {.status = 410, .body = R"({"message":"Artifact has expired"})"});
  const auto done = api.download();
  EXPECT_EQ(done.error().code, ErrorCode::not_found);
  EXPECT_THAT(done.error().message, HasSubstr("Artifact has expired"));
}

struct ContentRow {
  const char* name;
  std::string bytes;
  const char* what;
};

class A66Content : public testing::TestWithParam<ContentRow> {};

TEST_P(A66Content, ThatIsNotWhatWasListedIsRefused) {
  ArchiveFixture api;
  api.redirect();
  api.store({.body = GetParam().bytes});
  const auto done = api.download();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::integrity) << describe(done.error());
  EXPECT_THAT(done.error().message, HasSubstr(GetParam().what));
  EXPECT_LE(api.received.size(), kBytes.size());
  EXPECT_TRUE(api.clock.sleeps().empty());
}

INSTANTIATE_TEST_SUITE_P(Rows, A66Content,
                         testing::Values(ContentRow{"WrongDigest", "012345678x", "its digest"},
                                         ContentRow{"TooShort", "012345678", "its size"},
                                         ContentRow{"TooLong", "0123456789x", "its size"},
                                         ContentRow{"Empty", "", "its size"},
                                         ContentRow{"MuchTooLong", std::string(1U << 20U, 'x'), "its size"}),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(ArtifactArchive, WithADigestThatCannotBeCheckedIsRefused) {
  ArchiveFixture api;
  RunArtifact wanted = artifact();
  wanted.digest = *oci::Digest::parse("sha512:" + std::string(128, 'a'));
  EXPECT_EQ(api.download(wanted).error().code, ErrorCode::integrity);
}

TEST(ArtifactArchive, EndsWithTheErrorOfItsSink) {
  ArchiveFixture api;
  api.redirect();
  api.store({.body = kBytes});
  const auto done = api.client.artifact_archive(ApiFixture::repository(), artifact(), [](std::string_view) {
    return Result<void>(fail(ErrorCode::unavailable, "the disk is away"));
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "the disk is away");
  EXPECT_TRUE(api.clock.sleeps().empty());
}

struct FaultRow {
  const char* name;
  std::vector<Reply> replies;  ///< of the storage, each after a new address
  std::vector<milliseconds> sleeps;
};

class B21Fault : public testing::TestWithParam<FaultRow> {};

TEST_P(B21Fault, OfTheStorageIsOvercome) {
  ArchiveFixture api;
  for (const Reply& reply : GetParam().replies) {
    api.redirect();
    api.store(reply);
  }
  const auto done = api.download();
  ASSERT_TRUE(done) << describe(done.error());
  EXPECT_EQ(api.received, kBytes);
  EXPECT_EQ(api.clock.sleeps(), GetParam().sleeps);
}

const milliseconds kFirst{250};

INSTANTIATE_TEST_SUITE_P(
    Rows, B21Fault,
    testing::Values(
        FaultRow{"AddressExpired", {{.status = 403}, {.body = kBytes}}, {kFirst}},
        FaultRow{"AddressUnknown", {{.status = 404}, {.body = kBytes}}, {kFirst}},
        FaultRow{"TooManyRequests", {{.status = 429}, {.body = kBytes}}, {kFirst}},
        FaultRow{"ServerError", {{.status = 500, .body = "x"}, {.body = kBytes}}, {kFirst}},
        FaultRow{"Unavailable", {{.status = 503, .headers = {{"Retry-After", "3"}}}, {.body = kBytes}}, {seconds(3)}},
        FaultRow{"ResetBeforeAnAnswer", {{.cut_after = 0}, {.body = kBytes}}, {kFirst}},
        FaultRow{"CutBeforeTheFirstByte", {cut(0), {.body = kBytes}}, {kFirst}},
        FaultRow{"CutInTheMiddle", {cut(4), part(4)}, {kFirst}},
        FaultRow{"CutTwice", {cut(4), {.status = 503}, part(4)}, {kFirst, milliseconds(500)}},
        FaultRow{"ExpiredWhileGoingOn", {cut(4), {.status = 403}, part(4)}, {kFirst, milliseconds(500)}},
        FaultRow{"NoRangesButSmall", {cut(4), {.body = kBytes}}, {kFirst}}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(ArtifactArchive, GoesOnInPiecesFromOneAddress) {
  ArchiveFixture api;
  api.redirect();
  api.store(cut(4));
  api.redirect();
  api.store(part(4, 3));
  api.store(part(7));
  EXPECT_TRUE(api.download());
  EXPECT_EQ(api.received, kBytes);
  const auto asked = api.storage.received();
  EXPECT_EQ(asked.at(0).header("range"), "");
  EXPECT_EQ(asked.at(1).header("range"), "bytes=4-4194307");
  EXPECT_EQ(asked.at(2).header("range"), "bytes=7-4194310");
}

struct BrokenRow {
  const char* name;
  Reply second;
  ErrorCode code;
};

class BrokenContinuation : public testing::TestWithParam<BrokenRow> {};

TEST_P(BrokenContinuation, IsRefused) {
  ArchiveFixture api;
  api.redirect();
  api.store(cut(4));
  api.redirect();
  api.store(GetParam().second);
  const auto done = api.download();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, GetParam().code) << describe(done.error());
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BrokenContinuation,
    testing::Values(
        BrokenRow{"OtherBytes",
                  {.status = 206, .headers = {{"Content-Range", "bytes 4-9/10"}}, .body = "45678x"},
                  ErrorCode::integrity},
        BrokenRow{"WrongPlace",
                  {.status = 206, .headers = {{"Content-Range", "bytes 3-8/10"}}, .body = "456789"},
                  ErrorCode::integrity},
        BrokenRow{"NoPlace", {.status = 206, .body = "456789"}, ErrorCode::integrity},
        BrokenRow{"NoTotal",
                  {.status = 206, .headers = {{"Content-Range", "bytes 4-9/*"}}, .body = "456789"},
                  ErrorCode::integrity},
        BrokenRow{"MoreThanTheTotal",
                  {.status = 206, .headers = {{"Content-Range", "bytes 4-9/8"}}, .body = "456789"},
                  ErrorCode::integrity},
        BrokenRow{"NothingMore", {.status = 206, .headers = {{"Content-Range", "bytes 4-3/10"}}}, ErrorCode::integrity},
        BrokenRow{"TooLong",
                  {.status = 206, .headers = {{"Content-Range", "bytes 4-10/11"}}, .body = "456789x"},
                  ErrorCode::integrity},
        BrokenRow{"ShorterThanBefore", {.body = "01"}, ErrorCode::integrity},
        BrokenRow{"AllOfSomethingLarge", {.body = std::string((4U << 20U) + 1, 'x')}, ErrorCode::integrity},
        BrokenRow{"RangeNotSatisfiable", {.status = 416}, ErrorCode::github_api}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(ArtifactArchive, WithoutADigestIsNotPutTogetherFromParts) {
  ArchiveFixture api;
  api.redirect();
  api.store(cut(4));
  const auto done = api.download({.id = 3});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::integrity);
  EXPECT_TRUE(api.clock.sleeps().empty());
}

TEST(ArtifactArchive, IsGivenUpWhenTheStorageStaysSilent) {
  ArchiveFixture api;
  for (int i = 0; i < 6; ++i) {
    api.redirect();
    api.store({.status = 403, .body = "<Error>AuthenticationFailed</Error>"});
  }
  const auto done = api.download();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::unavailable);
  EXPECT_THAT(describe(done.error()), HasSubstr("download artifact 3 of o/r"));
  EXPECT_THAT(describe(done.error()), HasSubstr("403"));
}

TEST(ArtifactArchive, HasNewPatienceWheneverItGetsAhead) {
  Options options;
  options.patience = seconds(1);
  options.retry = {.tries = 2, .first = seconds(1), .longest = seconds(1)};
  ArchiveFixture api(test::kToken, options);
  api.redirect();
  api.store(cut(1));
  for (std::size_t at = 1; at < kBytes.size(); ++at) {
    api.redirect();
    api.store(part(at, 1));
    if (at + 1 < kBytes.size()) api.store({.status = 503});
  }
  const auto done = api.download();
  ASSERT_TRUE(done) << describe(done.error());
  EXPECT_EQ(api.received, kBytes);
}

}  // namespace
}  // namespace crategate::github
