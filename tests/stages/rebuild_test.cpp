// gate.mode: rebuild: what is built, compared and published, with a builder that writes real archives.
#include "stages/rebuild.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "oci/media_types.h"
#include "stages/candidate_reader.h"
#include "stages/push.h"
#include "stages/release.h"
#include "stages/release_fixture.h"
#include "stages/verify.h"
#include "support/fakes.h"

namespace crategate::stages {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RebuildStage : public sample::Release {
 protected:
  RebuildStage() { plan_with("strict"); }
  void plan_with(const std::string& rebuild) {
    project.configuration.gate.mode = config::GateMode::rebuild;
    project.configuration.gate.rebuild = rebuild;
    make_plan();
    for (auto& each : plan->cells) each.cache = concat("me/cache:", each.key);
    for (const auto& each : plan->cells) project.write(each.dockerfile, "FROM scratch\n");
  }
  /// The image that a build of the cell makes, now.
  test::TestImage made(const pipeline::Cell& of) const {
    auto image = image_of(of);
    image.layers = {test::layer_of({{"etc/base", "1"}}, base_time),
                    test::layer_of({{"opt/app", of.key + source}}, time)};
    return image;
  }
  BuildInputs inputs_of(const pipeline::Cell& of) const {
    return {project.configuration, *plan, of, project.workspace, {}, commit_time, false, "42"};
  }
  BuildServices tools() {
    builder.on_build = [this](const docker::BuildRequest& request) {
      for (const auto& each : plan->cells) {
        if (request.dockerfile == each.dockerfile) project.write(request.archive, made(each).archive());
      }
    };
    return {project.files, builder, engine, workflow, progress};
  }
  /// Cells that have been tested, as a build now makes them.
  void prove_all() {
    for (const auto& each : plan->cells) {
      ASSERT_TRUE(withdraw_evidence(project.files, project.workspace, each.key));
      test_passed(each, made(each));
      const auto record = digest(each, false);
      ASSERT_TRUE(record) << describe(record.error());
    }
  }
  void rebuild_all() {
    for (const auto& each : plan->cells) {
      const auto rebuilt = run_rebuild(inputs_of(each), record_of(each.key), tools());
      ASSERT_TRUE(rebuilt) << describe(rebuilt.error());
    }
  }
  std::string verdict() {
    CandidateReader candidates(*plan, project.workspace, reader);
    const auto evidence =
        run_verify({project.configuration, *plan, plan->cells, project.workspace, "42"}, {project.files, candidates});
    if (!evidence) return describe(evidence.error());
    if (evidence->verdict.admitted()) return "admitted";
    return std::string(pipeline::to_string(evidence->verdict.cells.front().findings.front().reason));
  }
  Result<Published> publish_by(Result<Published> (*command)(const PublishInputs&, const PublishServices&)) {
    CandidateReader candidates(*plan, project.workspace, reader);
    const auto own = services();
    return command(inputs(), {own.files, own.clock, own.reader, candidates, own.writer, own.journal, own.announce});
  }
  std::string rebuilt_digest(const std::string& key) const {
    return load_rebuilds(project.files, project.workspace, *plan).value().at(key).manifest_digest.text();
  }

