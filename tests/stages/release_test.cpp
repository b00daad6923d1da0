// release: moving tags, only behind every version tag, never a step back.
#include "stages/release.h"

#include <gmock/gmock.h>

#include "stages/push.h"
#include "stages/release_fixture.h"

namespace crategate::stages {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kLatest = "braindotai/opencrate-cpu-py3.11:latest";

class ReleaseStage : public sample::Release {
 protected:
  Result<pipeline::ChangeSet> push() {
    CG_TRY(auto published, run_push(inputs(), services()));
    return std::move(published.changes);
  }
  Result<pipeline::ChangeSet> release() {
    CG_TRY(auto published, run_release(inputs(), services()));
    return std::move(published.changes);
  }
  /// Every cell of a version: built, tested, pushed and, if told so, released.
  void publish(const std::string& of, bool with_latest) {
    version = of;
    make_plan();
    prove_all(" of " + of);
    const auto pushed = push();
    ASSERT_TRUE(pushed) << describe(pushed.error());
    if (!with_latest) return;
    const auto moved = release();
    ASSERT_TRUE(moved) << describe(moved.error());
  }
  Error refused() {
    const auto before = tags();
    const auto changes = release();
    EXPECT_FALSE(changes);
    EXPECT_EQ(tags(), before);
    return changes ? Error{} : changes.error();
  }
};

TEST_F(ReleaseStage, MovesLatestOfFourteenCells) {
  make_plan(sample::kSevenPythons);
  prove_all();
  ASSERT_TRUE(push());
  const auto changes = release();
  ASSERT_TRUE(changes) << describe(changes.error());
  EXPECT_THAT(changes->moves, SizeIs(14));
  EXPECT_THAT(tags(), SizeIs(28));
  for (const auto& each : plan->cells) EXPECT_EQ(tag(each.image + ":latest"), candidate(each.key).text());
  EXPECT_THAT(load_moves(project.files, project.workspace, *plan).value(), SizeIs(28));
  EXPECT_EQ(writer.blobs, 0U);
}

TEST_F(ReleaseStage, IsRefusedBeforePush) {
  make_plan();
  prove_all();
  const Error error = refused();
  EXPECT_EQ(exit_code(error.code), 50);
  EXPECT_THAT(error.message, AllOf(HasSubstr("v1.2.3"), HasSubstr("no such tag")));
  EXPECT_THAT(error.hint, HasSubstr("crategate push"));
  EXPECT_THAT(tags(), IsEmpty());
}

TEST_F(ReleaseStage, IsRefusedWhereAVersionTagIsMissing) {
  publish("v1.2.3", false);
  ASSERT_TRUE(store.remove_manifest(tag_reference("braindotai/opencrate-cuda-py3.13", "v1.2.3").value()));
  EXPECT_THAT(refused().message, HasSubstr("opencrate-cuda-py3.13:v1.2.3"));
  EXPECT_THAT(tags(), SizeIs(3));
}

TEST_F(ReleaseStage, FinishesThePushThatWasLeftOpenFirst) {
  make_plan();
  prove_all();
  writer.fail_at = 3;
  ASSERT_FALSE(push());
  writer.fail_at.reset();
  const auto changes = release();
  ASSERT_TRUE(changes) << describe(changes.error());
  EXPECT_THAT(tags(), SizeIs(8));
}

TEST_F(ReleaseStage, JudgesTheEvidenceAgain) {
  publish("v1.2.3", false);
  std::filesystem::remove_all(project / ".crategate/records/cuda-py3.13");
  EXPECT_EQ(refused().code, ErrorCode::gate_refused);
}

TEST_F(ReleaseStage, IsForPlansThatMoveTags) {
  policy.latest = false;
  make_plan();
  prove_all();
  ASSERT_TRUE(push());
  EXPECT_EQ(refused().code, ErrorCode::bad_input);
}

TEST_F(ReleaseStage, DoesNothingTheSecondTime) {
  publish("v1.2.3", true);
  writer.manifests.clear();
  const auto again = release();
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->empty());
  EXPECT_THAT(writer.manifests, IsEmpty());
}

TEST_F(ReleaseStage, MovesLatestForwardAndSaysFromWhere) {
  publish("v1.2.3", true);
  const std::string before = *tag(kLatest);
  publish("v1.10.0", true);
  EXPECT_EQ(tag(kLatest), candidate().text());
  const auto moves = load_moves(project.files, project.workspace, *plan).value();
  ASSERT_THAT(moves, SizeIs(8));
  EXPECT_EQ(moves[4].tag, "latest");
  EXPECT_EQ(moves[4].from->text(), before);
}

