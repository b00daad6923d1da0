// Uploads: blocks, order, names that are taken.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/peak_memory.h"
#include "sys/cancel.h"
#include "wire/actions/artifact_fixture.h"

namespace crategate::actions {
namespace {

using test::ArtifactFixture;
using test::ArtifactService;
using test::Ask;
using test::content_of;
using test::digest_of;
using test::Fault;
using test::produce;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(ArtifactUpload, StoresTheSameBytesWhateverTheirNumber) {
  for (const std::size_t size : {0, 1, 699, 1000, 1001, 2000, 12345}) {
    ArtifactFixture artifacts;
    const std::string bytes = content_of(size);
    const auto uploaded = artifacts.upload("logs of ä", bytes);
    ASSERT_TRUE(uploaded) << size << ": " << describe(uploaded.error());
    EXPECT_EQ(uploaded->size, size);
    EXPECT_EQ(uploaded->digest, digest_of(bytes));
    EXPECT_EQ(uploaded->job_backend_id, "job-2");
    const auto stored = artifacts.finished("logs of ä");
    ASSERT_TRUE(stored);
    EXPECT_EQ(stored->bytes, bytes) << size;
    EXPECT_EQ(stored->id, uploaded->id);
    EXPECT_EQ(stored->mime_type, "application/zip");
    EXPECT_THAT(artifacts.service.complaints(), IsEmpty());
  }
}

TEST(ArtifactUpload, SendsSmallContentInFourRequestsOfOneConnection) {
  ArtifactFixture artifacts;
  ASSERT_TRUE(artifacts.upload("small", "bytes"));
  for (const Ask ask : {Ask::create, Ask::put_block, Ask::put_block_list, Ask::finalize})
    EXPECT_EQ(artifacts.service.count(ask), 1);
  EXPECT_EQ(artifacts.service.connections(), 1);
}

TEST(ArtifactUpload, HasNoMoreBlocksOnTheirWayThanAllowed) {
  ServiceLimits limits = test::small_limits();
  limits.blocks.parallel = 3;
  ArtifactFixture artifacts(ArtifactService::Rules::service, limits);
  const std::string bytes = content_of(60'500);
  ASSERT_TRUE(artifacts.upload("a", bytes));
  EXPECT_EQ(artifacts.service.count(Ask::put_block), 61);
  EXPECT_LE(artifacts.service.most_at_a_time(), 3u);
  EXPECT_LE(artifacts.service.connections(), 4);
  EXPECT_EQ(artifacts.finished("a")->bytes, bytes);
}

TEST(ArtifactUpload, AsksForTheTypeAndTheDaysThatAreAllowed) {
  ArtifactFixture artifacts;
  ASSERT_TRUE(artifacts.store.upload(
      {.name = "short", .content = produce("a"), .retention_days = 2, .mime_type = "text/plain"}));
  ASSERT_TRUE(artifacts.store.upload({.name = "long", .content = produce("a"), .retention_days = 400}));
  ASSERT_TRUE(artifacts.store.upload({.name = "none", .content = produce("a"), .retention_days = 0}));
  EXPECT_EQ(artifacts.finished("short")->expires_at, "2026-11-22T09:29:18Z");
  EXPECT_EQ(artifacts.finished("short")->mime_type, "text/plain");
  EXPECT_EQ(artifacts.finished("long")->expires_at, "2026-12-20T09:29:18Z") << "GITHUB_RETENTION_DAYS is 30";
  EXPECT_EQ(artifacts.finished("none")->expires_at, "");
}

TEST(ArtifactUpload, RefusesABadNameBeforeItAsksAnybody) {
  ArtifactFixture artifacts;
  const auto refused = artifacts.upload("a/b", "bytes");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::bad_input);
  EXPECT_EQ(artifacts.service.count(Ask::create), 0);
}

TEST(ArtifactUpload, GivesTheNameBackWhenTheContentFails) {
  ArtifactFixture artifacts;
  const auto failed = artifacts.store.upload({.name = "a", .content = [](const net::BodySink& sink) -> Result<void> {
                                                CG_CHECK(sink(content_of(5000)));
                                                return fail(ErrorCode::no_space, "the disk is full");
                                              }});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::no_space);
  EXPECT_THAT(artifacts.service.stored(), IsEmpty());
  EXPECT_TRUE(artifacts.upload("a", "bytes"));
}

TEST(ArtifactUpload, StopsProducingOnceABlockWasRefused) {
  ArtifactFixture artifacts;
  artifacts.service.inject(Ask::put_block, {.status = 400}, 1000);
  int pieces = 0;
  const auto failed = artifacts.store.upload({.name = "a", .content = [&](const net::BodySink& sink) -> Result<void> {
                                                for (; pieces < 100'000; ++pieces) CG_CHECK(sink(content_of(500)));
                                                return {};
                                              }});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::artifact_service);
  EXPECT_LT(pieces, 1000);
}

#if !defined(__SANITIZE_THREAD__)  // it does not let a copy of a process with threads start threads
TEST(ArtifactMemory, StaysSmallWhateverTheSize) {
  constexpr std::size_t kSize = 96u << 20, kPiece = 1u << 20;
  ServiceLimits limits;
  ArtifactFixture artifacts(ArtifactService::Rules::service, limits);
  const Producer content = [](const net::BodySink& sink) -> Result<void> {
    const std::string piece(kPiece, 'x');
    for (std::size_t sent = 0; sent < kSize; sent += kPiece) CG_CHECK(sink(piece));
    return {};
  };
  const auto up =
      test::peak_growth([&] { return artifacts.store.upload({.name = "a", .content = content}).has_value(); });
  ASSERT_TRUE(up);
  EXPECT_LE(*up, 26u << 20);
  const auto small = test::peak_growth([&] { return artifacts.upload("b", content_of(3u << 20)).has_value(); });
  ASSERT_TRUE(small);
  EXPECT_LE(*small, 16u << 20);
  const auto down = test::peak_growth([&] {
    const auto listed = artifacts.store.list("a");
    const auto ignore = [](std::string_view) -> Result<void> { return {}; };
    return listed && listed->size() == 1 && artifacts.store.download(listed->front(), ignore).has_value();
  });
  ASSERT_TRUE(down);
  EXPECT_LE(*down, 4u << 20);
  EXPECT_EQ(artifacts.finished("a")->bytes.size(), kSize);
}
#endif

// --- names that are taken ---

/// B21: an earlier attempt's artifact gives way.
TEST(ArtifactName, OfAnEarlierAttemptIsReplacedB21) {
  ArtifactFixture artifacts;
  artifacts.service.add("a", "old bytes, attempt 1", "job-1");
  std::vector<Artifact> asked;
  const auto replaced = artifacts.store.upload(
      {.name = "a", .content = produce("new bytes"), .may_replace = [&](const Artifact& existing) -> Result<bool> {
         asked.push_back(existing);
         CG_TRY(const auto tail, artifacts.store.read_tail(existing, 9));
         return tail == "attempt 1";
       }});
  ASSERT_TRUE(replaced) << describe(replaced.error());
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked.front().job_backend_id, "job-1");
  EXPECT_EQ(asked.front().digest, digest_of("old bytes, attempt 1"));
  EXPECT_EQ(artifacts.finished("a")->bytes, "new bytes");
  EXPECT_EQ(artifacts.finished("a")->job, "job-2");
}