  test::RecordingBuilder builder;
  test::RecordingWorkflow workflow;
  Progress progress;
  std::string source = " source", commit_time = "1700000000";
  std::int64_t time = 100, base_time = 5;
};

TEST_F(RebuildStage, BuildsWithTheCommitsTimeAndLoadsTheArchive) {
  const auto id = engine.add(local_image_name(*plan, cell()), made(cell()));
  const auto built = run_build(inputs_of(cell()), tools());
  ASSERT_TRUE(built) << describe(built.error());
  EXPECT_EQ(built->image_id, id);
  EXPECT_THAT(engine.loaded, ElementsAre(made(cell()).archive()));
  ASSERT_THAT(builder.requests, SizeIs(1));
  const auto& request = builder.requests.front();
  EXPECT_EQ(request.source_date_epoch, "1700000000");
  EXPECT_FALSE(project.exists(request.archive));
  ASSERT_THAT(request.cache_to, SizeIs(1)) << "a release writes no other cache";
  EXPECT_EQ(request.cache_to.front().reference, pipeline::rebuild_cache(*plan, cell(), "42"));
  commit_time.clear();
  EXPECT_EQ(build_request(inputs_of(cell())).source_date_epoch, "0");
}

TEST_F(RebuildStage, BuildsFromTheTestedBaseAndTheLayersOfItsBuild) {
  auto& base = plan->cells.front().base;
  base = "ubuntu:22.04";
  pipeline::Record record;
  record.base = pipeline::Base{.name = base, .digest = oci::Digest::of("base")};
  plan->policy.fresh = true;
  const auto request = rebuild_request(inputs_of(cell()), record);
  EXPECT_THAT(request.build_contexts,
              ElementsAre(concat("ubuntu:22.04=docker-image://ubuntu:22.04@", oci::Digest::of("base").text())));
  EXPECT_EQ(request.labels.at("org.opencontainers.image.base.digest"), oci::Digest::of("base").text());
  EXPECT_FALSE(request.fresh) << "what was built freshly for its tests is in the cache";
  EXPECT_TRUE(request.isolated);
  record.base->name = "ubuntu:22.04=http://elsewhere.example/";
  EXPECT_THAT(rebuild_request(inputs_of(cell()), record).build_contexts, IsEmpty()) << "a base is the plan's";
  EXPECT_THAT(request.cache_to, IsEmpty()) << "the job that publishes writes no cache";
  ASSERT_THAT(request.cache_from, SizeIs(1));
  EXPECT_EQ(request.cache_from.front().reference, pipeline::rebuild_cache(*plan, cell(), "42"));
}

// A84: the build of a pull request reads no cache, once more or not.
TEST_F(RebuildStage, ReadsNoCacheOfAPlanThatDoesNotPush) {
  plan->policy.push = false;
  plan->policy.fresh = true;
  const auto request = rebuild_request(inputs_of(cell()), {});
  EXPECT_TRUE(request.fresh);
  EXPECT_THAT(request.cache_from, IsEmpty());
  EXPECT_THAT(request.cache_to, IsEmpty());
  EXPECT_THAT(build_request(inputs_of(cell())).cache_to, IsEmpty());
}

TEST_F(RebuildStage, RecordsWhatIsComparedLater) {
  test_passed(cell(), made(cell()));
  const auto record = digest(cell(), false).value();
  EXPECT_EQ(record.config, made(cell()).config());
  EXPECT_THAT(record.contents, SizeIs(2));
  time = 200;
  test_passed(cell(), made(cell()));
  EXPECT_EQ(digest(cell(), false)->contents, record.contents) << "times do not count";
  EXPECT_NE(digest(cell(), false)->diff_ids, record.diff_ids);
}

TEST_F(RebuildStage, AdmitsByThePolicyOnly) {
  const auto later = [this] { time = 200; };
  const auto changed = [this] { source = " source of somebody else"; };
  const struct {
    const char *rebuild, *what;
    std::function<void()> change;
    const char* verdict;
  } rows[] = {{"strict", "the same", [] {}, "admitted"},         {"strict", "later", later, "layer-differs"},
              {"strict", "changed", changed, "content-differs"}, {"content", "the same", [] {}, "admitted"},
              {"content", "later", later, "admitted"},           {"content", "changed", changed, "content-differs"}};
  for (const auto& row : rows) {
    plan_with(row.rebuild);
    source = " source";
    time = 100;
    prove_all();
    EXPECT_EQ(verdict(), "candidate-missing") << row.what;
    row.change();
    rebuild_all();
    EXPECT_EQ(verdict(), row.verdict) << row.rebuild << ", " << row.what;
  }
}

// Nobody can tell a changed image from one whose cache was out of reach.
TEST_F(RebuildStage, FindsNothingOutWithoutTheTestedLayers) {
  prove_all();
  const std::string reading = concat("#4 importing cache manifest from ", pipeline::rebuild_cache(*plan, cell(), "42"));
  builder.lines = {reading, "#4 ERROR: connection refused", "#5 DONE 0.1s"};
  ASSERT_TRUE(run_rebuild(inputs_of(cell()), record_of("cpu-py3.11"), tools())) << "it is the same all the same";
  EXPECT_THAT(project.read(".crategate/logs/rebuild-cpu-py3.11.log"), HasSubstr("connection refused"));
  time = 200;
  const auto unknown = run_rebuild(inputs_of(cell()), record_of("cpu-py3.11"), tools());
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::unavailable);
  EXPECT_THAT(describe(unknown.error()), AllOf(HasSubstr("cpu-py3.11"), HasSubstr("(connection refused)")));
  EXPECT_FALSE(load_rebuilds(project.files, project.workspace, *plan)->contains("cpu-py3.11"));
  builder.lines = {reading, "#4 DONE 0.1s"};
  EXPECT_TRUE(run_rebuild(inputs_of(cell()), record_of("cpu-py3.11"), tools())) << "the gate refuses it";
  plan_with("content");
  prove_all();
  builder.lines = {reading, "#4 ERROR: connection refused"};
  EXPECT_TRUE(run_rebuild(inputs_of(cell()), record_of("cpu-py3.11"), tools()));
}

