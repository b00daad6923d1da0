// B21: each request meets each fault, once and for ever. The table of docs/artifacts.md is this one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/actions/artifact_fixture.h"

namespace crategate::actions {
namespace {

using test::ArtifactFixture;
using test::ArtifactService;
using test::Ask;
using test::Fault;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr int kForEver = 1'000'000;
const std::string kName = "test-logs cpu";
const std::string kBytes = test::content_of(4300);

struct Request {
  Ask ask;
  const char* name;
  const char* part;  ///< of its target
};
const Request kRequests[] = {{Ask::create, "CreateArtifact", "CreateArtifact"},
                             {Ask::put_block, "Put Block", "comp=block&"},
                             {Ask::put_block_list, "Put Block List", "comp=blocklist"},
                             {Ask::finalize, "FinalizeArtifact", "FinalizeArtifact"},
                             {Ask::list, "ListArtifacts", "ListArtifacts"},
                             {Ask::get_signed, "GetSignedArtifactURL", "GetSignedArtifactURL"},
                             {Ask::get_blob, "Get Blob", "&sp=r&"},
                             {Ask::remove, "DeleteArtifact", "DeleteArtifact"}};

struct Trouble {
  std::string name;
  std::optional<Fault> fault;  ///< nullopt: the connection is refused
};

Fault status(int code, net::Headers headers = {}) {
  const std::string body =
      concat(R"({"msg":"refused to )", test::job_token("run-1", "job-2"), " for sig=0123456789\"}");
  return {.kind = Fault::Kind::status, .status = code, .headers = std::move(headers), .body = body};
}

const Trouble kTroubles[] = {{"refused", std::nullopt},
                             {"reset within the body", Fault{Fault::Kind::reset}},
                             {"answer lost", Fault{Fault::Kind::lost_answer}},
                             {"403", status(403)},
                             {"409", status(409)},
                             {"429", status(429)},
                             {"500", status(500)},
                             {"503 with Retry-After", status(503, {{"Retry-After", "7"}})},
                             {"truncated", Fault{Fault::Kind::truncated}},
                             {"wrong length", Fault{Fault::Kind::wrong_length}},
                             {"wrong bytes", Fault{Fault::Kind::wrong_bytes}},
                             {"slow", Fault{Fault::Kind::stall}}};

enum class End : unsigned char { success, service_error, integrity_error };

struct Cell {
  End once = End::success, for_ever = End::service_error;
};

/// What differs from: a fault that passes does no harm, one that stays is the service's error.
struct Exception {
  Ask ask;
  std::string trouble;
  Cell cell;
};
const Exception kExceptions[] = {
    // A refusal is believed at once …
    {Ask::create, "403", {End::service_error, End::service_error}},
    {Ask::create, "409", {End::service_error, End::service_error}},
    {Ask::put_block, "409", {End::service_error, End::service_error}},
    {Ask::put_block_list, "409", {End::service_error, End::service_error}},
    {Ask::finalize, "403", {End::service_error, End::service_error}},
    {Ask::finalize, "409", {End::service_error, End::service_error}},
    {Ask::list, "403", {End::service_error, End::service_error}},
    {Ask::list, "409", {End::service_error, End::service_error}},
    {Ask::get_signed, "403", {End::service_error, End::service_error}},
    {Ask::get_signed, "409", {End::service_error, End::service_error}},
    {Ask::get_blob, "409", {End::service_error, End::service_error}},
    {Ask::remove, "403", {End::service_error, End::service_error}},
    {Ask::remove, "409", {End::service_error, End::service_error}},
    // … the list tells what nobody answered …
    {Ask::finalize, "answer lost", {End::success, End::success}},
    {Ask::finalize, "truncated", {End::success, End::success}},
    {Ask::finalize, "wrong length", {End::success, End::success}},
    {Ask::remove, "wrong length", {End::success, End::success}},  // the second time nothing is there
    // … and bytes that are not those of the digest are never taken.
    {Ask::get_blob, "wrong length", {End::integrity_error, End::integrity_error}},
    {Ask::get_blob, "wrong bytes", {End::integrity_error, End::integrity_error}},
};

Cell cell_of(Ask ask, const std::string& trouble) {
  for (const Exception& exception : kExceptions)
    if (exception.ask == ask && exception.trouble == trouble) return exception.cell;
  return {};
}

bool is_upload(Ask ask) {
  return ask == Ask::create || ask == Ask::put_block || ask == Ask::put_block_list || ask == Ask::finalize;
}

struct Outcome {
  std::optional<Error> error;
  bool as_asked = false;  ///< what a success promises is so
};

Outcome run(ArtifactFixture& artifacts, Ask ask, const Artifact& existing) {
  if (is_upload(ask)) {
    const auto uploaded = artifacts.upload(kName, kBytes);
    const auto stored = artifacts.finished(kName);
    if (!uploaded) return {uploaded.error(), false};
    return {std::nullopt, stored && stored->bytes == kBytes && uploaded->digest == stored->digest};
  }
  if (ask == Ask::list) {
    const auto listed = artifacts.store.list(kName);
    if (!listed) return {listed.error(), false};
    return {std::nullopt, listed->size() == 1 && listed->front() == existing};
  }
  if (ask == Ask::remove) {
    const auto removed = artifacts.store.remove(kName);
    if (!removed) return {removed.error(), false};
    return {std::nullopt, *removed && artifacts.service.stored().empty()};
  }
  const auto received = artifacts.download(existing);
  if (!received) return {received.error(), false};
  return {std::nullopt, *received == kBytes};
}

void expect_end(End end, const Outcome& outcome) {
  if (end == End::success) {
    EXPECT_FALSE(outcome.error) << test::all_of(*outcome.error);
    EXPECT_TRUE(outcome.as_asked);
    return;
  }
  ASSERT_TRUE(outcome.error);
  const ErrorCode expected = end == End::integrity_error ? ErrorCode::integrity : ErrorCode::artifact_service;
  EXPECT_EQ(outcome.error->code, expected) << test::all_of(*outcome.error);
  EXPECT_THAT(outcome.error->message, Not(IsEmpty()));
  EXPECT_THAT(outcome.error->hint, Not(IsEmpty()));
  const std::string text = test::all_of(*outcome.error);
  EXPECT_THAT(text, HasSubstr(kName));
  EXPECT_THAT(text, Not(HasSubstr("%2Bx%3D"))) << "a signed address";
  EXPECT_THAT(text, Not(HasSubstr(test::job_token("run-1", "job-2")))) << "the token";
}

/// No artifact that somebody could take for finished has other bytes than were uploaded.
void expect_nothing_half(const ArtifactFixture& artifacts, Ask ask, const Outcome& outcome) {
  for (const auto& stored : artifacts.service.stored()) EXPECT_EQ(stored.finished ? stored.bytes : kBytes, kBytes);
  if (is_upload(ask) && outcome.error) {
    EXPECT_THAT(artifacts.service.stored(), IsEmpty()) << "the name stays taken";
  }
  EXPECT_THAT(artifacts.service.complaints(), IsEmpty());
}

void check(const Request& request, const Trouble& trouble, int times, End end) {
  SCOPED_TRACE(concat(request.name, ", ", trouble.name, times == 1 ? ", once" : ", for ever"));
  ServiceLimits limits = test::small_limits();
  if (trouble.name == "slow") limits.silence = limits.blocks.silence = std::chrono::milliseconds(60);
  ArtifactFixture artifacts(ArtifactService::Rules::service, limits);
  Artifact existing;
  if (!is_upload(request.ask)) {
    artifacts.service.add(kName, kBytes, "job-1");
    existing = artifacts.store.list(kName).value().at(0);
  }
  if (trouble.fault) {
    artifacts.service.inject(request.ask, *trouble.fault, times);
  } else {
    artifacts.http.refuse(request.part, times);
  }
  const Outcome outcome = run(artifacts, request.ask, existing);
  expect_end(end, outcome);
  expect_nothing_half(artifacts, request.ask, outcome);
  EXPECT_LE(artifacts.clock.passed(), std::chrono::minutes(10));
  if (trouble.name == "503 with Retry-After" && times == 1) {
    EXPECT_GE(artifacts.longest_sleep(), std::chrono::seconds(7));
  }
}

TEST(ArtifactFaults, EndInSuccessOrANamedErrorWhateverTheyMeetB21) {
  for (const Request& request : kRequests) {
    for (const Trouble& trouble : kTroubles) {
      if (trouble.name == "wrong bytes" && request.ask != Ask::get_blob) continue;
      const Cell cell = cell_of(request.ask, trouble.name);
      check(request, trouble, 1, cell.once);
      check(request, trouble, kForEver, cell.for_ever);
    }
  }
}

TEST(ArtifactFaults, WaitAsLongAsTheServiceAsksAndNotForADay) {
  ArtifactFixture artifacts;
  artifacts.service.inject(Ask::create, status(429, {{"Retry-After", "Fri, 20 Nov 2026 09:30:18 GMT"}}));
  ASSERT_TRUE(artifacts.upload(kName, kBytes));
  EXPECT_EQ(artifacts.longest_sleep(), std::chrono::minutes(1));
  artifacts.service.inject(Ask::list, status(429, {{"Retry-After", "86400"}}));
  const auto refused = artifacts.store.list(std::nullopt);
  ASSERT_FALSE(refused);
  EXPECT_THAT(describe(refused.error()), HasSubstr("asked to wait \"86400\""));
  EXPECT_EQ(artifacts.clock.passed(), std::chrono::minutes(1));
}

TEST(ArtifactFaults, AFullQuotaIsNoReasonToTryAgain) {
  ArtifactFixture artifacts;
  Fault full = status(500);
  full.body = R"({"code":"resource_exhausted","msg":"insufficient usage to create artifact"})";
  artifacts.service.inject(Ask::create, full, kForEver);
  const auto refused = artifacts.upload(kName, kBytes);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().hint, HasSubstr("storage"));
  EXPECT_EQ(artifacts.service.count(Ask::create), 1);
}