/// B21: the same attempt's artifact is an error that names both jobs; nothing changes.
TEST(ArtifactName, OfTheSameAttemptStaysAndBothJobsAreNamedB21) {
  ArtifactFixture artifacts;
  artifacts.service.add("a", "their bytes", "job-1");
  const Upload upload{.name = "a", .content = produce("our bytes"), .may_replace = [](const Artifact&) -> Result<bool> {
                        return false;
                      }};
  const Upload without_question{.name = "a", .content = produce("our bytes")};
  for (const Upload& each : {upload, without_question}) {
    const auto refused = artifacts.store.upload(each);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::artifact_service);
    EXPECT_EQ(exit_code(refused.error().code), 31);
    EXPECT_THAT(describe(refused.error()), AllOf(HasSubstr("job-1"), HasSubstr("job-2"), HasSubstr("\"a\"")));
    EXPECT_EQ(artifacts.finished("a")->bytes, "their bytes");
  }
}

TEST(ArtifactName, StaysTakenWhenTheQuestionFails) {
  ArtifactFixture artifacts;
  artifacts.service.add("a", "their bytes", "job-1");
  const auto refused = artifacts.store.upload(
      {.name = "a", .content = produce("our bytes"), .may_replace = [](const Artifact&) -> Result<bool> {
         return fail(ErrorCode::integrity, "the marker is of another run");
       }});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::integrity);
  EXPECT_EQ(artifacts.finished("a")->bytes, "their bytes");
}

