// The gate: it admits exactly the tested image, and every single deviation is refused with its reason.
#include "pipeline/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <tuple>

#include "base/strings.h"
#include "unit/pipeline/evidence.h"
#include "unit/pipeline/scan_sample.h"

namespace crategate::pipeline {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Evidence {
  Plan plan = sample::plan();
  Record record = sample::record(plan);
  ObservedImage observed = sample::observed();
  Demands demands{.ignore_labels = sample::ignored_labels(), .run = "1", .attempt = "2", .key = {}};

  CellVerdict judged() const { return judge(plan, plan.cells.front(), record, observed, demands); }
};

std::vector<Reason> reasons(const CellVerdict& verdict) {
  std::vector<Reason> found;
  for (const auto& finding : verdict.findings) found.push_back(finding.reason);
  return found;
}

TEST(GateJudge, AdmitsTheTestedImage) {
  const auto verdict = Evidence().judged();
  EXPECT_TRUE(verdict.admitted);
  EXPECT_EQ(verdict.cell, "cpu-py3.11");
  EXPECT_THAT(verdict.findings, IsEmpty());
}

/// The same image, scanned as the plan asks.
Evidence scanned() {
  Evidence evidence;
  evidence.plan = sample::scanned_plan();
  evidence.record = sample::record(evidence.plan);
  evidence.record.scan = sample::scan(evidence.plan);
  return evidence;
}

TEST(GateJudge, AdmitsAScannedImageBelowTheThreshold) {
  EXPECT_TRUE(scanned().judged().admitted);
  auto evidence = scanned();
  evidence.record.scan->counts = {};
  evidence.record.scan->verdict = ScanVerdict::passed;
  EXPECT_TRUE(evidence.judged().admitted);
}

TEST(GateJudge, RefusesAScanThatIsNotThePlans) {
  const auto critical = [](Evidence& e) { e.record.scan->counts.by_severity.back() = 1; };
  const std::tuple<std::string, Reason, std::function<void(Evidence&)>> rows[] = {
      {"none", Reason::scan_not_passed, [](Evidence& e) { e.record.scan.reset(); }},
      {"a finding at the threshold", Reason::scan_not_passed, critical},
      {"called clean", Reason::scan_not_passed, [](Evidence& e) { e.record.scan->verdict = ScanVerdict::passed; }},
      {"called failed", Reason::scan_not_passed, [](Evidence& e) { e.record.scan->verdict = ScanVerdict::failed; }},
      {"another threshold", Reason::scan_not_passed, [](Evidence& e) { e.record.scan->policy.severity = "none"; }},
      {"less looked at", Reason::scan_not_passed, [](Evidence& e) { e.record.scan->policy.ignore_unfixed = true; }},
      {"another image", Reason::config_differs,
       [](Evidence& e) { e.record.scan->config_digest = oci::Digest::of(""); }},
      {"another plan", Reason::record_foreign, [](Evidence& e) { e.record.scan->plan_id = "x"; }},
      {"another cell", Reason::record_foreign, [](Evidence& e) { e.record.scan->cell = "x"; }}};
  for (const auto& [what, reason, change] : rows) {
    auto evidence = scanned();
    change(evidence);
    const auto verdict = evidence.judged();
    EXPECT_FALSE(verdict.admitted) << what;
    EXPECT_THAT(reasons(verdict), Contains(reason)) << what;
  }
  Evidence unasked;
  unasked.record.scan = scanned().record.scan;
  EXPECT_THAT(reasons(unasked.judged()), ::testing::ElementsAre(Reason::scan_not_passed));
}

TEST(GateJudge, IgnoresOnlyTheLabelsItIsToldToIgnore) {
  Evidence evidence;
  evidence.observed.config.config.labels["org.opencontainers.image.created"] = "2027-01-01T00:00:00Z";
  EXPECT_TRUE(evidence.judged().admitted);
  evidence.demands.ignore_labels.clear();
  EXPECT_FALSE(evidence.judged().admitted);
}

// B22
TEST(GateJudge, RefusesWhenRecordIsAbsent) {
  const Evidence evidence;
  const auto verdict = judge(evidence.plan, evidence.plan.cells.front(), std::nullopt, evidence.observed, {});
  EXPECT_FALSE(verdict.admitted);
  EXPECT_THAT(reasons(verdict), ::testing::ElementsAre(Reason::record_missing));
}

TEST(GateJudge, RefusesWhenCandidateIsAbsent) {
  const Evidence evidence;
  const auto verdict =
      judge(evidence.plan, evidence.plan.cells.front(), evidence.record, std::nullopt, evidence.demands);
  EXPECT_THAT(reasons(verdict), ::testing::ElementsAre(Reason::candidate_missing));
}

struct Deviation {
  std::string what;
  Reason reason;
  std::function<void(Evidence&)> apply;
};

void PrintTo(const Deviation& row, std::ostream* out) { *out << row.what; }

class GateDeviations : public ::testing::TestWithParam<Deviation> {};

TEST_P(GateDeviations, AreRefusedWithTheirReason) {
  Evidence evidence;
  GetParam().apply(evidence);
  const auto verdict = evidence.judged();
  EXPECT_FALSE(verdict.admitted);
  EXPECT_THAT(reasons(verdict), Contains(GetParam().reason));
  for (const auto& finding : verdict.findings) {
    EXPECT_FALSE(finding.expected.empty());
    EXPECT_FALSE(finding.found.empty());
    EXPECT_NE(finding.expected, finding.found);
    EXPECT_THAT(finding.remedy, HasSubstr("cpu-py3.11"));
    EXPECT_EQ(finding.cell, "cpu-py3.11");
  }
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

const oci::Digest kOther = oci::Digest::of("other");
const std::string kHashOfLineFeed = "01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b";
const std::string kHashOfNoLayers = "37517e5f3dc66819f61f5a7bb8ace1921282415f10551d2defa5c3eb0985b570";
const std::string kHashOfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// A67: each field that binds a record, swapped; a record of another run, commit or cell that came as an artifact.
INSTANTIATE_TEST_SUITE_P(
    Binding, GateDeviations,
    ::testing::Values(
        Deviation{"run", Reason::record_foreign, [](Evidence& e) { e.record.run = "2"; }},
        Deviation{"no run", Reason::record_foreign, [](Evidence& e) { e.record.run.clear(); }},
        Deviation{"a later attempt", Reason::record_foreign, [](Evidence& e) { e.record.attempt = "3"; }},
        Deviation{"no attempt", Reason::record_foreign, [](Evidence& e) { e.record.attempt.clear(); }},
        Deviation{"attempt 0", Reason::record_foreign, [](Evidence& e) { e.record.attempt = "0"; }},
        Deviation{"an attempt that is no number", Reason::record_foreign, [](Evidence& e) { e.record.attempt = "1 "; }},
        Deviation{"plan", Reason::record_foreign, [](Evidence& e) { e.record.plan_id = "sha256:0"; }},
        Deviation{"no plan", Reason::record_foreign, [](Evidence& e) { e.record.plan_id.clear(); }},
        Deviation{"commit", Reason::record_foreign, [](Evidence& e) { e.record.commit = std::string(40, 'f'); }},
        Deviation{"no commit", Reason::record_foreign, [](Evidence& e) { e.record.commit.clear(); }},
        Deviation{"cell", Reason::record_foreign, [](Evidence& e) { e.record.cell = "cuda-py3.11"; }},
        Deviation{"platform", Reason::platform_differs, [](Evidence& e) { e.record.platform.architecture = "arm64"; }},
        Deviation{"plan of the tests", Reason::record_foreign, [](Evidence& e) { e.record.tests.plan_id = "x"; }},
        Deviation{"cell of the tests", Reason::record_foreign, [](Evidence& e) { e.record.tests.cell = "x"; }}));

INSTANTIATE_TEST_SUITE_P(
    Tests, GateDeviations,
    ::testing::Values(Deviation{"failed", Reason::tests_not_passed,
                                [](Evidence& e) { e.record.tests.verdict = TestVerdict::failed; }},
                      Deviation{"none ran", Reason::tests_not_passed,
                                [](Evidence& e) { e.record.tests.verdict = TestVerdict::none_ran; }},
                      Deviation{"timed out", Reason::tests_not_passed,
                                [](Evidence& e) { e.record.tests.verdict = TestVerdict::timed_out; }},
                      Deviation{"cancelled", Reason::tests_not_passed,
                                [](Evidence& e) { e.record.tests.verdict = TestVerdict::cancelled; }},
                      Deviation{"not configured, though the plan has tests", Reason::tests_not_passed,
                                [](Evidence& e) { e.record.tests = {}; }},
                      Deviation{"passed with a failed one", Reason::tests_not_passed,
                                [](Evidence& e) { e.record.tests.failed = 1; }},
                      Deviation{"passed with an exit code", Reason::tests_not_passed,
                                [](Evidence& e) { e.record.tests.exit_code = 1; }},
                      Deviation{"of another image", Reason::config_differs,
                                [](Evidence& e) { e.record.tests.config_digest = kOther; }},
                      Deviation{"of an unknown image", Reason::config_differs,
                                [](Evidence& e) { e.record.tests.config_digest.reset(); }}));

// A68: constants of nothing, and what is no digest.
INSTANTIATE_TEST_SUITE_P(
    Evidence, GateDeviations,
    ::testing::Values(
        Deviation{"fingerprint", Reason::config_differs,
                  [](auto& e) { e.record.fingerprint = "v1:" + kOther.text().substr(7); }},
        Deviation{"no fingerprint", Reason::empty_evidence, [](auto& e) { e.record.fingerprint.clear(); }},
        Deviation{"prefix only", Reason::empty_evidence, [](auto& e) { e.record.fingerprint = "v1:"; }},
        Deviation{"fingerprint of nothing", Reason::empty_evidence,
                  [](auto& e) { e.record.fingerprint = "v1:" + kHashOfNothing; }},
        Deviation{"layer text", Reason::layer_differs, [](auto& e) { e.record.layer_text = kOther.text().substr(7); }},
        Deviation{"no layer text", Reason::empty_evidence, [](auto& e) { e.record.layer_text.clear(); }},
        Deviation{"layer text of a missing image", Reason::empty_evidence,
                  [](auto& e) { e.record.layer_text = kHashOfLineFeed; }},
        Deviation{"layer text of no layers", Reason::empty_evidence,
                  [](auto& e) { e.record.layer_text = kHashOfNoLayers; }},
        Deviation{"layer text of nothing", Reason::empty_evidence,
                  [](auto& e) { e.record.layer_text = kHashOfNothing; }},
        Deviation{"layer text in upper case", Reason::layer_differs,
                  [](auto& e) { e.record.layer_text = upper(e.record.layer_text); }},
        Deviation{"layer text of 63 digits", Reason::layer_differs, [](auto& e) { e.record.layer_text.pop_back(); }},
        Deviation{"layer text with a line end", Reason::layer_differs, [](auto& e) { e.record.layer_text += "\r\n"; }},
        Deviation{"layer text of two lines", Reason::layer_differs,
                  [](auto& e) { e.record.layer_text += "\n" + e.record.layer_text; }},
        Deviation{"layer text of a mebibyte", Reason::layer_differs,
                  [](auto& e) { e.record.layer_text.append(1u << 20, 'a'); }},
        Deviation{"one layer less", Reason::layer_differs, [](auto& e) { e.record.diff_ids.pop_back(); }},
        Deviation{"layers swapped", Reason::layer_differs,
                  [](auto& e) { std::swap(e.record.diff_ids[0], e.record.diff_ids[1]); }},
        Deviation{"config digest", Reason::config_differs, [](auto& e) { e.record.config_digest = kOther; }},
        Deviation{"config digest of nothing", Reason::empty_evidence,
                  [](auto& e) { e.record.config_digest = oci::Digest::of(""); }},
        Deviation{"manifest digest", Reason::candidate_swapped, [](auto& e) { e.record.manifest_digest = kOther; }},
        Deviation{"manifest size", Reason::candidate_swapped, [](auto& e) { e.record.manifest_size = 9; }},
        Deviation{"manifest digest of nothing", Reason::empty_evidence,
                  [](auto& e) { e.record.manifest_digest = oci::Digest::of(""); }},
        Deviation{"no candidate", Reason::candidate_missing, [](auto& e) { e.record.candidate.clear(); }},
        Deviation{"candidate of another repository", Reason::candidate_swapped,
                  [](auto& e) { e.record.candidate = "evil/image@" + e.record.manifest_digest.text(); }},
        Deviation{"candidate by another digest", Reason::candidate_swapped,
                  [](auto& e) { e.record.candidate = e.plan.cells[0].candidate + "@" + kOther.text(); }},
        Deviation{"candidate by tag", Reason::candidate_swapped,
                  [](auto& e) { e.record.candidate = e.plan.cells[0].candidate + ":v1.2.3"; }},
        Deviation{"an image without layers", Reason::empty_evidence, [](auto& e) {
                    e.record.diff_ids.clear();
                    e.record.layer_text = kHashOfNoLayers;
                    e.observed.config.diff_ids.clear();
                    e.observed.manifest.layers.clear();
                  }}));

INSTANTIATE_TEST_SUITE_P(
    Candidate, GateDeviations,
    ::testing::Values(
        Deviation{"another manifest", Reason::candidate_swapped, [](auto& e) { e.observed.manifest_digest = kOther; }},
        Deviation{"another config", Reason::config_differs,
                  [](auto& e) { e.observed.manifest.config.digest = kOther; }},
        Deviation{"another ENV, same layers (R1)", Reason::config_differs,
                  [](auto& e) { e.observed.config.config.env.push_back("LD_PRELOAD=/evil.so"); }},
        Deviation{"another ENTRYPOINT", Reason::config_differs,
                  [](auto& e) { e.observed.config.config.entrypoint = {"sh"}; }},
        Deviation{"another USER", Reason::config_differs, [](auto& e) { e.observed.config.config.user = "0"; }},
        Deviation{"another label", Reason::config_differs, [](auto& e) { e.observed.config.config.labels["a"] = "b"; }},
        Deviation{"another layer", Reason::layer_differs, [](auto& e) { e.observed.config.diff_ids[1] = kOther; }},
        Deviation{"a layer more", Reason::layer_differs, [](auto& e) { e.observed.config.diff_ids.push_back(kOther); }},
        Deviation{"a manifest layer less", Reason::layer_differs,
                  [](auto& e) { e.observed.manifest.layers.pop_back(); }},
        Deviation{"another architecture", Reason::platform_differs,
                  [](auto& e) { e.observed.config.platform.architecture = "arm64"; }},
        Deviation{"another system", Reason::platform_differs,
                  [](auto& e) { e.observed.config.platform.os = "windows"; }}));

TEST(GateJudge, NamesTheInstructionOfALayerThatDiffers) {
  Evidence evidence;
  evidence.observed.config.diff_ids[1] = kOther;
  std::string found;
  for (const auto& finding : evidence.judged().findings) found += finding.found;
  EXPECT_THAT(found, AllOf(HasSubstr("RUN make install"), HasSubstr(kOther.text())));
}

TEST(GateJudge, SaysOnceThatPlatformOrLayersMakeAnotherConfiguration) {
  Evidence evidence;
  evidence.observed.config.diff_ids[1] = kOther;
  evidence.observed.manifest.config.digest = kOther;
  EXPECT_THAT(reasons(evidence.judged()), ::testing::ElementsAre(Reason::layer_differs));
  evidence.observed.config.config.env.emplace_back("A=b");
  EXPECT_THAT(reasons(evidence.judged()), ::testing::ElementsAre(Reason::layer_differs, Reason::config_differs));
  evidence = {};
  evidence.observed.config.platform.architecture = "arm64";
  evidence.observed.manifest.config.digest = kOther;
  EXPECT_THAT(reasons(evidence.judged()), ::testing::ElementsAre(Reason::platform_differs));
}

TEST(GateJudge, NamesTheKeysThatDifferWhereTheTestedConfigurationIsKnown) {
  Evidence evidence;
  evidence.observed.tested = evidence.observed.config;
  evidence.observed.config.config.user = "0";
  evidence.observed.manifest.config.digest = kOther;
  const auto verdict = evidence.judged();
  ASSERT_THAT(reasons(verdict), ::testing::ElementsAre(Reason::config_differs));
  EXPECT_THAT(verdict.findings.front().details, ::testing::ElementsAre(HasSubstr("config.User")));
}

TEST(GateJudge, ListsEveryLayerThatDiffers) {
  Evidence evidence;
  evidence.observed.config.diff_ids = {kOther, kOther};
  const auto verdict = evidence.judged();
  ASSERT_THAT(reasons(verdict), ::testing::ElementsAre(Reason::layer_differs));
  EXPECT_THAT(verdict.findings.front().details, ::testing::SizeIs(2));
  EXPECT_THAT(verdict.findings.front().found, HasSubstr("and 1 more"));
}

TEST(GateJudge, JudgesNothingElseOfARecordWithoutTheSignature) {
  Evidence evidence;
  evidence.demands.key = Secret(std::string(32, 'k'));
  evidence.record.tests.failed = 1;
  EXPECT_THAT(reasons(evidence.judged()), ::testing::ElementsAre(Reason::signature_invalid));
  evidence.record.signature = signature_of(evidence.record, evidence.demands.key);
  EXPECT_THAT(reasons(evidence.judged()), ::testing::ElementsAre(Reason::tests_not_passed));
  evidence.demands.key = {};
  evidence.record = sample::record(evidence.plan);
  evidence.record.signature = "whatever";
  EXPECT_TRUE(evidence.judged().admitted);
}

TEST(GateJudge, RefusesACandidateThatIsNoImage) {
  const Evidence evidence;
  const auto verdict =
      judge(evidence.plan, evidence.plan.cells.front(), evidence.record, std::nullopt, evidence.demands, "an index");
  EXPECT_THAT(reasons(verdict), ::testing::ElementsAre(Reason::candidate_swapped));
  EXPECT_EQ(verdict.findings.front().found, "an index");
}

TEST(GateJudge, RefusesLayersThatAreKeptElsewhere) {
  for (const std::string type : {"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
                                 "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"}) {
    Evidence evidence;
    evidence.observed.manifest.layers[1].media_type = type;
    EXPECT_THAT(reasons(evidence.judged()), ::testing::ElementsAre(Reason::candidate_swapped)) << type;
  }
}

TEST(GateJudge, WantsTheTextValueAloneInTheFileBesideTheRecord) {
  const auto record = sample::record(sample::plan());
  EXPECT_FALSE(judge_digest_text(record, record.layer_text + "\n"));
  for (const std::optional<std::string>& text :
       {std::optional<std::string>(), std::optional<std::string>(""), std::optional(record.layer_text),
        std::optional(record.layer_text + "\r\n"), std::optional(upper(record.layer_text) + "\n")}) {
    const auto finding = judge_digest_text(record, text);
    ASSERT_TRUE(finding) << text.value_or("none");
    EXPECT_EQ(finding->reason, Reason::digest_text_differs);
    EXPECT_THAT(finding->remedy, HasSubstr(record.cell));
  }
}

TEST(GateJudge, AdmitsACellWithoutTestsOnlyWhereThePlanHasNone) {
  auto project = sample::configuration();
  project.test.reset();
  Evidence evidence;
  evidence.plan = *compute_plan(sample::facts(), project);
  evidence.record = sample::record(evidence.plan);
  evidence.record.tests = {};
  EXPECT_TRUE(evidence.judged().admitted);
}

TEST(GateJudge, TakesArm64AndArm64V8AsOnePlatform) {
  auto project = sample::configuration();
  project.build.platforms = {{.architecture = "arm64"}};
  Evidence evidence;
  evidence.plan = *compute_plan(sample::facts(), project);
  evidence.record = sample::record(evidence.plan);
  evidence.record.platform = {.architecture = "arm64", .variant = "v8"};
  evidence.observed.config.platform = {.architecture = "arm64", .variant = "v8"};
  evidence.record.fingerprint = image::fingerprint(evidence.observed.config, sample::ignored_labels());
  EXPECT_TRUE(evidence.judged().admitted);
  evidence.observed.config.platform.variant = "v9";
  EXPECT_FALSE(evidence.judged().admitted);
}

TEST(GateJudge, BindsACandidateInALayoutByItsDigest) {
  auto facts = sample::facts();
  facts.destination.layout = true;
  Evidence evidence;
  evidence.plan = *compute_plan(facts, sample::configuration());
  evidence.record = sample::record(evidence.plan);
  EXPECT_TRUE(evidence.judged().admitted);
  evidence.record.candidate = "oci:.crategate/images@" + evidence.record.manifest_digest.text();
  EXPECT_TRUE(evidence.judged().admitted);
  evidence.record.candidate = "oci:.crategate/images@" + kOther.text();
  EXPECT_FALSE(evidence.judged().admitted);
}

TEST(Gate, AdmitsAPlanOnlyWithEveryCellAndAtLeastOne) {
  EXPECT_FALSE(Verdict{}.admitted());
  EXPECT_TRUE((Verdict{{{"a", true, {}}}}).admitted());
  EXPECT_FALSE((Verdict{{{"a", true, {}}, {"b", false, {}}}}).admitted());
}

TEST(Gate, HasAStableIdForEachReason) {
  const std::pair<Reason, std::string> ids[] = {
      {Reason::record_missing, "record-missing"},       {Reason::record_unreadable, "record-unreadable"},
      {Reason::record_foreign, "record-foreign"},       {Reason::tests_not_passed, "tests-not-passed"},
      {Reason::scan_not_passed, "scan-not-passed"},     {Reason::candidate_missing, "candidate-missing"},
      {Reason::candidate_swapped, "candidate-swapped"}, {Reason::config_differs, "config-differs"},
      {Reason::layer_differs, "layer-differs"},         {Reason::platform_differs, "platform-differs"},
      {Reason::empty_evidence, "empty-evidence"},       {Reason::content_differs, "content-differs"},
      {Reason::signature_invalid, "signature-invalid"}, {Reason::digest_text_differs, "digest-text-differs"}};
  for (const auto& [reason, id] : ids) EXPECT_EQ(to_string(reason), id);
  EXPECT_EQ(std::size(ids), kReasons.size());
}

// A90: the plan says what the base of every build is.
TEST(GateJudge, RefusesARecordOfAnotherBaseThanThePlans) {
  Evidence evidence;
  evidence.plan.cells.front().base_digest = kOther;
  evidence.record.base = Base{.name = evidence.plan.cells.front().base, .digest = kOther};
  EXPECT_TRUE(evidence.judged().admitted);
  evidence.record.base->digest = oci::Digest::of("an old base");
  const auto verdict = evidence.judged();
  EXPECT_FALSE(verdict.admitted);
  EXPECT_THAT(reasons(verdict), Contains(Reason::record_foreign));
}

}  // namespace
}  // namespace crategate::pipeline
