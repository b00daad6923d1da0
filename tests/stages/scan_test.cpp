// scan: how the scanner is run, what of its report counts, and what is written down.
#include "stages/scan.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "stages/build.h"
#include "stages/project.h"
#include "stages/release_fixture.h"
#include "support/fake_engine.h"
#include "support/scripted_process_runner.h"
#include "sys/cancel.h"
#include "unit/pipeline/scan_sample.h"

namespace crategate::stages {
namespace {

using pipeline::ScanVerdict;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char* kPinned = "aquasec/trivy@sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc";

class ScanStage : public sample::Release {
 protected:
  ScanStage() {
    project.configuration.scan = config::Scan{};
    replan();
    id = engine.add(local_image_name(*plan, cell()), image);
    environment.set("DOCKER_HOST", "unix:///run/docker.sock");
    environment.set("DOCKERHUB_TOKEN", "secret");
    environment.set("TRIVY_SEVERITY", "LOW");
    environment.set("TRIVY_DB_REPOSITORY", "mirror/db");
  }
  void replan() { make_plan(); }
  ScanInputs inputs() const { return {project.configuration, *plan, cell(), project.workspace}; }
  Result<std::optional<Scanned>> scan() {
    return run_scan(inputs(), {project.files, {processes, environment}, engine, progress});
  }
  /// The report of this very image.
  std::string report() const {
    return replace_all(pipeline::sample::trivy_report(), oci::Digest::of("config").text(),
                       image.config_digest().text());
  }
  void knows_version() { processes.expect({"trivy", "--version"}, {.out = "Version: 0.65.0\nDB: 2\n", .err = {}}); }
  /// The program leaves `report` (nullopt: nothing) and ends so.
  void program_leaves(std::optional<std::string> bytes, sys::ProcessOutcome outcome = {}) {
    knows_version();
    processes.expect_where(
        "trivy image", [](const sys::Command& command) { return command.arguments.front() == "image"; },
        [this, bytes = std::move(bytes), outcome](const sys::Command& command, const sys::RunOptions& options) {
          command_ = command;
          archive = files.read(command.directory / "in/image.tar").value().value();
          if (bytes) static_cast<void>(files.write_below(command.directory, "out/report.json", *bytes));
          options.on_output(sys::Stream::out, "INFO Detected OS\nFATAL no database\n");
          return Result<sys::ProcessOutcome>(outcome);
        });
  }
  Error refused() {
    const auto scanned = scan();
    EXPECT_FALSE(scanned);
    EXPECT_EQ(load_scan_result(project.files, project.workspace, *plan, cell().key).value(), std::nullopt);
    return scanned ? Error{} : scanned.error();
  }

