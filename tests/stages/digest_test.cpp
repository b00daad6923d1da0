// digest: what is stored, what is written down, and what is refused.
#include "stages/digest.h"

#include <gmock/gmock.h>

#include "image/fingerprint.h"
#include "oci/media_types.h"
#include "stages/release_fixture.h"

namespace crategate::stages {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class DigestStage : public sample::Release {
 protected:
  DigestStage() { make_plan(); }
  Error refused() {
    const auto record = digest(cell());
    EXPECT_FALSE(record);
    EXPECT_THAT(writer.manifests, IsEmpty());
    EXPECT_FALSE(project.exists(".crategate/records/cpu-py3.11/record.json"));
    EXPECT_FALSE(project.exists(".crategate/records/cpu-py3.11/digest-cpu-py3.11.txt"));
    return record ? Error{} : record.error();
  }
};

TEST_F(DigestStage, WritesARecordThatSaysWhatWasTested) {
  const auto image = image_of(cell());
  test_passed(cell(), image);
  const auto record = digest(cell());
  ASSERT_TRUE(record) << describe(record.error());
  EXPECT_EQ(record->plan_id, plan->plan_id);
  EXPECT_EQ(record->run, "42");
  EXPECT_EQ(record->attempt, "1");
  EXPECT_EQ(record->commit, pipeline::sample::kCommit);
  EXPECT_EQ(record->cell, "cpu-py3.11");
  EXPECT_EQ(record->platform, oci::Platform{});
  EXPECT_EQ(record->diff_ids, image.diff_ids());
  EXPECT_EQ(record->config_digest, image.config_digest());
  EXPECT_EQ(record->tests.config_digest, image.config_digest());
  EXPECT_EQ(record->tests.total, 24);
  EXPECT_EQ(record->candidate, concat("braindotai/opencrate-cpu-py3.11@", record->manifest_digest.text()));
  EXPECT_EQ(record->fingerprint, image::fingerprint(oci::parse_image_config(image.config()).value(),
                                                    project.configuration.gate.ignore_labels));
  EXPECT_FALSE(record->scan);
  EXPECT_THAT(pipeline::to_json(*record), HasSubstr("\"scan\":\"not-scanned\""));
  EXPECT_EQ(record->finished_at, "2026-11-20T09:29:18Z");
  EXPECT_EQ(pipeline::to_json(record_of("cpu-py3.11")), pipeline::to_json(*record));
}

TEST_F(DigestStage, WritesTheSeedsValueBitForBit) {
  auto image = image_of(cell());
  image.layers = {"a", "b"};
  test_passed(cell(), image);
  ASSERT_TRUE(digest(cell()));
  // printf '[sha256:… sha256:…]\n' | sha256sum | cut -d' ' -f1
  EXPECT_EQ(project.read(".crategate/records/cpu-py3.11/digest-cpu-py3.11.txt"),
            sys::PosixProcessRunner()
                .run({.program = "/bin/sh",
                      .arguments = {"-c",
                                    "printf '[sha256:%s sha256:%s]\\n' $(printf a | sha256sum | cut -d' ' -f1) "
                                    "$(printf b | sha256sum | cut -d' ' -f1) | sha256sum | cut -d' ' -f1"},
                      .environment = {{"PATH", "/usr/bin:/bin"}}},
                     {})
                .value()
                .out);
}

TEST_F(DigestStage, SignsTheRecordWithTheSecretThatItIsGiven) {
  test_passed(cell(), image_of(cell()));
  const auto bare = digest(cell()).value();
  EXPECT_THAT(bare.signature, IsEmpty());
  signing = Secret(std::string(32, 'k'));
  const auto record = digest(cell()).value();
  EXPECT_EQ(record.signature, pipeline::signature_of(bare, signing));
  EXPECT_EQ(record_of("cpu-py3.11").signature, record.signature);
}

// Whatever the engine calls so may be of another commit.
TEST_F(DigestStage, RecordsForAPublicationOnlyWhatWasBuiltForThisPlan) {
  test_passed(cell(), image_of(cell()));
  ASSERT_TRUE(withdraw_built(project.files, project.workspace, cell().key));
  const auto refused = digest(cell());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::not_found);
  EXPECT_THAT(refused.error().message, HasSubstr("expected an image that was built for this plan"));
  EXPECT_THAT(writer.manifests, ::testing::IsEmpty());
  plan->policy.push = plan->policy.candidate = false;
  EXPECT_TRUE(digest(cell(), false)) << "a pull request publishes nothing";
}