/// A whole upload shares its time: later requests do not begin to count anew.
TEST(ArtifactFaults, ShareOneDeadline) {
  ServiceLimits limits = test::small_limits();
  limits.patience.policy.tries = 1000;
  limits.patience.total = std::chrono::minutes(2);
  ArtifactFixture artifacts(ArtifactService::Rules::service, limits);
  artifacts.service.inject(Ask::finalize, status(500), kForEver);
  artifacts.service.inject(Ask::list, status(500), kForEver);
  ASSERT_FALSE(artifacts.upload(kName, kBytes));
  EXPECT_LE(artifacts.clock.passed(), std::chrono::minutes(2));
  EXPECT_GE(artifacts.clock.passed(), std::chrono::minutes(1));
}

/// The first creation was lost on its way back and succeeded; then it is ours, and nobody else's is touched.
TEST(ArtifactFaults, ACreationInDoubtNeverReplacesWhatSomebodyFinished) {
  ArtifactFixture artifacts;
  artifacts.service.add(kName, "their bytes", "job-1");
  artifacts.service.inject(Ask::create, {.kind = Fault::Kind::lost_answer});
  const auto refused = artifacts.upload(kName, kBytes);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::artifact_service);
  EXPECT_EQ(artifacts.finished(kName)->bytes, "their bytes");
}

TEST(ArtifactFaults, ACreationThatNobodyAnswersTouchesNothingThatThisJobFinished) {
  ArtifactFixture artifacts;
  artifacts.service.add(kName, kBytes, "job-2");
  artifacts.http.refuse("CreateArtifact", kForEver);
  ASSERT_FALSE(artifacts.upload(kName, "other bytes"));
  EXPECT_EQ(artifacts.finished(kName)->bytes, kBytes);
}

}  // namespace
}  // namespace crategate::actions
