// What jobs hand to each other, through a real store in a folder: two jobs are two workspaces with one store.
#include "stages/hand_over.h"

#include <gmock/gmock.h>

#include "actions/folder_artifact_store.h"
#include "stages/artifact_archive.h"
#include "stages/project.h"
#include "zip/write.h"

namespace crategate::stages {
namespace {

using ::testing::HasSubstr;

class HandOver : public ::testing::Test {
 protected:
  HandOverServices services(const std::string& attempt = "1", const std::string& job = "build") {
    return {.store = store, .files = files, .maker = {.run = "7", .attempt = attempt, .job = job}, .settings = {}};
  }
  /// An artifact by some tool: these members, no marker.
  void upload(const std::string& name, std::vector<zip::Member> members, const std::string& comment = {}) {
    const auto uploaded = store.upload({.name = name,
                                        .content = [&](const net::BodySink& sink) -> Result<void> {
                                          CG_CHECK(zip::write(members, {.comment = comment}, sink));
                                          return {};
                                        },
                                        .overwrite = true});
    ASSERT_TRUE(uploaded) << describe(uploaded.error());
  }
  static zip::Member text(std::string name, std::string content) {
    return {.name = std::move(name), .kind = zip::Member::Kind::text, .content = std::move(content)};
  }

  test::TestDirectory shared;
  sys::PosixFileSystem files;
  test::FakeClock clock;
  actions::FolderArtifactStore store{files, clock, shared.path(), "artifacts", {"R", "J"}};
  sample::Project maker, taker;
  pipeline::Plan plan = sample::release_plan(maker.configuration);
  const pipeline::Cell& cell = plan.cells.front();
};

// A67: another job of the run has replaced it.
TEST_F(HandOver, TakesNothingButWhatTheMakersOutputSays) {
  maker.write(".crategate/plan.json", "{\"a\":1}\n");
  maker.write(cell.dockerfile, "FROM scratch\n");
  const auto plan_digest = digest_of(plan_bundle(maker.workspace), files).value().value();
  const auto files_digest = digest_of(dockerfiles_bundle(maker.workspace, plan), files).value().value();
  ASSERT_TRUE(give(plan_bundle(maker.workspace), services()).value());
  ASSERT_TRUE(give(dockerfiles_bundle(maker.workspace, plan), services()).value());
  auto bound = services();
  bound.expected =
      parse_expected({"crategate-plan=" + plan_digest.text(), "generated-dockerfiles=" + files_digest.text()}).value();
  const std::vector<Bundle> bundles = {plan_bundle(taker.workspace), dockerfiles_bundle(taker.workspace, plan)};
  ASSERT_TRUE(take(bundles, bound));
  EXPECT_EQ(taker.read(".crategate/plan.json"), "{\"a\":1}\n");
  upload("generated-dockerfiles", {text(cell.dockerfile, "FROM evil\n")});
  auto refused = take(bundles, bound);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::integrity);
  EXPECT_THAT(describe(refused.error()), HasSubstr("artifact generated-dockerfiles: expected " + files_digest.text()));
  EXPECT_EQ(taker.read(cell.dockerfile), "FROM scratch\n");
  upload("crategate-plan", {text("plan.json", "{\"a\":2}\n")});
  EXPECT_EQ(take({plan_bundle(taker.workspace)}, bound).error().code, ErrorCode::integrity);
  ASSERT_TRUE(store.remove("crategate-plan"));
  refused = take({plan_bundle(taker.workspace)}, bound);
  EXPECT_THAT(refused.error().message, HasSubstr("found no artifact"));
  EXPECT_EQ(taker.read(".crategate/plan.json"), "{\"a\":1}\n");
  EXPECT_EQ(parse_expected({"crategate-plan=md5:1"}).error().code, ErrorCode::bad_input);
}

TEST_F(HandOver, GivesAPatchOfTheSizeThatIsAllowed) {
  config::Regen settings;
  settings.max_mib = 256;
  std::string patch((66u << 20), '\0');
  std::uint32_t next = 1;
  for (auto& byte : patch) byte = static_cast<char>('!' + ((next = next * 1664525u + 1013904223u) >> 26u));
  maker.write(sys::Path(".crategate") / kRegenResultFile, "{}");
  maker.write(sys::Path(".crategate") / kRegenPatchFile, patch);
  auto svc = services();
  svc.settings.compression_level = 0;
  const auto given = give(regen_bundle(maker.workspace, settings), svc);
  ASSERT_TRUE(given) << describe(given.error());
  const auto taken = take({regen_bundle(taker.workspace, settings)}, svc);
  ASSERT_TRUE(taken) << describe(taken.error());
  EXPECT_TRUE(taker.read(sys::Path(".crategate") / kRegenPatchFile) == patch);
}

/// Equal lines pack 400 to 1, and are no bomb.
TEST_F(HandOver, TakesAPatchThatPacksWell) {
  std::string patch;
  while (patch.size() < (8u << 20)) patch += "+an equal line of a golden file\n";
  maker.write(sys::Path(".crategate") / kRegenResultFile, "{}");
  maker.write(sys::Path(".crategate") / kRegenPatchFile, patch);
  ASSERT_TRUE(give(regen_bundle(maker.workspace, {}), services()).value());
  const auto taken = take({regen_bundle(taker.workspace, {})}, services());
  ASSERT_TRUE(taken) << describe(taken.error());
  EXPECT_EQ(taker.read(sys::Path(".crategate") / kRegenPatchFile), patch);
}

TEST_F(HandOver, GivesEveryBundleAndTakesItWhereThereIsNothing) {
  const std::string log = cell.log;
  maker.write(".crategate/plan.json", "{}\n");
  maker.write(".crategate/moves.json", "[]\n");
  maker.write(".crategate/release.json", "{\"a\":1}\n");
  maker.write(sys::Path(".crategate") / record_file(cell.key), "record");
  maker.write(sys::Path(".crategate") / digest_file(cell.key), "digest\n");
  maker.write(sys::Path(".crategate") / sarif_file(cell.key), "{}");
  maker.write(sys::Path(".crategate") / scan_report_file(cell.key), "report");
  maker.write(cell.dockerfile, "FROM scratch\n");
  maker.write(log, std::string(100000, 'x'));
  const auto bundles = [&](const Workspace& workspace) {
    return std::vector<Bundle>{plan_bundle(workspace),           dockerfiles_bundle(workspace, plan),
                               test_log_bundle(workspace, cell), sarif_bundle(workspace, cell),
                               digest_bundle(workspace, cell),   moves_bundle(workspace),
                               report_bundle(workspace)};
  };
  for (const auto& bundle : bundles(maker.workspace)) {
    const auto given = give(bundle, services());
    ASSERT_TRUE(given) << describe(given.error());
    EXPECT_TRUE(*given) << bundle.name;
  }
  const auto taken = take(bundles(taker.workspace), services("1", "publish"));
  ASSERT_TRUE(taken) << describe(taken.error());
  for (const auto& bundle : bundles(taker.workspace)) {
    for (const auto& piece : bundle.pieces) {
      const sys::Path file = (piece.root / piece.file).lexically_relative(taker.workspace.root);
      EXPECT_EQ(taker.exists(file), maker.exists(file)) << file;
      if (!maker.exists(file)) continue;
      EXPECT_EQ(taker.read(file), maker.read(file)) << file;
    }
  }
}

TEST_F(HandOver, HasNothingToGiveWhereNoFileIs) {
  const auto given = give(plan_bundle(maker.workspace), services());
  ASSERT_TRUE(given);
  EXPECT_FALSE(*given);
  EXPECT_TRUE(store.list(std::nullopt)->empty());
}

TEST_F(HandOver, LeavesFilesAloneThatNobodyGave) {
  taker.write(".crategate/moves.json", "mine");
  taker.write(cell.dockerfile, "FROM scratch\n");
  EXPECT_TRUE(take({moves_bundle(taker.workspace), dockerfiles_bundle(taker.workspace, plan)}, services()));
  EXPECT_EQ(taker.read(".crategate/moves.json"), "mine");
  EXPECT_EQ(taker.read(cell.dockerfile), "FROM scratch\n");
}

// A67: a workspace that is kept between runs has another run's files; they are no evidence of this one.
TEST_F(HandOver, A67EmptiesEvidenceThatNobodyGaveInThisRun) {
  const sys::Path record = sys::Path(".crategate") / record_file(cell.key);
  const sys::Path digest = sys::Path(".crategate") / digest_file(cell.key);
  taker.write(".crategate/plan.json", "of another run");
  taker.write(record, "of an earlier attempt");
  taker.write(digest, "of an earlier attempt");
  const auto bundles = std::vector{plan_bundle(taker.workspace), digest_bundle(taker.workspace, cell)};
  ASSERT_TRUE(take(bundles, services()));
  EXPECT_EQ(taker.read(".crategate/plan.json"), "");
  EXPECT_EQ(taker.read(record), "");
  EXPECT_EQ(taker.read(digest), "");
  // Nor does a piece that the archive lacks.
  taker.write(digest, "of an earlier attempt");
  upload(digest_bundle(taker.workspace, cell).name, {text("record.json", "new")});
  ASSERT_TRUE(take(bundles, services()));
  EXPECT_EQ(taker.read(record), "new");
  EXPECT_EQ(taker.read(digest), "");
}

TEST_F(HandOver, DoesNotGiveFilesThatWereEmptied) {
  maker.write(sys::Path(".crategate") / record_file(cell.key), "");
  EXPECT_FALSE(give(digest_bundle(maker.workspace, cell), services()).value());
}

// A63: nothing is extracted; pieces are read by their exact names.
TEST_F(HandOver, A63TakesItsPiecesAndNoOtherMember) {
  upload(digest_bundle(taker.workspace, cell).name,
         {text("record.json", "record"), text("other/record.json", "no"), text("crategate.yml", "no")});
  ASSERT_TRUE(take({digest_bundle(taker.workspace, cell)}, services()));
  EXPECT_EQ(taker.read(sys::Path(".crategate") / record_file(cell.key)), "record");
  EXPECT_FALSE(taker.exists("crategate.yml"));
  EXPECT_FALSE(taker.exists("other"));
}

TEST_F(HandOver, RefusesAnArchiveThatIsNoEvidence) {
  upload("crategate-plan", {text("plan.json", std::string(5u << 20, 'x'))});
  const auto taken = take({plan_bundle(taker.workspace)}, services());
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::integrity);
  EXPECT_THAT(describe(taken.error()), HasSubstr("crategate-plan"));
  EXPECT_FALSE(taker.exists(".crategate/plan.json"));
}