TEST_F(DigestStage, StoresTheCandidateByDigestWithoutATag) {
  const auto image = image_of(cell());
  test_passed(cell(), image);
  const auto record = digest(cell()).value();
  EXPECT_THAT(tags(), IsEmpty());
  EXPECT_THAT(writer.manifests, ElementsAre(record.candidate));
  const auto stored = layout.find(record.manifest_digest).value();
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->descriptor.size, record.manifest_size);
  const auto manifest = oci::parse_manifest(stored->bytes, oci::kOciManifest).value();
  EXPECT_EQ(manifest.config.digest, image.config_digest());
  EXPECT_EQ(layout.read_blob(manifest.config.digest).value(), image.config());
  ASSERT_THAT(manifest.layers, SizeIs(2));
  for (const auto& layer : manifest.layers) EXPECT_TRUE(layout.has_blob(layer.digest).value());
}

TEST_F(DigestStage, GivesTheSameCandidateEveryTime) {
  test_passed(cell(), image_of(cell()));
  const auto first = digest(cell()).value();
  const auto second = digest(cell()).value();
  EXPECT_EQ(first.manifest_digest, second.manifest_digest);
  EXPECT_EQ(pipeline::to_json(first), pipeline::to_json(second));
}

TEST_F(DigestStage, TakesALayerThatAnotherCellStoredFromThere) {
  const auto alone = [&](const std::string& key) {
    test_passed(cell(key), image_of(cell(key)));
    return digest(cell(key)).value().manifest_digest;
  };
  const auto first = alone("cpu-py3.11"), second = alone("cpu-py3.13");
  for (const bool allowed : {true, false}) {
    StoredLayers shared;
    stored_layers = &shared;
    writer.mounts_allowed = allowed;
    writer.mounts.clear();
    EXPECT_EQ(alone("cpu-py3.11"), first);
    EXPECT_THAT(writer.mounts, IsEmpty());
    EXPECT_EQ(alone("cpu-py3.13"), second) << "the same candidate, whoever compressed its layers";
    EXPECT_THAT(writer.mounts, ElementsAre("braindotai/opencrate-cpu-py3.11 -> braindotai/opencrate-cpu-py3.13"));
    EXPECT_TRUE(layout.find(second).value());
  }
}

TEST_F(DigestStage, ReadsTheConfigurationOfExactlyTheTestedImageInTheContainerdStore) {
  engine.containerd_store = true;
  const auto image = image_of(cell());
  test_passed(cell(), image);
  // Another build under the same name in the meantime changes nothing.
  engine.add(local_image_name(*plan, cell()), image_of(cell(), " rebuilt"));
  const auto record = digest(cell());
  ASSERT_TRUE(record) << describe(record.error());
  EXPECT_THAT(engine.saved, ElementsAre(image.manifest_digest().text()));
  EXPECT_EQ(record->config_digest, image.config_digest());
  EXPECT_EQ(record->tests.config_digest, image.config_digest());
}

TEST_F(DigestStage, StoresTheTestedImageAlthoughItsNameMovedOn) {
  const auto image = image_of(cell());
  test_passed(cell(), image);
  engine.add(local_image_name(*plan, cell()), image_of(cell(), " rebuilt"));
  EXPECT_EQ(digest(cell()).value().config_digest, image.config_digest());
}

TEST_F(DigestStage, RefusesAnImageThatChangedBetweenTestAndDigest) {
  const auto image = image_of(cell());
  test_passed(cell(), image);
  auto tampered = image;
  tampered.env.emplace_back("LD_PRELOAD=/evil.so");
  engine.replace_archive(image.config_digest().text(), tampered.archive());
  const Error error = refused();
  EXPECT_EQ(exit_code(error.code), 10);
  EXPECT_THAT(error.message,
              AllOf(HasSubstr(image.config_digest().text()), HasSubstr(tampered.config_digest().text())));
}

TEST_F(DigestStage, RefusesAnImageWithoutLayers) {
  auto image = image_of(cell());
  image.layers.clear();
  test_passed(cell(), image);
  const Error error = refused();
  EXPECT_EQ(exit_code(error.code), 10);
  EXPECT_THAT(error.message, HasSubstr("empty-evidence"));
}

