// verify: the gate over a layout of real candidates. It has a reader only; a test cannot even give it a writer.
#include "stages/verify.h"

#include <gmock/gmock.h>

#include "stages/release_fixture.h"

namespace crategate::stages {
namespace {

static_assert(std::is_same_v<decltype(VerifyServices::reader), registry::RegistryReader&>);
static_assert(std::is_same_v<decltype(VerifyServices::files), const sys::FileSystem&>);
static_assert(!std::is_base_of_v<registry::RegistryWriter, registry::RegistryReader>);

using pipeline::Reason;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class VerifyStage : public sample::Release {
 protected:
  VerifyStage() {
    make_plan();
    prove_all();
  }
  Result<Evidence> verify() {
    return run_verify({project.configuration, *plan, plan->cells, project.workspace, run, attempt, signing},
                      {project.files, reader});
  }
  /// Exactly this cell is refused, and that among its reasons.
  void expect_refused(const std::string& key, Reason reason) {
    const auto evidence = verify();
    ASSERT_TRUE(evidence) << describe(evidence.error());
    EXPECT_FALSE(evidence->verdict.admitted());
    for (const auto& each : evidence->verdict.cells) EXPECT_EQ(each.admitted, each.cell != key) << each.cell;
    std::vector<std::string> reasons;
    for (const auto& each : evidence->verdict.cells) {
      for (const auto& finding : each.findings) reasons.emplace_back(to_string(finding.reason));
    }
    EXPECT_THAT(reasons, ::testing::Contains(std::string(to_string(reason))));
    EXPECT_FALSE(evidence->admitted.contains(key));
    const auto required = require_admitted(evidence->verdict);
    ASSERT_FALSE(required);
    EXPECT_EQ(exit_code(required.error().code), 10);
    EXPECT_THAT(required.error().message,
                AllOf(HasSubstr("1 of 4 cells refused"), HasSubstr(key), HasSubstr("nothing was published")));
    EXPECT_THAT(required.error().hint, HasSubstr("docs/gate.md#"));
  }
  std::string attempt = "2";
  void change_record(const std::string& key, const std::function<void(pipeline::Record&)>& change) {
    auto record = record_of(key);
    change(record);
    write_record(key, record);
  }
};

TEST_F(VerifyStage, AdmitsWhatWasTested) {
  const auto evidence = verify();
  ASSERT_TRUE(evidence) << describe(evidence.error());
  EXPECT_TRUE(evidence->verdict.admitted());
  EXPECT_TRUE(require_admitted(evidence->verdict));
  ASSERT_THAT(evidence->admitted, SizeIs(4));
  EXPECT_EQ(evidence->admitted.at("cuda-py3.13").digest, candidate("cuda-py3.13"));
}

TEST_F(VerifyStage, JudgesOneCellWhenAskedTo) {
  std::filesystem::remove_all(project / ".crategate/records/cuda-py3.13");
  const auto evidence =
      run_verify({project.configuration, *plan, {cell()}, project.workspace, run}, {project.files, reader});
  ASSERT_TRUE(evidence);
  EXPECT_TRUE(evidence->verdict.admitted());
}

TEST_F(VerifyStage, RefusesWhenARecordIsMissing) {
  std::filesystem::remove(project / ".crategate/records/cuda-py3.11/record.json");
  expect_refused("cuda-py3.11", Reason::record_missing);
  project.write(".crategate/records/cuda-py3.11/record.json", "");  // withdrawn, as `test` does before it runs
  expect_refused("cuda-py3.11", Reason::record_missing);
}

TEST_F(VerifyStage, RefusesARecordThatItCannotRead) {
  const std::string file = ".crategate/records/cuda-py3.11/record.json";
  const std::string sound = project.read(file);
  for (const std::string& text :
       {std::string("{"), std::string("null"), sound.substr(0, 100), replace_all(sound, "\"schema\":1", "\"schema\":2"),
        replace_all(sound, "{\"attempt\"", "{\"more\":1,\"attempt\"")}) {
    SCOPED_TRACE(text);
    project.write(file, text);
    expect_refused("cuda-py3.11", Reason::record_unreadable);
  }
  project.link("/proc/self/environ", file);
  expect_refused("cuda-py3.11", Reason::record_unreadable);
  std::filesystem::remove(project / file);
  std::filesystem::create_directories(project / file);
  expect_refused("cuda-py3.11", Reason::record_unreadable);
}

TEST_F(VerifyStage, RefusesARecordOfAnotherPlanCommitRunOrCell) {
  const auto sound = record_of("cuda-py3.11");
  const auto refuse = [&](const std::function<void(pipeline::Record&)>& change) {
    change_record("cuda-py3.11", change);
    expect_refused("cuda-py3.11", Reason::record_foreign);
    write_record("cuda-py3.11", sound);
  };
  refuse([](auto& record) { record.plan_id = "sha256:another"; });
  refuse([](auto& record) { record.commit = std::string(40, 'd'); });
  refuse([](auto& record) { record.run = "41"; });
  refuse([](auto& record) { record.cell = "cpu-py3.11"; });
  refuse([](auto& record) { record.tests.plan_id = "sha256:another"; });
  refuse([this](auto& record) { record = record_of("cpu-py3.11"); });
}

TEST_F(VerifyStage, AdmitsAnotherAttemptOfTheSameRunAndAnyRunOutsideOfAWorkflow) {
  change_record("cuda-py3.11", [](auto& record) { record.attempt = "2"; });
  EXPECT_TRUE(verify()->verdict.admitted());
  run.clear();
  change_record("cuda-py3.11", [](auto& record) { record.run = "7"; });
  EXPECT_TRUE(verify()->verdict.admitted());
}

TEST_F(VerifyStage, RefusesARecordOfALaterAttempt) {
  change_record("cuda-py3.11", [](auto& record) { record.attempt = "3"; });
  expect_refused("cuda-py3.11", Reason::record_foreign);
}

TEST_F(VerifyStage, RefusesWhatIsNotSignedWithTheSecretInForce) {
  signing = Secret(std::string(32, 'k'));
  EXPECT_FALSE(verify()->verdict.admitted());
  prove_all();
  EXPECT_TRUE(verify()->verdict.admitted());
  const auto sound = record_of("cuda-py3.11");
  change_record("cuda-py3.11", [](auto& record) { record.finished_at = "2026-11-20T09:29:19Z"; });
  expect_refused("cuda-py3.11", Reason::signature_invalid);
  write_record("cuda-py3.11", sound);
  change_record("cuda-py3.11", [](auto& record) { record.signature.clear(); });
  expect_refused("cuda-py3.11", Reason::signature_invalid);
}

TEST_F(VerifyStage, RefusesAnotherTextValueBesideTheRecord) {
  const std::string file = ".crategate/records/cuda-py3.11/digest-cuda-py3.11.txt";
  const std::string sound = project.read(file);
  for (const std::string& text : {std::string(), sound + sound, replace_all(sound, "\n", "\r\n"), sound.substr(0, 64),
                                  std::string(64, '0') + "\n", std::string(1u << 20, '0')}) {
    project.write(file, text);
    expect_refused("cuda-py3.11", Reason::digest_text_differs);
  }
  std::filesystem::remove(project / file);
  expect_refused("cuda-py3.11", Reason::digest_text_differs);
  project.link("/proc/self/environ", file);
  expect_refused("cuda-py3.11", Reason::digest_text_differs);
}

TEST_F(VerifyStage, RefusesTestsThatDidNotPass) {
  const auto sound = record_of("cuda-py3.11");
  for (const auto verdict : {pipeline::TestVerdict::failed, pipeline::TestVerdict::none_ran,
                             pipeline::TestVerdict::timed_out, pipeline::TestVerdict::not_configured}) {
    change_record("cuda-py3.11", [&](auto& record) { record.tests.verdict = verdict; });
    expect_refused("cuda-py3.11", Reason::tests_not_passed);
    write_record("cuda-py3.11", sound);
  }
}

TEST_F(VerifyStage, RefusesACandidateWithAnotherEnvAndTheSameLayers) {
  // R1: the layers agree, so the seed's value does, too.
  auto tampered = image_of(cell("cuda-py3.11"));
  tampered.env.emplace_back("LD_PRELOAD=/evil.so");
  const auto sound = record_of("cuda-py3.11");
  test_passed(cell("cuda-py3.11"), tampered);
  ASSERT_TRUE(digest(cell("cuda-py3.11")));
  const auto other = record_of("cuda-py3.11");
  ASSERT_EQ(other.layer_text, sound.layer_text);
  ASSERT_NE(other.manifest_digest, sound.manifest_digest);
  auto record = sound;
  record.manifest_digest = other.manifest_digest;
  record.candidate = other.candidate;
  write_record("cuda-py3.11", record);
  expect_refused("cuda-py3.11", Reason::config_differs);
}

TEST_F(VerifyStage, RefusesSwappedCandidates) {
  const auto first = record_of("cpu-py3.11");
  change_record("cuda-py3.11", [&](auto& record) {
    record.manifest_digest = first.manifest_digest;
    record.candidate = concat("braindotai/opencrate-cuda-py3.11@", first.manifest_digest.text());
  });
  expect_refused("cuda-py3.11", Reason::layer_differs);
}

TEST_F(VerifyStage, RefusesARecordThatNamesAnotherPlace) {
  change_record("cuda-py3.11",
                [&](auto& record) { record.candidate = concat("evil/app@", oci::Digest::of("x").text()); });
  expect_refused("cuda-py3.11", Reason::candidate_swapped);
}

TEST_F(VerifyStage, RefusesWhenTheCandidateIsGone) {
  std::filesystem::remove(layout.directory() / "blobs/sha256" / candidate("cuda-py3.11").hex());
  expect_refused("cuda-py3.11", Reason::candidate_missing);
}

TEST_F(VerifyStage, RefusesARecordWithoutACandidate) {
  change_record("cuda-py3.11", [](auto& record) { record.candidate.clear(); });
  expect_refused("cuda-py3.11", Reason::candidate_missing);
}

TEST_F(VerifyStage, CannotTellWhenTheBytesOfACandidateWereChanged) {
  const auto path = layout.directory() / "blobs/sha256" / candidate("cuda-py3.11").hex();
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  const auto evidence = verify();
  ASSERT_FALSE(evidence);
  EXPECT_EQ(evidence.error().code, ErrorCode::integrity);
  EXPECT_THAT(describe(evidence.error()), HasSubstr("gate of cell cuda-py3.11"));
}

TEST_F(VerifyStage, CannotTellWhenTheRegistryIsDown) {
  for (const auto code :
       {ErrorCode::unavailable, ErrorCode::unauthenticated, ErrorCode::forbidden, ErrorCode::rate_limited}) {
    reader.down = Error{code, "the registry said no", "", {}, {}, {}};
    EXPECT_EQ(verify().error().code, code);
  }
}

TEST(RequireAdmitted, RefusesAVerdictOfNothing) {
  EXPECT_EQ(require_admitted({}).error().code, ErrorCode::gate_refused);
}

}  // namespace
}  // namespace crategate::stages