TEST_F(HandOver, DoesNotFollowALinkInTheWay) {
  maker.write(".crategate/plan.json", "plan");
  ASSERT_TRUE(give(plan_bundle(maker.workspace), services()).value());
  taker.write("outside", "untouched");
  taker.link("../outside", ".crategate/plan.json");
  ASSERT_TRUE(take({plan_bundle(taker.workspace)}, services()));
  EXPECT_EQ(taker.read("outside"), "untouched");
  EXPECT_EQ(taker.read(".crategate/plan.json"), "plan");
}

// B21
TEST_F(HandOver, B21ReplacesWhatAnEarlierAttemptGave) {
  maker.write(".crategate/plan.json", "first");
  ASSERT_TRUE(give(plan_bundle(maker.workspace), services()).value());
  maker.write(".crategate/plan.json", "second");
  const auto given = give(plan_bundle(maker.workspace), services("2"));
  ASSERT_TRUE(given) << describe(given.error());
  ASSERT_TRUE(take({plan_bundle(taker.workspace)}, services()));
  EXPECT_EQ(taker.read(".crategate/plan.json"), "second");
}

TEST_F(HandOver, B21RefusesWhatAnotherJobOfTheSameAttemptGaveAndNamesBoth) {
  maker.write(".crategate/plan.json", "first");
  ASSERT_TRUE(give(plan_bundle(maker.workspace), services("2", "plan")).value());
  const auto given = give(plan_bundle(maker.workspace), services("2", "plan-again"));
  ASSERT_FALSE(given);
  EXPECT_EQ(given.error().code, ErrorCode::artifact_service);
  EXPECT_THAT(given.error().message, HasSubstr("job \"plan\" (attempt 2 of run 7)"));
  EXPECT_THAT(given.error().message, HasSubstr("job \"plan-again\" (attempt 2 of run 7)"));
}