TEST_F(RebuildStage, LeavesNoArchiveOfABuildThatFailed) {
  auto services = tools();
  builder.on_build = [this](const docker::BuildRequest& request) { project.write(request.archive, "half of it"); };
  builder.answer = fail(ErrorCode::no_space, "the disk is full");
  EXPECT_EQ(run_build(inputs_of(cell()), services).error().code, ErrorCode::no_space);
  ASSERT_THAT(builder.requests, SizeIs(1));
  EXPECT_FALSE(project.exists(builder.requests.front().archive));
}

TEST_F(RebuildStage, PublishesThatVeryBuild) {
  plan_with("content");
  prove_all();
  EXPECT_EQ(publish_by(run_push).error().code, ErrorCode::gate_refused) << "nothing was built once more";
  EXPECT_THAT(tags(), IsEmpty());
  time = 200;
  rebuild_all();
  time = 300;  // a further build would be another image
  const auto pushed = publish_by(run_push);
  ASSERT_TRUE(pushed) << describe(pushed.error());
  const std::string name = concat(cell().image, ":v1.2.3");
  EXPECT_EQ(tags().at(name), rebuilt_digest("cpu-py3.11"));
  EXPECT_NE(tags().at(name), candidate().text());
  EXPECT_THAT(announced.back().copies, SizeIs(4));
  std::filesystem::remove_all(project.workspace.state() / kRebuiltDirectory);  // another machine
  const auto released_now = publish_by(run_release);
  ASSERT_TRUE(released_now) << describe(released_now.error());
  EXPECT_EQ(tags().at(concat(cell().image, ":latest")), rebuilt_digest("cpu-py3.11"));
}

// What a document says of an image is not believed where content is published: whoever can write it has tested nothing.
TEST_F(RebuildStage, BelievesNoDocument) {
  plan_with("content");
  prove_all();
  rebuild_all();
  const auto honest = load_rebuilds(project.files, project.workspace, *plan).value().at("cpu-py3.11");
  source = " source of somebody else";
  const auto evil = run_rebuild(inputs_of(cell()), record_of("cpu-py3.11"), tools()).value();
  auto forged = evil;
  forged.contents = honest.contents;
  const auto say = [&](const pipeline::Rebuilt& rebuilt) {
    ASSERT_TRUE(write_state(project.files, project.workspace, rebuilt_file("cpu-py3.11"), pipeline::to_json(rebuilt)));
  };
  say(forged);
  EXPECT_EQ(verdict(), "content-differs");
  EXPECT_EQ(publish_by(run_push).error().code, ErrorCode::gate_refused);
  forged.manifest_digest = oci::Digest::of("an image that lies elsewhere");
  say(forged);
  EXPECT_EQ(verdict(), "candidate-missing");
  EXPECT_EQ(publish_by(run_push).error().code, ErrorCode::gate_refused);
  EXPECT_THAT(tags(), IsEmpty());
  // Nor does a tag follow it that names something else by now.
  say(honest);
  ASSERT_TRUE(publish_by(run_push));
  forged.manifest_digest = evil.manifest_digest;
  forged.config_digest = evil.config_digest;
  say(forged);
  EXPECT_FALSE(publish_by(run_release));
  EXPECT_FALSE(tags().contains(concat(cell().image, ":latest")));
}

TEST_F(RebuildStage, NamesTheCacheThatItCouldNotRead) {
  prove_all();
  builder.lines = {"#4 importing cache manifest from me/cache:x",
                   "#4 ERROR: failed to configure registry cache importer: me/cache:x: not found"};
  ASSERT_TRUE(run_rebuild(inputs_of(cell()), record_of("cpu-py3.11"), tools()));
  ASSERT_FALSE(workflow.annotations.empty());
  EXPECT_THAT(workflow.annotations.back().message, HasSubstr(pipeline::rebuild_cache(*plan, cell(), "42")));
}

