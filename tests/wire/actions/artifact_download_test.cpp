// Reading: lists, whole artifacts in spite of cuts, tails; what is not what was promised.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/actions/artifact_fixture.h"

namespace crategate::actions {
namespace {

using test::ArtifactFixture;
using test::ArtifactService;
using test::Ask;
using test::content_of;
using test::Fault;
using testing::HasSubstr;

Artifact listed(ArtifactFixture& artifacts, const std::string& name) {
  return artifacts.store.list(name).value().at(0);
}

TEST(ArtifactList, HasTheNewestFirstAndOnlyThatName) {
  ArtifactFixture artifacts;
  for (const char* name : {"a", "b", "ab"}) artifacts.service.add(name, "bytes", "job-1");
  artifacts.service.add("unfinished", "", "job-1", false);
  const auto all = artifacts.store.list(std::nullopt);
  ASSERT_TRUE(all) << describe(all.error());
  ASSERT_EQ(all->size(), 3u);
  EXPECT_EQ(all->front().name, "ab");
  EXPECT_EQ(all->back().name, "a");
  EXPECT_EQ(listed(artifacts, "b"), (Artifact{.name = "b",
                                              .id = 43,
                                              .size = 5,
                                              .digest = test::digest_of("bytes"),
                                              .created_at = "2026-11-20T08:00:00Z",
                                              .run_backend_id = "run-1",
                                              .job_backend_id = "job-1"}));
  EXPECT_TRUE(artifacts.store.list("c").value().empty());
}

TEST(ArtifactDownload, BringsTheBytesOfAnyJobOfTheRunAndSaysWhatWasChecked) {
  for (const std::size_t size : {0, 1, 300'000}) {
    ArtifactFixture artifacts;
    artifacts.service.add("a", content_of(size), "job-1");
    std::string received;
    const auto done = artifacts.store.download(listed(artifacts, "a"), [&](std::string_view bytes) -> Result<void> {
      received += bytes;
      return {};
    });
    ASSERT_TRUE(done) << describe(done.error());
    EXPECT_EQ(received, content_of(size));
    EXPECT_EQ(done->digest, test::digest_of(received));
    EXPECT_TRUE(done->digest_checked);
    EXPECT_EQ(done->content_type, "application/zip");
    EXPECT_TRUE(artifacts.service.complaints().empty());
  }
}

TEST(ArtifactDownload, GoesOnWhereItWasCut) {
  ArtifactFixture artifacts;
  const std::string bytes = content_of(1'000'000);
  artifacts.service.add("a", bytes, "job-1");
  artifacts.service.inject(Ask::get_blob, {.kind = Fault::Kind::truncated}, 3);
  artifacts.service.inject(Ask::get_blob, {.status = 503}, 2);
  const auto received = artifacts.download(listed(artifacts, "a"));
  ASSERT_TRUE(received) << describe(received.error());
  EXPECT_EQ(*received, bytes);
  EXPECT_EQ(artifacts.service.count(Ask::get_blob), 6);
  EXPECT_EQ(artifacts.service.count(Ask::get_signed), 1);
}

/// B21: the address expires between two tries.
TEST(ArtifactDownload, AsksForANewAddressWhenItsOwnExpiresB21) {
  ArtifactFixture artifacts;
  const std::string bytes = content_of(1'000'000);
  artifacts.service.add("a", bytes, "job-1");
  artifacts.service.inject(Ask::get_blob, {.kind = Fault::Kind::truncated});
  const Artifact artifact = listed(artifacts, "a");
  std::string received;
  const auto done = artifacts.store.download(artifact, [&](std::string_view more) -> Result<void> {
    if (received.empty()) artifacts.service.expire_addresses();
    received += more;
    return {};
  });
  ASSERT_TRUE(done) << describe(done.error());
  EXPECT_EQ(received, bytes);
  EXPECT_EQ(artifacts.service.count(Ask::get_signed), 2);
}

TEST(ArtifactDownload, SkipsWhatItHasWhenTheStorageBeginsAnew) {
  ArtifactFixture artifacts;
  const std::string bytes = content_of(400'000);
  artifacts.service.add("a", bytes, "job-1");
  artifacts.service.ignore_ranges();
  artifacts.service.inject(Ask::get_blob, {.kind = Fault::Kind::truncated});
  const auto received = artifacts.download(listed(artifacts, "a"));
  ASSERT_TRUE(received) << describe(received.error());
  EXPECT_EQ(*received, bytes);
  // Without a digest nobody could tell whether both halves are of the same content.
  artifacts.service.inject(Ask::get_blob, {.kind = Fault::Kind::truncated});
  Artifact unknown = listed(artifacts, "a");
  unknown.digest.clear();
  const auto refused = artifacts.download(unknown);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::integrity);
}

TEST(ArtifactDownload, EndsWhenTheContentIsReplacedMeanwhile) {
  ArtifactFixture artifacts;
  artifacts.service.add("a", content_of(400'000), "job-1");
  artifacts.service.inject(Ask::get_blob, {.kind = Fault::Kind::truncated});
  artifacts.service.inject(Ask::get_blob, {.status = 412});
  const auto refused = artifacts.download(listed(artifacts, "a"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::integrity);
  EXPECT_THAT(describe(refused.error()), HasSubstr("other content"));
}

/// A66: a body that is not what the API's digest promises is refused, and so is one of another length.
TEST(ArtifactDownload, RefusesOtherBytesThanItsDigestA66) {
  struct Row {
    const char* name;
    std::string digest;
    std::optional<std::uint64_t> size;
  };
  const std::string bytes = "the bytes";
  const Row rows[] = {{"another digest", test::digest_of("other bytes"), 9},
                      {"a digest that is none", "sha256:", 9},
                      {"another algorithm", "md5:d41d8cd98f00b204e9800998ecf8427e", 9},
                      {"fewer bytes", test::digest_of(bytes), 8},
                      {"no byte", test::digest_of(bytes), 0},
                      {"more bytes", test::digest_of(bytes), 10}};
  for (const Row& row : rows) {
    ArtifactFixture artifacts;
    artifacts.service.add("a", bytes, "job-1");
    Artifact artifact = listed(artifacts, "a");
    artifact.digest = row.digest;
    artifact.size = row.size;
    const auto refused = artifacts.download(artifact);
    ASSERT_FALSE(refused) << row.name;
    EXPECT_EQ(refused.error().code, ErrorCode::integrity) << row.name;
    EXPECT_EQ(exit_code(refused.error().code), 25);
    EXPECT_THAT(describe(refused.error()), HasSubstr("\"a\"")) << row.name;
  }
}

TEST(ArtifactDownload, StopsWhenTheSinkDoes) {
  ArtifactFixture artifacts;
  artifacts.service.add("a", content_of(400'000), "job-1");
  const auto stopped = artifacts.store.download(listed(artifacts, "a"), [](std::string_view) -> Result<void> {
    return fail(ErrorCode::no_space, "the disk is full");
  });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::no_space);
  EXPECT_EQ(artifacts.service.count(Ask::get_blob), 1);
}

TEST(ArtifactDownload, OfAnArtifactThatIsGoneSaysSo) {
  ArtifactFixture artifacts;
  artifacts.service.add("a", "bytes", "job-1");
  const Artifact artifact = listed(artifacts, "a");
  ASSERT_TRUE(artifacts.store.remove("a").value());
  const auto gone = artifacts.download(artifact);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ErrorCode::artifact_service);
  EXPECT_EQ(gone.error().http->status, 404);
}

TEST(ArtifactTail, IsTheLastBytesAlsoWhereRangesAreUnknown) {
  const std::string bytes = content_of(200'000);
  for (const bool ranges : {true, false}) {
    ArtifactFixture artifacts;
    artifacts.service.add("a", bytes, "job-1");
    artifacts.service.add("short", "abc", "job-1");
    artifacts.service.add("empty", "", "job-1");
    if (!ranges) artifacts.service.ignore_ranges();
    EXPECT_EQ(artifacts.store.read_tail(listed(artifacts, "a"), 100).value(), bytes.substr(bytes.size() - 100));
    EXPECT_EQ(artifacts.store.read_tail(listed(artifacts, "short"), 100).value(), "abc");
    EXPECT_EQ(artifacts.store.read_tail(listed(artifacts, "empty"), 100).value(), "");
  }
}

TEST(ArtifactRemoval, SaysWhetherThereWasAny) {
  ArtifactFixture artifacts;
  artifacts.service.add("a", "bytes", "job-1");
  EXPECT_TRUE(artifacts.store.remove("a").value());
  EXPECT_FALSE(artifacts.store.remove("a").value());
  EXPECT_FALSE(artifacts.store.remove("a/b"));
}

// --- the local runner's service ---

TEST(ArtifactOfAct, TravelsInOrderWithoutTypeAndBack) {
  ArtifactFixture artifacts(ArtifactService::Rules::act);
  const auto none = artifacts.store.list("a");
  ASSERT_TRUE(none) << "before the first upload: " << describe(none.error());
  EXPECT_TRUE(none->empty());
  const std::string bytes = content_of(7300);
  const auto uploaded = artifacts.upload("a b", bytes);
  ASSERT_TRUE(uploaded) << describe(uploaded.error());
  EXPECT_EQ(artifacts.service.most_at_a_time(), 1u);
  EXPECT_EQ(artifacts.finished("a b")->bytes, bytes);
  const Artifact entry = listed(artifacts, "a b");
  EXPECT_EQ(entry.size, std::nullopt);
  EXPECT_EQ(entry.digest, "");
  EXPECT_EQ(artifacts.download(entry).value(), bytes);
  EXPECT_EQ(artifacts.store.read_tail(entry, 10).value(), bytes.substr(bytes.size() - 10));
  EXPECT_TRUE(artifacts.store.remove("a b").value());
  EXPECT_TRUE(artifacts.service.complaints().empty());
}

TEST(ArtifactOfAct, IsSentAnewAsAWholeWhenABlockMayHaveArrived) {
  for (const Fault::Kind kind : {Fault::Kind::lost_answer, Fault::Kind::reset, Fault::Kind::truncated}) {
    ArtifactFixture artifacts(ArtifactService::Rules::act);
    artifacts.service.inject(Ask::put_block, {.kind = kind});
    const std::string bytes = content_of(3300);
    const auto uploaded = artifacts.upload("a", bytes);
    ASSERT_TRUE(uploaded) << describe(uploaded.error());
    EXPECT_EQ(artifacts.finished("a")->bytes, bytes);
  }
}

TEST(ArtifactOfAct, AListThatNobodyCanAnswerIsAnError) {
  ArtifactFixture artifacts(ArtifactService::Rules::act);
  artifacts.http.refuse("", 1000);
  const auto unknown = artifacts.store.list("a");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::artifact_service);
}

}  // namespace
}  // namespace crategate::actions
