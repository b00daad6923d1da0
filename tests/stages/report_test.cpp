// report: what is known of a plan at each point of its way.
#include "stages/report.h"

#include <gmock/gmock.h>

#include "json/value.h"
#include "stages/push.h"
#include "stages/release.h"
#include "stages/release_fixture.h"
#include "unit/pipeline/scan_sample.h"

namespace crategate::stages {
namespace {

using render::StageState;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ReportStage : public sample::Release {
 protected:
  ReportStage() { make_plan(); }
  render::Report collect() {
    FileJournal kept(project.files, project.workspace, plan->image_set);
    const auto report =
        collect_report({project.configuration, *plan, project.workspace, "20261120", &kept}, project.files, asked);
    EXPECT_TRUE(report) << describe(report.error());
    return report.value();
  }
  registry::RegistryReader* asked = &reader;
  void push_and_release() {
    prove_all();
    ASSERT_TRUE(run_push(inputs(), services()));
    ASSERT_TRUE(run_release(inputs(), services()));
  }
};

TEST_F(ReportStage, ShowsNothingDoneYet) {
  const auto report = collect();
  ASSERT_THAT(report.cells, SizeIs(4));
  EXPECT_EQ(report.cells[0].build.state, StageState::pending);
  EXPECT_EQ(report.cells[0].scan.state, StageState::skipped);
  EXPECT_THAT(report.published, IsEmpty());
  EXPECT_EQ(report.verdict, "0 of 4 images published");
}

TEST_F(ReportStage, ShowsWhatIsProven) {
  prove(cell());
  const auto report = collect();
  const auto& shown = report.cells[0];
  EXPECT_EQ(shown.build, (render::StageReport{StageState::passed, 61'000}));
  EXPECT_EQ(shown.test, (render::StageReport{StageState::passed, 1200}));
  EXPECT_EQ(shown.digest.state, StageState::passed);
  EXPECT_EQ(shown.push.state, StageState::pending);
  EXPECT_EQ(report.cells[1].digest.state, StageState::pending);
}

TEST_F(ReportStage, ShowsWhatAnotherJobHasProven) {
  prove(cell());
  for (const auto* folder : {"builds", "tests"}) std::filesystem::remove_all(project.workspace.state() / folder);
  const auto shown = collect().cells[0];
  EXPECT_EQ(shown.build.state, StageState::passed);
  EXPECT_EQ(shown.test.state, StageState::passed);
  ASSERT_TRUE(shown.tests);
  EXPECT_GT(shown.tests->total, 0);
}

TEST_F(ReportStage, ShowsWhatAScanCameTo) {
  project.configuration.scan = config::Scan{};
  make_plan();
  EXPECT_EQ(collect().cells[0].scan.state, StageState::pending);
  auto scan = pipeline::sample::scan(*plan);
  scan.config_digest = image_of(cell()).config_digest();
  const auto save = [&] {
    ASSERT_TRUE(write_state(project.files, project.workspace, scan_file(cell().key), pipeline::to_json(scan)));
  };
  save();
  prove(cell());
  ASSERT_TRUE(write_state(project.files, project.workspace, scan_file(cell().key), ""));
  const auto report = collect();
  EXPECT_EQ(report.cells[0].scan, (render::StageReport{StageState::passed, 2100})) << "the record knows it alone";
  EXPECT_THAT(render::terminal_table(report, false, 0), HasSubstr("passed, 1 high, 2 low 2.1 s"));
  EXPECT_THAT(render::release_json(report), HasSubstr("\"scan\": \"findings-below-threshold\""));
  scan.counts.by_severity.back() = 1;
  scan.verdict = pipeline::ScanVerdict::failed;
  save();
  ASSERT_TRUE(write_state(project.files, project.workspace, record_file(cell().key), ""));
  EXPECT_EQ(collect().cells[0].scan.state, StageState::failed);
  EXPECT_THAT(collect().cells[0].failure, HasSubstr("scan: 1 critical"));
}

TEST_F(ReportStage, ShowsAFullRelease) {
  push_and_release();
  const auto report = collect();
  EXPECT_EQ(report.verdict, "4 of 4 images published, moving tags in place");
  EXPECT_THAT(report.published, SizeIs(4));
  EXPECT_THAT(report.moved, SizeIs(4));
  for (const auto& each : report.cells) {
    EXPECT_EQ(each.gate.state, StageState::passed);
    EXPECT_EQ(each.push.state, StageState::passed);
    EXPECT_EQ(each.failure, "");
  }
}

TEST_F(ReportStage, TellsWhatWasUndoneFromWhatWasKept) {
  push_and_release();
  version = "v1.2.4";
  make_plan();
  prove_all("new");
  ASSERT_TRUE(run_push(inputs(), services()));
  EXPECT_EQ(collect().verdict, "4 of 4 images published, 4 moving tags not written");
  EXPECT_EQ(collect().moved[0].note, "not written");
  writer.manifests.clear();
  writer.fail_at = 2;
  ASSERT_FALSE(run_release(inputs(), services()));
  EXPECT_THAT(collect().verdict, HasSubstr("moving tags not written")) << "half of them";
  writer.fail_at.reset();
  ASSERT_TRUE(settle(inputs(), services(), pipeline::protocol::Goal::back));
  const auto report = collect();
  EXPECT_EQ(report.verdict, "4 of 4 images published, 4 moving tags of an undone release");
  EXPECT_EQ(report.moved[0].note, "of an undone release");
  EXPECT_THAT(render::release_json(report), HasSubstr("\"moved\": []"));
  ASSERT_TRUE(run_release(inputs(), services()));
  EXPECT_EQ(collect().verdict, "4 of 4 images published, moving tags in place");
}

TEST_F(ReportStage, CountsNewTagsThatAreUndoneAsUndone) {
  prove_all();
  ASSERT_TRUE(run_push(inputs(), services()));
  EXPECT_EQ(collect().verdict, "4 of 4 images published, 4 moving tags not written");
  writer.manifests.clear();
  writer.fail_at = 2;
  ASSERT_FALSE(run_release(inputs(), services()));
  writer.fail_at.reset();
  ASSERT_EQ(tags().size(), 4U) << "no latest is left";
  EXPECT_EQ(collect().verdict, "4 of 4 images published, 4 moving tags of an undone release");
  asked = nullptr;
  EXPECT_EQ(collect().verdict, "4 of 4 images published") << "nobody knows";
}

TEST_F(ReportStage, CountsVersionTagsThatAreUndoneAsUndone) {
  prove_all();
  writer.fail_at = 2;
  ASSERT_FALSE(run_push(inputs(), services()));
  writer.fail_at.reset();
  const auto settled = settle(inputs(), services(), pipeline::protocol::Goal::back);
  ASSERT_TRUE(settled) << describe(settled.error());
  const auto report = collect();
  EXPECT_EQ(report.verdict, "0 of 4 images published, 4 version tags of an undone release");
  EXPECT_EQ(report.cells[0].push.state, StageState::failed);
}

TEST_F(ReportStage, KnowsWhatAnUndoneReleaseHasKept) {
  push_and_release();
  const auto push = [&](const std::string& next) {
    version = next;
    make_plan();
    prove_all(next);
    ASSERT_TRUE(run_push(inputs(), services()));
  };
  push("v1.2.5");
  const auto newer = layout.find(candidate()).value().value();
  ASSERT_TRUE(layout.tag("braindotai/opencrate-cpu-py3.11:latest", newer.descriptor));
  push("v1.2.4");
  writer.manifests.clear();
  writer.fail_at = 1;
  ASSERT_FALSE(run_release(inputs(), services()));
  writer.fail_at.reset();
  ASSERT_TRUE(settle(inputs(), services(), pipeline::protocol::Goal::back));
  EXPECT_EQ(collect().verdict,
            "4 of 4 images published, 1 moving tag kept at another image, 3 moving tags of an undone release");
}

TEST_F(ReportStage, TellsWhatAKilledReleaseHasNotWritten) {
  push_and_release();
  version = "v1.2.4";
  make_plan();
  prove_all("new");
  ASSERT_TRUE(run_push(inputs(), services()));
  std::optional<pipeline::Journal> open = journal->read().value();
  open->state = pipeline::JournalState::open;
  for (auto& move : open->moves) {
    move.tag = "latest";
    move.rank = pipeline::TagRank::moving;
    move.from = oci::Digest::parse(tag(concat(move.repository, ":latest")).value()).value();
  }
  ASSERT_TRUE(journal->keep(*open));
  EXPECT_EQ(collect().verdict, "4 of 4 images published, 4 moving tags not written");
  const auto settled = settle(inputs(), services(), pipeline::protocol::Goal::back);
  ASSERT_TRUE(settled) << describe(settled.error());
  EXPECT_EQ(collect().verdict, "4 of 4 images published, 4 moving tags of an undone release");
}

TEST_F(ReportStage, TellsWhatWasKeptOnPurpose) {
  push_and_release();
  const auto newer = tags();
  version = "v1.2.2";
  make_plan();
  prove_all("older");
  ASSERT_TRUE(run_push(inputs(), services()));
  ASSERT_TRUE(run_release(inputs(), services()));
  EXPECT_EQ(collect().verdict, "4 of 4 images published, 4 moving tags kept at another image");
  ASSERT_TRUE(layout.untag("braindotai/opencrate-cpu-py3.11:latest"));
  EXPECT_EQ(collect().verdict,
            "4 of 4 images published, 3 moving tags kept at another image, 1 moving tag not written");
}

TEST_F(ReportStage, DoesNotNeedAJournal) {
  push_and_release();
  project.write(FileJournal(project.files, project.workspace, plan->image_set).place(), "no journal");
  const auto stored = layout.find(candidate("cuda-py3.13")).value().value();
  ASSERT_TRUE(layout.tag("braindotai/opencrate-cpu-py3.11:latest", stored.descriptor));
  EXPECT_EQ(collect().verdict, "4 of 4 images published, 1 moving tag moved elsewhere since");
}

TEST_F(ReportStage, WritesReleaseJson) {
  push_and_release();
  test::RecordingWorkflow workflow;
  ASSERT_TRUE(publish_report(collect(), project.workspace, project.files, workflow));
  EXPECT_THAT(workflow.summary, HasSubstr("cpu-py3.11"));
  const auto document = json::Document::parse(project.read(".crategate/release.json"), "release.json").value();
  const auto root = document.root();
  EXPECT_EQ(root.string("version").value(), "v1.2.3");
  EXPECT_EQ(root.string("commit").value(), pipeline::sample::kCommit);
  EXPECT_EQ(root.string("plan_id").value(), plan->plan_id);
  auto named = root.string_map("published").value();
  EXPECT_THAT(named, SizeIs(4));
  EXPECT_EQ(named.at("braindotai/opencrate-cpu-py3.11:v1.2.3"), candidate().text());
  const auto moved = root.at("moved").value().items().value();
  ASSERT_THAT(moved, SizeIs(4));
  for (const auto& move : moved) {
    EXPECT_EQ(move.string("tag").value(), "latest");
    EXPECT_EQ(move.string_or("from", "nothing").value(), "nothing");
    named[concat(move.string("repository").value(), ":latest")] = move.string("to").value();
  }
  EXPECT_EQ(named, tags());  // every digest agrees with what the layout names
  const auto cells = root.at("cells").value().items().value();
  ASSERT_THAT(cells, SizeIs(4));
  EXPECT_EQ(cells[0].string("manifest_digest").value(), candidate().text());
}

TEST_F(ReportStage, SaysForHowLongTagsWereMixed) {
  push_and_release();
  const auto moves = load_moves(project.files, project.workspace, *plan).value();
  const pipeline::Windows windows{std::chrono::microseconds(18'400), std::chrono::microseconds(31'000)};
  ASSERT_TRUE(append_moves(project.files, project.workspace, *plan, moves, windows));
  const auto report = collect();
  EXPECT_EQ(report.windows, windows);
  EXPECT_THAT(render::release_json(report), HasSubstr("\"mixed_ms\": 19,\n  \"unprotected_ms\": 31"));
  EXPECT_THAT(render::markdown_summary(report), HasSubstr("moving tags mixed for 18.4 ms"));
}

TEST_F(ReportStage, ShowsTheReleaseSetBesideTheMovingTags) {
  project.configuration.release.set = "braindotai/opencrate-set:latest";
  make_plan();
  push_and_release();
  const auto moved = collect().moved;
  ASSERT_THAT(moved, SizeIs(6)) << "it has a version tag, too";
  EXPECT_EQ(moved[5].repository, "braindotai/opencrate-set");
  EXPECT_TRUE(moved[5].needed);
  std::filesystem::remove(project.workspace.state() / kMovesFile);
  const auto found = collect();
  ASSERT_THAT(found.moved, SizeIs(6)) << "in a job that has not moved it";
  EXPECT_EQ(found.moved[5].to, moved[5].to);
  EXPECT_FALSE(found.moved[5].needed);
  EXPECT_EQ(found.moved[5].note, "");
}

TEST_F(ReportStage, ShowsFailedTestsWithTheirLog) {
  prove(cell());
  auto result = load_test_result(project.files, project.workspace, *plan, "cpu-py3.11").value().value();
  result.verdict = pipeline::TestVerdict::failed;
  result.failed = 1;
  ASSERT_TRUE(write_state(project.files, project.workspace, test_result_file("cpu-py3.11"), pipeline::to_json(result)));
  const auto report = collect();
  EXPECT_EQ(report.cells[0].test.state, StageState::failed);
  EXPECT_THAT(report.cells[0].failure, AllOf(HasSubstr("failed"), HasSubstr("tests/logs/test-py3.11-cpu.log")));
  EXPECT_EQ(report.verdict, "1 of 4 cells failed; nothing was published");
}

TEST_F(ReportStage, DoesNotDenyWhatWasPublishedBefore) {
  push_and_release();
  project.write(".crategate/records/cpu-py3.11/record.json", "{");
  EXPECT_THAT(collect().verdict, ::testing::Not(HasSubstr("nothing was published")));
}

TEST_F(ReportStage, ShowsAnUnreadableRecordAsTheCellsFailure) {
  prove_all();
  project.write(".crategate/records/cpu-py3.11/record.json", "{");
  const auto report = collect();
  EXPECT_EQ(report.cells[0].digest.state, StageState::failed);
  EXPECT_THAT(report.cells[0].failure, HasSubstr("record-unreadable"));
  EXPECT_EQ(report.cells[1].digest.state, StageState::passed);
}

TEST_F(ReportStage, ShowsNoRecordOfAnotherPlan) {
  prove_all();
  version = "v1.2.4";
  make_plan();
  const auto report = collect();
  EXPECT_EQ(report.cells[0].build.state, StageState::pending);
  EXPECT_EQ(report.cells[0].digest.state, StageState::pending);
  EXPECT_FALSE(report.cells[0].record);
}

TEST_F(ReportStage, ShowsATagThatNamesSomethingElse) {
  push_and_release();
  const auto stored = layout.find(candidate("cuda-py3.13")).value().value();
  ASSERT_TRUE(layout.tag("braindotai/opencrate-cpu-py3.11:v1.2.3", stored.descriptor));
  const auto report = collect();
  EXPECT_NE(report.cells[0].push.state, StageState::passed);
  EXPECT_EQ(report.published[0].to, candidate("cuda-py3.13"));
  EXPECT_THAT(report.verdict, HasSubstr("3 of 4"));
}

TEST_F(ReportStage, ShowsWhatIsKnownWithoutAskingTheDestination) {
  push_and_release();
  reader.down = Error{ErrorCode::unavailable, "the registry went away", "", {}, {}, {}};
  asked = nullptr;
  const auto report = collect();
  EXPECT_EQ(report.verdict, "4 of 4 images published, moving tags in place");
  ASSERT_THAT(report.published, SizeIs(4));
  EXPECT_EQ(report.published[0].to, candidate());
  EXPECT_THAT(report.moved, SizeIs(4));
}

TEST_F(ReportStage, ClaimsNoTagThatItHasNeitherSeenNorMoved) {
  prove_all();
  asked = nullptr;
  const auto report = collect();
  EXPECT_THAT(report.published, IsEmpty());
  EXPECT_EQ(report.cells[0].digest.state, StageState::passed);
  EXPECT_EQ(report.cells[0].push.state, StageState::pending);
}

TEST_F(ReportStage, ShowsAPullRequest) {
  policy.push = policy.candidate = policy.latest = false;
  make_plan();
  test_passed(cell(), image_of(cell()));
  ASSERT_TRUE(digest(cell(), false));
  const auto report = collect();
  EXPECT_EQ(report.cells[0].push.state, StageState::skipped);
  EXPECT_EQ(report.verdict, "1 of 4 images built and tested; this event publishes nothing");
}

TEST_F(ReportStage, ShowsThatThereWasNothingToDo) {
  policy.should_run = false;
  make_plan();
  const auto report = collect();
  EXPECT_EQ(report.verdict, "nothing to do");
  EXPECT_THAT(report.cells, IsEmpty());
}

TEST_F(ReportStage, FailsWhenTheRegistryDoesNotAnswer) {
  prove_all();
  reader.down = Error{ErrorCode::unavailable, "down", "", {}, {}, {}};
  const auto report = collect_report({project.configuration, *plan, project.workspace, ""}, project.files, &reader);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace crategate::stages
