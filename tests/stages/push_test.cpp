// push: all version tags or none, from real candidates in a real layout.
#include "stages/push.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>

#include "stages/release_fixture.h"
#include "sys/cancel.h"

namespace crategate::stages {
namespace {

using ::testing::Each;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kTag = "braindotai/opencrate-cpu-py3.11:v1.2.3";

class PushStage : public sample::Release {
 protected:
  Result<pipeline::ChangeSet> push() {
    CG_TRY(auto published, run_push(inputs(), services()));
    return std::move(published.changes);
  }
  /// Nothing is written, neither tags nor moves.json.
  Error refused() {
    const auto before = tags();
    const auto changes = push();
    EXPECT_FALSE(changes);
    EXPECT_EQ(tags(), before);
    EXPECT_THAT(writer.manifests, IsEmpty());
    EXPECT_FALSE(project.exists(".crategate/moves.json"));
    return changes ? Error{} : changes.error();
  }
  /// Another image of the cell under its version tag, made by `trigger`.
  std::string publish_other(const std::string& trigger, const std::string& was_released) {
    auto image = image_of(cell(), " of another run");
    image.labels["io.crategate.trigger"] = trigger;
    image.labels["io.crategate.released"] = was_released;
    if (trigger.empty()) image.labels.clear();
    test_passed(cell(), image);
    const auto record = digest(cell()).value();
    const auto stored = layout.find(record.manifest_digest).value().value();
    EXPECT_TRUE(layout.tag(kTag, stored.descriptor));
    return record.manifest_digest.text();
  }
};

TEST_F(PushStage, PublishesFourteenCellsByDigest) {
  make_plan(sample::kSevenPythons);
  prove_all();
  const auto changes = push();
  ASSERT_TRUE(changes) << describe(changes.error());
  EXPECT_THAT(changes->moves, SizeIs(14));
  ASSERT_THAT(tags(), SizeIs(14));
  for (const auto& each : plan->cells) {
    EXPECT_EQ(tag(each.image + ":v1.2.3"), candidate(each.key).text());
  }
  EXPECT_EQ(writer.blobs, 0U);
  EXPECT_THAT(writer.manifests, SizeIs(14));
}

TEST_F(PushStage, PublishesNothingWhenOneRecordOfFourteenIsMissing) {
  make_plan(sample::kSevenPythons);
  prove_all();
  std::filesystem::remove_all(project / ".crategate/records/cuda-py3.14");
  const Error error = refused();
  EXPECT_EQ(exit_code(error.code), 10);
  EXPECT_THAT(error.message, AllOf(HasSubstr("1 of 14 cells refused"), HasSubstr("record-missing")));
  EXPECT_THAT(announced, IsEmpty());
}

TEST_F(PushStage, PublishesNothingOnEvidenceOfAnotherPlan) {
  make_plan();
  prove_all();
  version = "v1.2.4";
  make_plan();
  EXPECT_THAT(refused().message, AllOf(HasSubstr("4 of 4"), HasSubstr("record-foreign")));
}

TEST_F(PushStage, PublishesNothingOnEvidenceOfAnotherRun) {
  make_plan();
  prove_all();
  run = "43";
  EXPECT_THAT(refused().message, HasSubstr("record-foreign"));
}

TEST_F(PushStage, PublishesNothingWhenTheRegistryIsDown) {
  make_plan();
  prove_all();
  reader.down = Error{ErrorCode::unavailable, "down", "", {}, {}, {}};
  EXPECT_EQ(exit_code(refused().code), 24);
}

TEST_F(PushStage, PublishesNothingOfAPlanThatDoesNotPush) {
  make_plan();
  prove_all();
  for (const bool push : {true, false}) {
    plan->policy.push = push;
    plan->policy.candidate = !push;
    EXPECT_EQ(refused().code, ErrorCode::bad_input);
  }
}

TEST_F(PushStage, AnnouncesTheChangesBeforeTheFirstWrite) {
  make_plan();
  prove_all();
  auto services = this->services();
  std::size_t written = 99;
  services.announce = [&](const pipeline::ChangeSet& changes) {
    EXPECT_FALSE(changes.empty());
    written = writer.manifests.size();
  };
  ASSERT_TRUE(run_push(inputs(), services));
  EXPECT_EQ(written, 0U);
}

TEST_F(PushStage, PlansWithoutWriting) {
  make_plan();
  prove_all();
  const auto publication = plan_push(inputs(), project.files, reader, {});
  ASSERT_TRUE(publication);
  EXPECT_THAT(publication->changes.moves, SizeIs(4));
  EXPECT_THAT(tags(), IsEmpty());
  EXPECT_FALSE(project.exists(".crategate/moves.json"));
}

TEST_F(PushStage, DoesNothingTheSecondTime) {
  make_plan();
  prove_all();
  ASSERT_TRUE(push());
  const std::string moves = project.read(".crategate/moves.json");
  writer.manifests.clear();
  const auto again = push();
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->empty());
  EXPECT_THAT(writer.manifests, IsEmpty());
  EXPECT_EQ(project.read(".crategate/moves.json"), moves);
}

TEST_F(PushStage, KeepsTheMovesForTheReport) {
  make_plan();
  prove_all();
  ASSERT_TRUE(push());
  const auto moves = load_moves(project.files, project.workspace, *plan).value();
  ASSERT_THAT(moves, SizeIs(4));
  EXPECT_EQ(moves[0].cell, "cpu-py3.11");
  EXPECT_EQ(moves[0].repository, "braindotai/opencrate-cpu-py3.11");
  EXPECT_EQ(moves[0].tag, "v1.2.3");
  EXPECT_EQ(moves[0].from, std::nullopt);
  EXPECT_EQ(moves[0].to, candidate());
  auto other = *plan;
  other.plan_id = "sha256:other";
  EXPECT_THAT(load_moves(project.files, project.workspace, other).value(), IsEmpty());
}

TEST_F(PushStage, NeverReplacesWhatAReleaseMade) {
  for (const auto& [trigger, was_released] :
       {std::pair{std::string("release"), std::string("true")}, {"", ""}, {"schedule", "perhaps"}}) {
    SCOPED_TRACE(trigger);
    make_plan();
    const std::string other = publish_other(trigger, was_released);
    prove_all();
    const Error error = refused();
    EXPECT_EQ(exit_code(error.code), 50);
    EXPECT_THAT(error.message, AllOf(HasSubstr(kTag), HasSubstr(other), HasSubstr(candidate().text())));
    EXPECT_EQ(tag(kTag), other);
  }
}

TEST_F(PushStage, ReplacesWhatAScheduleMadeBeforeTheRelease) {
  make_plan();
  const std::string other = publish_other("schedule", "false");
  prove_all();
  const auto changes = push();
  ASSERT_TRUE(changes) << describe(changes.error());
  EXPECT_EQ(tag(kTag), candidate().text());
  EXPECT_EQ(load_moves(project.files, project.workspace, *plan).value()[0].from->text(), other);
}

TEST_F(PushStage, KeepsWhatAManualRunMadeAfterTheReleaseWithAWarning) {
  make_plan();
  const std::string other = publish_other("manual", "true");
  prove_all();
  const auto changes = push();
  ASSERT_TRUE(changes) << describe(changes.error());
  EXPECT_EQ(tag(kTag), other);
  EXPECT_FALSE(changes->moves[0].needed);
  EXPECT_TRUE(changes->moves[0].warning);
  EXPECT_THAT(load_moves(project.files, project.workspace, *plan).value(), SizeIs(3));
  const auto kept = load_kept(project.files, project.workspace, *plan).value();
  ASSERT_THAT(kept, SizeIs(1));
  EXPECT_EQ(kept[0].from->text(), other);
  EXPECT_FALSE(kept[0].needed);
}

TEST_F(PushStage, ReplacesAnythingWhenToldTo) {
  make_plan();
  publish_other("release", "true");
  prove_all();
  project.configuration.release.version_tag = config::VersionTagPolicy::move;
  ASSERT_TRUE(push());
  EXPECT_EQ(tag(kTag), candidate().text());
}

TEST_F(PushStage, DatesTheTagsOfLaterRuns) {
  policy.trigger = "schedule";
  policy.latest = false;
  project.configuration.release.version_tag = config::VersionTagPolicy::dated;
  make_plan();
  prove_all();
  ASSERT_TRUE(push());
  EXPECT_THAT(tags(), SizeIs(4));
  EXPECT_EQ(tag("braindotai/opencrate-cpu-py3.11:v1.2.3-20261120"), candidate().text());
}

TEST_F(PushStage, RollsForwardAfterAFailureInTheMiddle) {
  make_plan();
  prove_all();
  writer.fail_at = 2;
  const auto changes = push();
  ASSERT_FALSE(changes);
  EXPECT_EQ(changes.error().code, ErrorCode::unavailable);
  EXPECT_THAT(describe(changes.error()), HasSubstr("2 of 4 tags name the images of v1.2.3"));
  EXPECT_THAT(tags(), SizeIs(2));
  EXPECT_THAT(load_moves(project.files, project.workspace, *plan).value(), SizeIs(2));
  writer.fail_at.reset();
  const auto again = run_push(inputs(), services());
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_THAT(tags(), SizeIs(4));
  EXPECT_THAT(writer.manifests, SizeIs(4));
  EXPECT_THAT(again->settled, SizeIs(2)) << "of the release that was left open";
  EXPECT_THAT(load_moves(project.files, project.workspace, *plan).value(), SizeIs(4));
}

TEST_F(PushStage, PublishesWhatWasBuiltAnewAfterAFailureInTheMiddle) {
  make_plan();
  for (const bool removes : {true, false}) {
    prove_all(removes ? "" : " once more");
    writer.removes_tags = removes;
    writer.fail_at = 2;
    ASSERT_FALSE(push());
    writer.fail_at.reset();
    const std::string mark = removes ? " anew" : " anew, once more";
    prove_all(mark);
    const auto changes = push();
    ASSERT_TRUE(changes) << describe(changes.error());
    for (const auto& each : plan->cells) EXPECT_EQ(tag(each.image + ":v1.2.3"), candidate(each.key).text()) << mark;
    for (const auto& each : plan->cells)
      ASSERT_TRUE(store.remove_manifest(tag_reference(each.image, "v1.2.3").value()));
  }
}

TEST_F(PushStage, DoesNotBelieveARegistryThatAcknowledgesAndServesNothing) {
  make_plan();
  prove_all();
  writer.serves = oci::Digest::of("something else");
  const auto changes = push();
  ASSERT_FALSE(changes);
  EXPECT_EQ(changes.error().code, ErrorCode::unavailable);
  EXPECT_THAT(describe(changes.error()), HasSubstr("still serves what was there before"));
  EXPECT_THAT(writer.manifests, SizeIs(4));
}

TEST_F(PushStage, StopsBetweenTagsWhenCancelled) {
  make_plan();
  prove_all();
  auto services = this->services();
  services.announce = [](const auto&) { sys::request_cancellation(ErrorCode::interrupted); };
  const auto changes = run_push(inputs(), services);
  sys::reset_cancellation();
  ASSERT_FALSE(changes);
  EXPECT_EQ(changes.error().code, ErrorCode::interrupted);
  EXPECT_THAT(tags(), IsEmpty());
}

TEST_F(PushStage, MountsTheLayersWhereCandidatesWaitInAnotherRepository) {
  project.configuration.candidate = "braindotai/staging";
  make_plan();
  prove_all();
  ASSERT_TRUE(push());
  EXPECT_THAT(tags(), SizeIs(4));
  EXPECT_THAT(writer.mounts, SizeIs(4));
  EXPECT_EQ(writer.blobs, 0U);
  EXPECT_THAT(writer.manifests, SizeIs(8)) << "first by digest, then by tag";
  const auto tagged = [](const std::string& name) { return name.ends_with(":v1.2.3"); };
  EXPECT_TRUE(std::is_partitioned(writer.manifests.begin(), writer.manifests.end(), std::not_fn(tagged)));
}

TEST_F(PushStage, StreamsTheLayersWhereTheRegistryMountsNothing) {
  project.configuration.candidate = "braindotai/staging";
  make_plan();
  prove_all();
  writer.mounts_allowed = false;
  ASSERT_TRUE(push());
  EXPECT_THAT(tags(), SizeIs(4));
  EXPECT_EQ(writer.blobs, 12U) << "two layers and a configuration for each of four images";
}

}  // namespace
}  // namespace crategate::stages
