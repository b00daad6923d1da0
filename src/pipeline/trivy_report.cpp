// Report → findings, strictly where a verdict depends on it.
// Belongs here: which members count.  Not here: thresholds (scan).
#include "pipeline/trivy_report.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "json/value.h"

namespace crategate::pipeline {
namespace {

using json::Reader;

constexpr std::int64_t kReportSchema = 2;
constexpr std::string_view kHint =
    "Nothing is taken for clean without a sound report: run `crategate scan` again and read its log.";
constexpr std::string_view kNothingRecognised =
    "An image without a distribution and without packages cannot be judged: set `scan.severity: none`, or remove the "
    "section `scan`.";

/// A report that speaks of something else is foreign, however sound it is.
Result<void> require_text(const Reader& from, std::string_view key, const std::string& wanted,
                          std::string_view file_name) {
  CG_TRY(const auto member, from.at(key));
  CG_TRY(const auto found, member.as_string());
  if (found == wanted) return {};
  return fail(ErrorCode::integrity,
              concat(file_name, ": ", member.path(), ": expected ", wanted, ", found ", quoted(found, 200)));
}

/// The shape is the same for all kinds; each spells some names in its own way.
struct Kind {
  std::string_view member, kind, id, package;
};
constexpr Kind kKinds[] = {{"Vulnerabilities", "vulnerability", "VulnerabilityID", "PkgName"},
                           {"Secrets", "secret", "RuleID", "Category"},
                           {"Misconfigurations", "misconfiguration", "ID", "Type"}};

Result<Severity> severity_of(const Reader& from) {
  CG_TRY(const auto member, from.at("Severity"));
  CG_TRY(const auto text, member.as_string());
  const auto severity = parse_severity(text);
  if (!severity) return member.expected("UNKNOWN, LOW, MEDIUM, HIGH or CRITICAL");
  return *severity;
}

Result<ScanFinding> read_finding(const Reader& from, const Kind& kind, const std::string& target) {
  ScanFinding finding{.kind = std::string(kind.kind), .target = target};
  CG_TRY(finding.severity, severity_of(from));
  CG_TRY(finding.id, from.string(kind.id));
  CG_TRY(finding.package, from.string_or(kind.package, ""));
  CG_TRY(finding.installed, from.string_or("InstalledVersion", ""));
  CG_TRY(finding.fixed, from.string_or("FixedVersion", ""));
  CG_TRY(finding.title, from.string_or("Title", ""));
  CG_TRY(finding.url, from.string_or("PrimaryURL", ""));
  return finding;
}

Result<bool> is_passed_check(const Reader& from, const Kind& kind) {
  if (kind.kind != "misconfiguration") return false;
  CG_TRY(const auto status, from.string_or("Status", "FAIL"));
  return status == "PASS" || status == "EXCEPTION";
}

Result<void> add_findings(const Reader& result, const std::string& target, std::vector<ScanFinding>& findings) {
  for (const auto& kind : kKinds) {
    CG_TRY(const auto list, result.find(kind.member));
    if (!list) continue;
    CG_TRY(const auto items, list->items());
    for (const auto& item : items) {
      CG_TRY(const bool passed, is_passed_check(item, kind));
      if (passed) continue;
      CG_TRY(auto finding, read_finding(item, kind, target));
      findings.push_back(std::move(finding));
    }
  }
  return {};
}

struct Recognised {
  bool distribution = false, packages = false;
};

/// The archive that was given is no name for people.
std::string place_of(std::string target, const std::string& archive) {
  if (target.starts_with(archive)) target.replace(0, archive.size(), "image");
  return target;
}

Result<Recognised> read_results(const Reader& root, const std::string& archive, std::vector<ScanFinding>& findings) {
  Recognised seen;
  CG_TRY(const auto results, root.find("Results"));
  if (!results) return seen;
  CG_TRY(const auto items, results->items());
  for (const auto& item : items) {
    CG_TRY(const auto target, item.string("Target"));
    CG_TRY(const auto from, item.string_or("Class", ""));
    seen.distribution = seen.distribution || from == "os-pkgs";
    seen.packages = seen.packages || from == "os-pkgs" || from == "lang-pkgs";
    CG_CHECK(add_findings(item, place_of(target, archive), findings));
  }
  return seen;
}

Result<void> require_recognised(const Reader& metadata, const Recognised& seen, std::string_view file_name) {
  CG_TRY(const auto system, metadata.find("OS"));
  std::string family;
  if (system) {
    CG_TRY(family, system->string_or("Family", "unknown"));
  }
  if (seen.packages && (!system || seen.distribution)) return {};
  return fail(ErrorCode::integrity,
              concat(file_name, ": Results: expected what was found in the image's packages, found none",
                     system ? concat(" although it is ", quoted(family)) : ""),
              std::string(kNothingRecognised));
}

Result<TrivyReport> read_report(const Reader& root, std::string_view file_name, const ScannedArtifact& expected) {
  CG_TRY(const auto version, root.at("SchemaVersion"));
  CG_TRY(const auto schema, version.as_integer());
  if (schema != kReportSchema) return version.expected(concat(kReportSchema, ", the schema that this version reads"));
  CG_CHECK(require_text(root, "ArtifactName", expected.name, file_name));
  CG_CHECK(require_text(root, "ArtifactType", "container_image", file_name));
  CG_TRY(const auto metadata, root.at("Metadata"));
  CG_CHECK(require_text(metadata, "ImageID", expected.config_digest.text(), file_name));
  TrivyReport report;
  CG_TRY(const auto seen, read_results(root, expected.name, report.findings));
  if (expected.needs_packages) CG_CHECK(require_recognised(metadata, seen, file_name));
  CG_TRY(const auto maker, root.find("Trivy"));
  if (maker) {
    CG_TRY(report.scanner_version, maker->string_or("Version", ""));
  }
  std::ranges::stable_sort(report.findings, std::ranges::greater(), &ScanFinding::severity);
  return report;
}

}  // namespace

Result<TrivyReport> read_trivy_report(std::string_view text, std::string_view file_name,
                                      const ScannedArtifact& expected) {
  const auto read = [&]() -> Result<TrivyReport> {
    if (trim(text).empty())
      return fail(ErrorCode::integrity, concat(file_name, ": expected the scanner's report, found an empty file"));
    CG_TRY(const auto document,
           json::Document::parse(text, std::string(file_name), {.max_bytes = kReportLimit}, ErrorCode::integrity));
    return read_report(document.root(), file_name, expected);
  };
  auto report = read();
  if (!report) {
    report.error().code = ErrorCode::integrity;
    if (report.error().hint.empty()) report.error().hint = kHint;
  }
  return report;
}

}  // namespace crategate::pipeline