TEST_F(DigestStage, NeedsTestsOfThisPlanThatPassed) {
  EXPECT_EQ(exit_code(refused().code), 11);
  test_passed(cell(), image_of(cell()));
  auto result = load_test_result(project.files, project.workspace, *plan, "cpu-py3.11").value().value();
  const auto with = [&](const auto& change) {
    auto changed = result;
    change(changed);
    ASSERT_TRUE(
        write_state(project.files, project.workspace, test_result_file("cpu-py3.11"), pipeline::to_json(changed)));
    const Error error = refused();
    EXPECT_EQ(error.code, ErrorCode::tests_failed);
    EXPECT_THAT(error.hint, HasSubstr("crategate test --cell cpu-py3.11"));
  };
  with([](auto& changed) { changed.verdict = pipeline::TestVerdict::failed; });
  with([](auto& changed) { changed.verdict = pipeline::TestVerdict::none_ran; });
  with([](auto& changed) { changed.verdict = pipeline::TestVerdict::timed_out; });
  with([](auto& changed) { changed.verdict = pipeline::TestVerdict::cancelled; });
  with([](auto& changed) { changed.plan_id = "sha256:another"; });
  with([](auto& changed) { changed.cell = "cuda-py3.11"; });
}

TEST_F(DigestStage, RefusesATestResultThatItCannotRead) {
  project.write(".crategate/tests/cpu-py3.11.json", "{");
  EXPECT_EQ(refused().code, ErrorCode::bad_input);
}

TEST_F(DigestStage, StoresNoCandidateForAPullRequest) {
  test_passed(cell(), image_of(cell()));
  const auto record = digest(cell(), false);
  ASSERT_TRUE(record) << describe(record.error());
  EXPECT_EQ(record->candidate, "");
  EXPECT_THAT(writer.manifests, IsEmpty());
  EXPECT_EQ(writer.blobs, 0U);
  EXPECT_FALSE(layout.find(record->manifest_digest).value());
  EXPECT_TRUE(project.exists(".crategate/records/cpu-py3.11/digest-cpu-py3.11.txt"));
}

TEST_F(DigestStage, RefusesAnotherPlatform) {
  auto image = image_of(cell());
  image.architecture = "arm64";
  test_passed(cell(), image);
  EXPECT_THAT(describe(refused()), AllOf(HasSubstr("linux/amd64"), HasSubstr("linux/arm64")));
}

TEST_F(DigestStage, RefusesADamagedArchive) {
  const auto image = image_of(cell());
  test_passed(cell(), image);
  std::string archive = image.archive();
  archive.replace(archive.find("layer of"), 5, "LAYER");
  engine.replace_archive(image.config_digest().text(), archive);
  EXPECT_EQ(refused().code, ErrorCode::integrity);
  engine.replace_archive(image.config_digest().text(), image.archive().substr(0, 3000));
  EXPECT_EQ(refused().code, ErrorCode::integrity);
}

TEST_F(DigestStage, PassesOnWhatTheEngineFailedWith) {
  test_passed(cell(), image_of(cell()));
  engine.save_error = Error{ErrorCode::engine, "the engine went away", "Start it.", {}, {}, {}};
  const Error error = refused();
  EXPECT_EQ(error.code, ErrorCode::engine);
  EXPECT_THAT(describe(error), HasSubstr("image of cell cpu-py3.11"));
}

TEST_F(DigestStage, SaysThatTheRegistryServesSomethingElse) {
  test_passed(cell(), image_of(cell()));
  writer.serves = oci::Digest::of("something else");
  const auto record = digest(cell());
  ASSERT_FALSE(record);
  EXPECT_EQ(record.error().code, ErrorCode::integrity);
  EXPECT_FALSE(project.exists(".crategate/records/cpu-py3.11/record.json"));
}

TEST_F(DigestStage, TakesWhatWasBuiltWhereNoTestsAreConfigured) {
  project.configuration.test.reset();
  make_plan();
  const auto image = image_of(cell());
  const std::string id = engine.add(local_image_name(*plan, cell()), image);
  pipeline::TestResult none;
  none.plan_id = plan->plan_id;
  none.cell = "cpu-py3.11";
  ASSERT_TRUE(write_state(project.files, project.workspace, test_result_file("cpu-py3.11"), pipeline::to_json(none)));
  EXPECT_EQ(refused().code, ErrorCode::not_found);
  ASSERT_TRUE(save_built(project.files, project.workspace, Built{plan->plan_id, "cpu-py3.11", id, 1}));
  const auto record = digest(cell());
  ASSERT_TRUE(record) << describe(record.error());
  EXPECT_EQ(record->config_digest, image.config_digest());
  EXPECT_EQ(record->tests.verdict, pipeline::TestVerdict::not_configured);
}

TEST_F(DigestStage, LeavesNothingBesideItsFilesInTheStateDirectory) {
  test_passed(cell(), image_of(cell()));
  ASSERT_TRUE(digest(cell()));
  EXPECT_THAT(project.files.list(project.workspace.state()).value(),
              ElementsAre("builds", "images", "records", "tests"));
}

}  // namespace
}  // namespace crategate::stages