  sys::FileSystem& files = project.files;
  test::TestImage image;
  std::string id, archive;
  sys::Command command_;
  test::ScriptedProcessRunner processes;
  test::FakeEnvironment environment{{{"PATH", "/usr/bin:/bin"}, {"HOME", "/home/me"}}};
  std::vector<std::string> lines;
  Progress progress = [this](std::string_view line) { lines.emplace_back(line); };
};

TEST_F(ScanStage, IsNotDoneUnlessThePlanAsksForIt) {
  project.configuration.scan.reset();
  replan();
  const auto scanned = scan();
  ASSERT_TRUE(scanned);
  EXPECT_FALSE(*scanned);
  EXPECT_EQ(describe_scan(inputs()), "");
}

TEST_F(ScanStage, GivesTheScannerTheVeryImageAndNothingElse) {
  program_leaves(report());
  ASSERT_TRUE(scan());
  EXPECT_EQ(archive, image.archive());
  EXPECT_THAT(command_.arguments,
              ElementsAre("image", "--input", "in/image.tar", "--format", "json", "--output", "out/report.json",
                          "--scanners", "vuln,secret", "--severity", "UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL", "--exit-code",
                          "0", "--no-progress", "--timeout", "660s"));
  EXPECT_EQ(command_.environment, (std::map<std::string, std::string>{{"PATH", "/usr/bin:/bin"},
                                                                      {"HOME", "/home/me"},
                                                                      {"TRIVY_DB_REPOSITORY", "mirror/db"},
                                                                      {"TRIVY_SKIP_VERSION_CHECK", "true"},
                                                                      {"TRIVY_DISABLE_TELEMETRY", "true"}}));
  EXPECT_FALSE(std::filesystem::exists(command_.directory)) << "the saved image is gone";
}

TEST_F(ScanStage, WritesTheResultBoundToPlanCellAndImage) {
  program_leaves(report(), {.elapsed = std::chrono::milliseconds(2100)});
  const auto scanned = scan();
  ASSERT_TRUE(scanned) << describe(scanned.error());
  const auto& result = (*scanned)->result;
  EXPECT_EQ(result.verdict, ScanVerdict::failed);
  EXPECT_EQ(result.config_digest, image.config_digest());
  EXPECT_EQ(result.image_id, id);
  EXPECT_EQ(result.plan_id, plan->plan_id);
  EXPECT_EQ(result.cell, "cpu-py3.11");
  EXPECT_EQ(result.scanner_version, "0.65.0");
  EXPECT_EQ(result.report_digest, oci::Digest::of(report()).text());
  EXPECT_EQ(result.duration_ms, 2100);
  EXPECT_EQ(project.read(".crategate/scans/cpu-py3.11.json"), pipeline::to_json(result));
  EXPECT_EQ(project.read(".crategate/scans/cpu-py3.11.report.json"), report());
  EXPECT_THAT(project.read(".crategate/scans/cpu-py3.11.sarif"), HasSubstr("crategate/scan/cpu-py3.11/"));
  EXPECT_THAT(project.read(".crategate/logs/scan-cpu-py3.11.log"), HasSubstr("INFO Detected OS"));
  const auto tolerable = require_tolerable(**scanned, cell(), "crategate scan --cell cpu-py3.11");
  ASSERT_FALSE(tolerable);
  EXPECT_EQ(exit_code(tolerable.error().code), 12);
  EXPECT_THAT(tolerable.error().message, AllOf(HasSubstr("1 critical, 2 high, 1 low"), HasSubstr("CVE-2026-2")));
  EXPECT_THAT(tolerable.error().hint, HasSubstr("crategate scan --cell cpu-py3.11"));
}

TEST_F(ScanStage, ToleratesWhatIsBelowTheThreshold) {
  project.configuration.scan->severity = "none";
  replan();
  program_leaves(report());
  const auto scanned = scan().value().value();
  EXPECT_EQ(scanned.result.verdict, ScanVerdict::below_threshold);
  EXPECT_TRUE(require_tolerable(scanned, cell(), ""));
}

TEST_F(ScanStage, FollowsThePlanAndNotALaterFile) {
  project.configuration.scan->severity = "none";
  project.configuration.scan->ignore_unfixed = true;
  program_leaves(report());
  const auto scanned = scan().value().value();
  EXPECT_EQ(scanned.result.verdict, ScanVerdict::failed);
  EXPECT_THAT(command_.arguments, Not(Contains("--ignore-unfixed")));
}

TEST_F(ScanStage, TakesTheProjectsExceptionsAlong) {
  project.configuration.scan->ignore_unfixed = true;
  project.write(".trivyignore", "CVE-2026-9\n");
  replan();
  std::string seen;
  knows_version();
  processes.expect_where(
      "trivy image", [](const sys::Command& command) { return command.arguments.front() == "image"; },
      [&](const sys::Command& command, const sys::RunOptions&) {
        EXPECT_THAT(command.arguments, Contains("--ignore-unfixed"));
        EXPECT_THAT(command.arguments, Contains("--ignorefile"));
        seen = files.read(command.directory / command.arguments.back()).value().value();
        EXPECT_TRUE(files.write_below(command.directory, "out/report.json", report()));
        return Result<sys::ProcessOutcome>(sys::ProcessOutcome{});
      });
  EXPECT_TRUE(scan());
  EXPECT_EQ(seen, "CVE-2026-9\n");
}

// A89
TEST_F(ScanStage, TakesNoMissingOrForeignReportForClean) {
  const std::pair<std::string, std::optional<std::string>> rows[] = {
      {"missing", std::nullopt},
      {"empty", ""},
      {"truncated", report().substr(0, 400)},
      {"of another image", pipeline::sample::trivy_report()},
      {"of another tool", R"({"matches":[],"source":{}})"}};
  for (const auto& [what, bytes] : rows) {
    program_leaves(bytes);
    const auto error = refused();
    EXPECT_EQ(exit_code(error.code), 25) << what;
    EXPECT_THAT(error.message, HasSubstr("scans/cpu-py3.11.report.json")) << what;
    EXPECT_FALSE(error.hint.empty()) << what;
  }
}

TEST_F(ScanStage, SaysThatTheScannerFailed) {
  program_leaves(report(), {.exit_code = 1});
  const auto failed = refused();
  EXPECT_EQ(exit_code(failed.code), 40);
  EXPECT_THAT(failed.message,
              AllOf(HasSubstr("found exit 1"), HasSubstr("FATAL no database"), HasSubstr("logs/scan-cpu-py3.11.log")));
  program_leaves(report(), {.exit_code = 143, .timed_out = true});
  const auto late = refused();
  EXPECT_EQ(exit_code(late.code), 40);
  EXPECT_THAT(late.hint, HasSubstr("scan.timeout"));
  program_leaves(report(), {.exit_code = 143, .cancelled = true});
  EXPECT_EQ(exit_code(refused().code), 130);
}

TEST_F(ScanStage, SaysHowToInstallAMissingScanner) {
  processes.expect_error({"trivy", "--version"}, {.code = ErrorCode::not_found, .message = "no trivy"});
  const auto error = refused();
  EXPECT_EQ(exit_code(error.code), 22);
  EXPECT_THAT(error.message, HasSubstr("expected the program trivy on the PATH"));
  EXPECT_THAT(error.hint, AllOf(HasSubstr("brew install trivy"), HasSubstr("scan.image")));
  EXPECT_THAT(engine.saved, IsEmpty()) << "known before anything is saved";
  processes.expect({"trivy", "--version"}, {.out = "a game\n", .err = {}});
  EXPECT_EQ(exit_code(refused().code), 40);
}

TEST_F(ScanStage, RunsAnImageByDigestWithoutTheEngine) {
  project.configuration.scan->image = kPinned;
  engine.containers_run([this](const docker::ContainerSpec& spec, const auto&) -> Result<docker::ContainerOutcome> {
    const auto out = spec.binds[1].substr(0, spec.binds[1].find(':'));
    EXPECT_TRUE(files.write_below(out, "report.json", report()));
    return docker::ContainerOutcome{.image_id = "sha256:scanner"};
  });
  const auto scanned = scan();
  ASSERT_TRUE(scanned) << describe(scanned.error());
  EXPECT_EQ((*scanned)->result.scanner, kPinned);
  EXPECT_EQ((*scanned)->result.scanner_version, "0.68.1");
  EXPECT_THAT(engine.pulled, ElementsAre(kPinned));
  ASSERT_THAT(engine.containers, SizeIs(1));
  const auto& spec = engine.containers.front();
  EXPECT_THAT(spec.entrypoint, ElementsAre("trivy"));
  EXPECT_THAT(spec.binds, ElementsAre(HasSubstr("/in:/scan/in:ro"), HasSubstr("/out:/scan/out"),
                                      HasSubstr("/.crategate/scanner-cache:/scan/cache")));
  EXPECT_THAT(spec.env, ElementsAre("TRIVY_DB_REPOSITORY=mirror/db", "TRIVY_DISABLE_TELEMETRY=true",
                                    "TRIVY_SKIP_VERSION_CHECK=true"));
  ASSERT_TRUE(scan());
  EXPECT_THAT(engine.pulled, SizeIs(1)) << "pulled once";
}

TEST_F(ScanStage, PrintsItsCommandForADryRun) {
  EXPECT_THAT(describe_scan(inputs()), HasSubstr("trivy image --input in/image.tar"));
  project.configuration.scan->image = kPinned;
  EXPECT_THAT(describe_scan(inputs()),
              AllOf(HasSubstr("docker run --rm"), HasSubstr(kPinned), Not(HasSubstr("mirror"))));
}

TEST_F(ScanStage, NeedsABuiltImage) {
  knows_version();
  engine = {};
  EXPECT_EQ(exit_code(refused().code), 22);
}

TEST_F(ScanStage, WithdrawsTheRecordOfAnEarlierScan) {
  program_leaves(report());
  ASSERT_TRUE(scan());
  write_record(cell().key, {.plan_id = plan->plan_id, .cell = cell().key});
  program_leaves(std::nullopt);
  refused();
  EXPECT_EQ(project.read(".crategate/records/cpu-py3.11/record.json"), "");
  EXPECT_EQ(project.read(".crategate/scans/cpu-py3.11.sarif"), "");
}

TEST_F(ScanStage, IsForgottenWhenTheImageIsBuiltAnew) {
  program_leaves(report());
  ASSERT_TRUE(scan());
  project.write(cell().dockerfile, "FROM x\n");
  test::RecordingBuilder builder;
  test::RecordingWorkflow workflow;
  ASSERT_TRUE(run_build({project.configuration, *plan, cell(), project.workspace, {}, {}},
                        {project.files, builder, engine, workflow, progress}));
  EXPECT_FALSE(load_scan_result(project.files, project.workspace, *plan, cell().key).value());
}

/// What `digest` makes of a scan.
class ScanInDigest : public ScanStage {
 protected:
  void scanned(const std::function<void(pipeline::ScanResult&)>& change = {}) {
    auto result = pipeline::sample::scan(*plan);
    result.config_digest = image_of(cell()).config_digest();
    if (change) change(result);
    ASSERT_TRUE(write_state(project.files, project.workspace, scan_file(cell().key), pipeline::to_json(result)));
  }
};

TEST_F(ScanInDigest, GoesIntoTheRecordAndTheReport) {
  test_passed(cell(), image_of(cell()));
  scanned();
  const auto record = digest(cell());
  ASSERT_TRUE(record) << describe(record.error());
  ASSERT_TRUE(record->scan);
  EXPECT_EQ(record->scan->verdict, ScanVerdict::below_threshold);
  EXPECT_EQ(pipeline::to_json(record_of(cell().key)), pipeline::to_json(*record));
}

TEST_F(ScanInDigest, IsDemandedOfThisVeryImage) {
  const std::pair<std::string, std::function<void(pipeline::ScanResult&)>> rows[] = {
      {"failed", [](auto& scan) { scan.counts.by_severity.back() = 1; }},
      {"of another plan", [](auto& scan) { scan.plan_id = "x"; }},
      {"of another image", [](auto& scan) { scan.config_digest = oci::Digest::of("other"); }}};
  test_passed(cell(), image_of(cell()));
  EXPECT_EQ(exit_code(digest(cell()).error().code), 12) << "none";
  for (const auto& [what, change] : rows) {
    scanned(change);
    const auto record = digest(cell());
    ASSERT_FALSE(record) << what;
    EXPECT_EQ(exit_code(record.error().code), 12) << what;
    EXPECT_THAT(record.error().hint, HasSubstr("crategate scan --cell cpu-py3.11")) << what;
  }
  EXPECT_THAT(writer.manifests, IsEmpty());
}

}  // namespace
}  // namespace crategate::stages
