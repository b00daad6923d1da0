// scan: saved image → scanner → report → verdict.
// Belongs here: the order, and what is written.  Not here: the scanner (scanner), its report and the threshold (pipeline).
#include "stages/scan.h"

#include <limits>
#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "layout/archive.h"
#include "pipeline/trivy_report.h"
#include "render/sarif.h"
#include "stages/cell_image.h"
#include "stages/saved_image.h"
#include "stages/scanner.h"

namespace crategate::stages {
namespace {

constexpr std::string_view kIgnoreFile = ".trivyignore";
constexpr std::string_view kReportHint =
    "Nothing is taken for clean without a sound report: run `crategate scan` again and read its log.";

/// The image as the scanner gets it. What it is, is read from the very bytes that are scanned.
Result<layout::ArchiveConfig> save_archive(const ScanInputs& in, const std::string& image, const sys::Path& folder,
                                           docker::Engine& engine) {
  CG_TRY(auto file, sys::LogFile::create(folder, kScanArchive, std::numeric_limits<std::uint64_t>::max()));
  SavedImage saved(engine, image);
  const net::BodySource source = [&]() -> Result<std::string> {
    CG_TRY(auto bytes, saved.next());
    CG_CHECK(file.write(bytes));
    return bytes;
  };
  CG_TRY(auto config, layout::read_archive_config(source, in.cell.platform));
  for (bool more = true; more;) {  // the archive's padding
    CG_TRY(const auto bytes, source());
    more = !bytes.empty();
  }
  CG_CHECK(file.close());
  return config;
}

/// The project's own exceptions go with the image, so that they count wherever the scanner runs.
Result<bool> copy_ignore_file(const ScanInputs& in, const sys::Path& folder, sys::FileSystem& files) {
  CG_TRY(const auto text, files.read_below(in.workspace.root, kIgnoreFile));
  if (!text) return false;
  log::info(concat("scan: findings that ", kIgnoreFile, " names are left out"));
  CG_CHECK(files.write_below(folder, kScanIgnored, *text));
  return true;
}

struct Prepared {
  sys::TemporaryDirectory folder;
  std::string image_id;
  oci::Digest config_digest = oci::Digest::of("");
  bool ignore_file = false;
};

Result<Prepared> prepare(const ScanInputs& in, const ScanServices& svc) {
  CG_TRY(const auto image, find_cell_image(in.plan, in.cell, in.workspace, svc.files, svc.engine));
  CG_CHECK(svc.files.make_directories(in.workspace.state() / "logs"));
  CG_TRY(auto folder, sys::TemporaryDirectory::create(in.workspace.state()));
  CG_CHECK(svc.files.make_directories(folder.path() / "in"));
  CG_CHECK(svc.files.make_directories(folder.path() / "out"));
  CG_TRY(const bool ignore_file, copy_ignore_file(in, folder.path(), svc.files));
  auto config = save_archive(in, image.id, folder.path(), svc.engine);
  if (!config) return fail(std::move(config).error().within(concat("image of cell ", in.cell.key)));
  return Prepared{.folder = std::move(folder),
                  .image_id = image.id,
                  .config_digest = std::move(config->config_digest),
                  .ignore_file = ignore_file};
}

Result<CommandResult> start_scanner(const ScanInputs& in, const config::Scan& scan, const Prepared& prepared,
                                    OutputCollector& output, const ScanServices& svc) {
  const ScannerRequest request{.scan = scan, .policy = *in.plan.scan, .ignore_file = prepared.ignore_file};
  if (scan.image.empty()) return run_scanner_program(request, prepared.folder.path(), output, svc.host);
  const sys::Path cache = in.workspace.state() / kScannerCache;
  CG_CHECK(svc.files.make_directories(cache));
  const auto spec = scanner_container(request, prepared.folder.path(), cache, &svc.host.environment);
  return run_scanner_container(request, spec, output, svc.engine);
}

/// To its good end.
Result<CommandResult> run_scanner(const ScanInputs& in, const config::Scan& scan, const Prepared& prepared,
                                  const ScanServices& svc) {
  const sys::Path log_name = scan_log_file(in.cell.key);
  CG_TRY(auto log, sys::LogFile::create(in.workspace.state(), log_name, kLogLimit));
  OutputCollector output(std::move(log), svc.progress);
  auto ran = start_scanner(in, scan, prepared, output, svc);
  if (!ran) return fail(std::move(ran).error().within(concat("scan of cell ", in.cell.key)));
  if (!ran->cancelled && !ran->timed_out && ran->exit_code == 0) return ran;
  return fail(scanner_failure(*ran, in.cell.key, scan.timeout, (in.workspace.state_name / log_name).string()));
}

/// The scanner's own bytes; whatever it left in their place is no report.
Result<std::string> take_report(const Prepared& prepared, const std::string& name, const sys::FileSystem& files) {
  auto bytes = files.read_below(prepared.folder.path(), kScanReport, pipeline::kReportLimit);
  if (bytes && *bytes) return **std::move(bytes);
  return fail(
      ErrorCode::integrity,
      concat(name, ": expected the scanner's report, found ", bytes ? std::string("none") : describe(bytes.error())),
      std::string(kReportHint));
}

pipeline::ScanResult make_result(const ScanInputs& in, const Prepared& prepared,
                                 const std::vector<pipeline::ScanFinding>& findings) {
  pipeline::ScanResult result;
  result.policy = *in.plan.scan;
  result.counts = pipeline::count_findings(findings);
  result.verdict = pipeline::judge_scan(result.counts, in.plan.scan->severity);
  result.image_id = prepared.image_id;
  result.config_digest = prepared.config_digest;
  result.plan_id = in.plan.plan_id;
  result.cell = in.cell.key;
  return result;
}

Result<void> write_result(const ScanInputs& in, const Scanned& scanned, sys::FileSystem& files) {
  CG_CHECK(write_state(files, in.workspace, sarif_file(in.cell.key),
                       render::sarif(scanned.result, scanned.findings, in.cell.dockerfile)));
  return write_state(files, in.workspace, scan_file(in.cell.key), pipeline::to_json(scanned.result));
}

}  // namespace

std::string describe_scan(const ScanInputs& in) {
  if (!in.plan.scan) return {};
  const config::Scan scan = in.configuration.scan.value_or(config::Scan{});
  const ScannerRequest request{.scan = scan, .policy = *in.plan.scan};
  if (scan.image.empty()) return describe_command(scanner_command(request));
  const sys::Path state = in.workspace.state();
  return describe_container(scanner_container(request, state / "saved-image", state / kScannerCache, nullptr));
}

Result<std::optional<Scanned>> run_scan(const ScanInputs& in, const ScanServices& svc) {
  CG_CHECK(withdraw_record(svc.files, in.workspace, in.cell.key));
  CG_CHECK(withdraw_scan(svc.files, in.workspace, in.cell.key));
  if (!in.plan.scan) return std::nullopt;
  // Facts
  const config::Scan scan = in.configuration.scan.value_or(config::Scan{});
  std::string version;
  if (scan.image.empty()) {
    CG_TRY(version, find_scanner(svc.host));
  }
  CG_TRY(const auto prepared, prepare(in, svc));
  CG_TRY(const auto ran, run_scanner(in, scan, prepared, svc));
  const std::string name = (in.workspace.state_name / scan_report_file(in.cell.key)).string();
  CG_TRY(const std::string bytes, take_report(prepared, name, svc.files));
  CG_CHECK(write_state(svc.files, in.workspace, scan_report_file(in.cell.key), bytes));
  // Decision
  CG_TRY(auto report, pipeline::read_trivy_report(bytes, name,
                                                  {.name = std::string(kScanArchive),
                                                   .config_digest = prepared.config_digest,
                                                   .needs_packages = in.plan.scan->severity != "none"}));
  Scanned scanned{.result = make_result(in, prepared, report.findings), .findings = std::move(report.findings)};
  scanned.result.scanner = scan.image.empty() ? scan.with : scan.image;
  scanned.result.scanner_version = version.empty() ? report.scanner_version : version;
  scanned.result.report_digest = oci::Digest::of(bytes).text();
  scanned.result.duration_ms = ran.elapsed.count();
  // Effects
  CG_CHECK(write_result(in, scanned, svc.files));
  return scanned;
}

Result<void> require_tolerable(const Scanned& scanned, const pipeline::Cell& cell, const std::string& repeat) {
  const auto& result = scanned.result;
  if (result.verdict != pipeline::ScanVerdict::failed) return {};
  const auto& worst = scanned.findings.front();
  const std::string where = worst.package.empty() ? worst.target : concat(worst.package, " ", worst.installed);
  const std::string fix = worst.fixed.empty() ? "" : concat(", fixed in ", worst.fixed);
  return fail(ErrorCode::scan_policy,
              concat("scan of cell ", cell.key, ": expected nothing at or above ", result.policy.severity, ", found ",
                     counts_text(result.counts), "; the worst is ", quoted(worst.id), " in ", quoted(where, 120), fix),
              concat("Update what the scan names (REBUILD_BASE=true pulls new base layers), list what is accepted in ",
                     kIgnoreFile, ", or change scan.severity; all findings: ", repeat));
}

}  // namespace crategate::stages