TEST_F(RebuildStage, FailsWhereItsLayoutIsSomethingElse) {
  project.write(sys::Path(".crategate") / kRebuiltDirectory / "oci-layout", "no layout");
  CandidateReader candidates(*plan, project.workspace, reader);
  const oci::Reference image{oci::parse_repository(cell().candidate).value(), std::nullopt, oci::Digest::of("x")};
  EXPECT_FALSE(candidates.manifest(image));
  EXPECT_TRUE(candidates.manifest({oci::parse_repository(cell().image).value(), std::nullopt, oci::Digest::of("x")}))
      << "the destination is another matter";
}

TEST_F(RebuildStage, NoticesALayerThatIsNotTheOneOfTheConfiguration) {
  prove_all();
  rebuild_all();
  const auto rebuilt = layout::OciLayout::open(project.workspace.state() / kRebuiltDirectory).value();
  const auto digest = load_rebuilds(project.files, project.workspace, *plan).value().at("cpu-py3.11").manifest_digest;
  const auto manifest = oci::parse_manifest(rebuilt.find(digest).value()->bytes, oci::kOciManifest).value();
  const auto& layer = manifest.layers.back().digest;
  project.write(sys::Path(".crategate") / kRebuiltDirectory / "blobs/sha256" / std::string(layer.hex()),
                "something else");
  EXPECT_THAT(verdict(), HasSubstr("expected")) << "cannot find out";
  std::filesystem::remove(project.workspace.state() / kRebuiltDirectory / "blobs/sha256" / std::string(layer.hex()));
  EXPECT_EQ(verdict(), "candidate-missing");
}

TEST_F(RebuildStage, NamesWhatWasDamagedAndWhatToRemove) {
  prove_all();
  rebuild_all();
  const auto said = load_rebuilds(project.files, project.workspace, *plan).value();
  const auto blob = [](const oci::Digest& digest) {
    return sys::Path(".crategate") / kRebuiltDirectory / "blobs/sha256" / std::string(digest.hex());
  };
  project.write(blob(said.at("cpu-py3.11").manifest_digest), "something else");
  const auto image = prove_rebuilds(project.workspace, said);
  ASSERT_FALSE(image);
  EXPECT_THAT(describe(image.error()), HasSubstr("rebuilt image of cell cpu-py3.11"));
  EXPECT_THAT(image.error().hint, HasSubstr(".crategate/rebuilt; then remove it"));
  project.write(sys::Path(".crategate") / kRebuiltDirectory / "oci-layout", "");
  const auto whole = prove_rebuilds(project.workspace, said);
  ASSERT_FALSE(whole);
  EXPECT_THAT(whole.error().hint, HasSubstr(".crategate/rebuilt; then remove it"));
  ASSERT_TRUE(write_state(project.files, project.workspace, rebuilt_file("cpu-py3.11"), "{}"));
  const auto document = load_rebuilds(project.files, project.workspace, *plan);
  ASSERT_FALSE(document);
  EXPECT_THAT(document.error().hint, HasSubstr("Remove the file")) << "running it again alone changes nothing";
}

TEST_F(RebuildStage, PublishesNothingWhenOneOfTheRebuildsDiffers) {
  prove_all();
  rebuild_all();
  source = " source of somebody else";
  ASSERT_TRUE(run_rebuild(inputs_of(plan->cells.back()), record_of(plan->cells.back().key), tools()));
  const auto refused = publish_by(run_push);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("1 of 4 cells refused"));
  EXPECT_THAT(refused.error().message, HasSubstr("content-differs"));
  EXPECT_THAT(tags(), IsEmpty());
}

TEST_F(RebuildStage, KeepsNoRebuildOfAnEarlierTest) {
  prove_all();
  rebuild_all();
  EXPECT_EQ(verdict(), "admitted");
  ASSERT_TRUE(withdraw_evidence(project.files, project.workspace, "cpu-py3.11"));
  EXPECT_THAT(load_rebuilds(project.files, project.workspace, *plan).value(), SizeIs(3));
  EXPECT_EQ(verdict(), "record-missing");
  plan_with("content");
  EXPECT_THAT(load_rebuilds(project.files, project.workspace, *plan).value(), IsEmpty()) << "of another plan";
}

}  // namespace
}  // namespace crategate::stages