TEST(ArtifactName, IsOverwrittenWhenThatIsAsked) {
  ArtifactFixture artifacts;
  artifacts.service.add("a", "their bytes", "job-1");
  const auto written = artifacts.store.upload({.name = "a", .content = produce("our bytes"), .overwrite = true});
  ASSERT_TRUE(written) << describe(written.error());
  EXPECT_EQ(artifacts.finished("a")->bytes, "our bytes");
}

TEST(ArtifactName, ThatAnUnfinishedUploadHoldsIsAskedAboutAsSuch) {
  ArtifactFixture artifacts;
  artifacts.service.add("ours", "", "job-2", false);
  artifacts.service.add("theirs", "", "job-1", false);
  std::vector<Artifact> asked;
  const auto may_replace = [&](const Artifact& existing) -> Result<bool> {
    asked.push_back(existing);
    return true;
  };
  const auto ours = artifacts.store.upload({.name = "ours", .content = produce("x"), .may_replace = may_replace});
  EXPECT_TRUE(ours) << describe(ours.error());
  // The service removes nothing for ids that are not its owner's: then the upload must not go on.
  const auto theirs = artifacts.store.upload({.name = "theirs", .content = produce("x"), .may_replace = may_replace});
  ASSERT_FALSE(theirs);
  EXPECT_EQ(theirs.error().http->status, 409);
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked.front().id, 0);
  const auto unasked = artifacts.upload("theirs", "x");
  ASSERT_FALSE(unasked);
  EXPECT_THAT(describe(unasked.error()), HasSubstr("unfinished"));
}

/// B21: an address that expired is replaced by a new one, and all bytes are sent again.
TEST(ArtifactUpload, BeginsAnewWhenItsAddressExpiresB21) {
  ArtifactFixture artifacts;
  const std::string bytes = content_of(5500);
  int produced = 0;
  const auto uploaded = artifacts.store.upload({.name = "a", .content = [&](const net::BodySink& sink) -> Result<void> {
                                                  ++produced;
                                                  CG_CHECK(sink(std::string_view(bytes).substr(0, 3000)));
                                                  if (produced == 1) artifacts.service.expire_addresses();
                                                  return sink(std::string_view(bytes).substr(3000));
                                                }});
  ASSERT_TRUE(uploaded) << describe(uploaded.error());
  EXPECT_EQ(produced, 2);
  EXPECT_EQ(artifacts.finished("a")->bytes, bytes);
  EXPECT_EQ(artifacts.service.stored().size(), 1u);
}

TEST(ArtifactUpload, ThatIsCancelledGivesItsNameBack) {
  ArtifactFixture artifacts;
  const auto cancelled = artifacts.store.upload({.name = "a", .content = [](const net::BodySink& sink) -> Result<void> {
                                                   CG_CHECK(sink(content_of(1500)));
                                                   sys::request_cancellation(ErrorCode::interrupted);
                                                   return sink(content_of(5000));
                                                 }});
  sys::reset_cancellation();
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, ErrorCode::interrupted);
  EXPECT_THAT(artifacts.service.stored(), IsEmpty());
}

}  // namespace
}  // namespace crategate::actions