TEST_F(ReleaseStage, NeverMovesLatestBackUnlessAsked) {
  publish("v1.10.0", true);
  const std::string newest = *tag(kLatest);
  publish("v1.9.9", false);
  auto changes = release();
  ASSERT_TRUE(changes) << describe(changes.error());
  EXPECT_TRUE(changes->empty());
  EXPECT_TRUE(changes->moves[0].warning);
  EXPECT_EQ(tag(kLatest), newest);
  project.configuration.release.allow_downgrade = true;
  ASSERT_TRUE(release());
  EXPECT_EQ(tag(kLatest), candidate().text());
}

TEST_F(ReleaseStage, KeepsLatestWhereTheVersionTagWasKept) {
  policy.trigger = "manual";
  policy.latest = false;
  make_plan();
  prove_all(" of a manual run");
  ASSERT_TRUE(push());
  policy = pipeline::sample::release_policy();
  make_plan();
  prove_all(" of the release, repeated");
  ASSERT_TRUE(push());
  const auto changes = release();
  ASSERT_TRUE(changes) << describe(changes.error());
  EXPECT_TRUE(changes->empty());
  EXPECT_FALSE(tag(kLatest));
}

TEST_F(ReleaseStage, MovesEveryTagThatIsConfigured) {
  project.configuration.release.moving = {"latest", "stable"};
  publish("v1.2.3", true);
  EXPECT_THAT(tags(), SizeIs(12));
  EXPECT_EQ(tag("braindotai/opencrate-cuda-py3.13:stable"), candidate("cuda-py3.13").text());
}

TEST_F(ReleaseStage, UndoesWhatItMovedWhenTheRegistryGoesAway) {
  publish("v1.2.2", true);
  publish("v1.2.3", false);
  const auto before = tags();
  writer.manifests.clear();
  writer.fail_at = 1;
  writer.comes_back = true;
  const auto undone = release();
  ASSERT_FALSE(undone);
  EXPECT_EQ(exit_code(undone.error().code), 51) << describe(undone.error());
  EXPECT_EQ(tags(), before);
  ASSERT_TRUE(release());
  EXPECT_EQ(tag(kLatest), candidate().text());
}

TEST_F(ReleaseStage, NoticesAVersionTagThatSomebodyMovesMeanwhile) {
  publish("v1.2.3", false);
  const auto other = store.manifest(tag_reference("braindotai/opencrate-cuda-py3.13", "v1.2.3").value()).value();
  auto services = this->services();
  services.announce = [&](const auto&) {
    const auto tag = tag_reference("braindotai/opencrate-cpu-py3.11", "v1.2.3").value();
    ASSERT_TRUE(store.put_manifest(tag, other->bytes, other->descriptor.media_type));
  };
  const auto moved = run_release(inputs(), services);
  ASSERT_FALSE(moved);
  EXPECT_EQ(exit_code(moved.error().code), 50);
  EXPECT_THAT(moved.error().message, HasSubstr("opencrate-cpu-py3.11:v1.2.3"));
}

TEST_F(ReleaseStage, BelievesNoJournalOfTagsThatAreNotThePlans) {
  publish("v1.2.3", false);
  FileJournal kept(project.files, project.workspace, plan->image_set);
  pipeline::Journal forged{.images = plan->image_set,
                           .epoch = 1,
                           .plan_id = plan->plan_id,
                           .version = "v1.2.3",
                           .started_at = "2026-11-20T09:29:18Z"};
  const auto refused_with = [&](const std::string& repository, const oci::Digest& to) {
    forged.moves = {
        {.cell = "cpu-py3.11", .repository = repository, .tag = "latest", .from = {}, .to = to, .note = ""}};
    EXPECT_TRUE(kept.keep(forged));
    return exit_code(refused().code);
  };
  EXPECT_EQ(refused_with("me/other", candidate()), 10) << "another repository";
  forged.moves.front().repository = cell().image;
  forged.moves.front().to = candidate("cuda-py3.13");
  ASSERT_TRUE(kept.keep(forged));
  ASSERT_TRUE(release());
  EXPECT_EQ(tag(kLatest), candidate().text()) << "what was not tested for this cell is not published";
}

TEST_F(ReleaseStage, NamesTheTagsThatItCouldNeitherMoveNorUndo) {
  publish("v1.2.2", true);
  publish("v1.2.3", false);
  writer.manifests.clear();
  writer.fail_at = 1;
  const auto stuck = release();
  ASSERT_FALSE(stuck);
  EXPECT_EQ(exit_code(stuck.error().code), 52) << describe(stuck.error());
  EXPECT_THAT(stuck.error().message, HasSubstr(":latest"));
  writer.fail_at.reset();
  clock.advance(std::chrono::seconds(5));
  const auto again = run_release(inputs(), services());
  ASSERT_TRUE(again) << describe(again.error());
  for (const auto& each : plan->cells) EXPECT_EQ(tag(each.image + ":latest"), candidate(each.key).text());
  EXPECT_GE(again->windows.mixed, std::chrono::seconds(5)) << "since the run that could not go on";
}

}  // namespace
}  // namespace crategate::stages