TEST_F(HandOver, AJobMayGiveTheSameTwiceButNotAnother) {
  maker.write(".crategate/plan.json", "plan");
  ASSERT_TRUE(give(plan_bundle(maker.workspace), services()).value());
  const auto again = give(plan_bundle(maker.workspace), services());
  ASSERT_TRUE(again) << describe(again.error());
  maker.write(".crategate/plan.json", "another plan");
  EXPECT_FALSE(give(plan_bundle(maker.workspace), services()));
}

TEST_F(HandOver, RefusesToReplaceWhatAnotherToolMade) {
  maker.write(".crategate/plan.json", "first");
  upload("crategate-plan", {text("plan.json", "theirs")}, "made by another");
  const auto given = give(plan_bundle(maker.workspace), services("2"));
  ASSERT_FALSE(given);
  EXPECT_THAT(given.error().message, HasSubstr("another tool"));
}

TEST_F(HandOver, LetsALaterJobOfTheSameAttemptSayMore) {
  maker.write(".crategate/moves.json", "push");
  ASSERT_TRUE(give(moves_bundle(maker.workspace), services("1", "push")).value());
  maker.write(".crategate/moves.json", "push and release");
  ASSERT_TRUE(give(moves_bundle(maker.workspace), services("1", "release")).value());
  ASSERT_TRUE(take({moves_bundle(taker.workspace)}, services()));
  EXPECT_EQ(taker.read(".crategate/moves.json"), "push and release");
}

TEST_F(HandOver, WithdrawsWhatAnEarlierAttemptGaveOnly) {
  maker.write(sys::Path(".crategate") / record_file(cell.key), "record");
  const auto bundle = digest_bundle(maker.workspace, cell);
  EXPECT_TRUE(withdraw(bundle, services()));
  ASSERT_TRUE(give(bundle, services("1")).value());
  const auto same = withdraw(bundle, services("1", "other"));
  ASSERT_FALSE(same);
  EXPECT_EQ(same.error().code, ErrorCode::artifact_service);
  EXPECT_EQ(store.list(bundle.name)->size(), 1u);
  ASSERT_TRUE(withdraw(bundle, services("2")));
  EXPECT_TRUE(store.list(bundle.name)->empty());
}

TEST_F(HandOver, AnAttemptGivesTheSameBytesForTheSameFiles) {
  maker.write(".crategate/plan.json", "plan");
  ASSERT_TRUE(give(plan_bundle(maker.workspace), services()).value());
  const auto first = store.list("crategate-plan")->front().digest;
  ASSERT_TRUE(store.remove("crategate-plan"));
  ASSERT_TRUE(give(plan_bundle(maker.workspace), services()).value());
  EXPECT_EQ(store.list("crategate-plan")->front().digest, first);
}

}  // namespace
}  // namespace crategate::stages
