// Trivy's JSON report, schema 2, read as what a stranger wrote: foreign, truncated or empty is never "clean" (A89).
// https://trivy.dev/latest/docs/configuration/reporting/#json
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "oci/digest.h"
#include "pipeline/scan.h"

namespace crategate::pipeline {

inline constexpr std::uint64_t kReportLimit = 64u << 20;  ///< bytes

/// What the report of our own scan must say of itself.
struct ScannedArtifact {
  std::string name;  ///< as on the scanner's command line
  oci::Digest config_digest = oci::Digest::of("");
  bool needs_packages = true;  ///< a report that found nothing to look at is refused
};

struct TrivyReport {
  std::vector<ScanFinding> findings;  ///< worst first
  std::string scanner_version;        ///< where the report has it
};

/// Vulnerabilities, secrets and failed misconfiguration checks.
/// Errors: integrity naming what was expected and found: another schema, artifact or image; a severity or a shape that
/// is not documented; no results although the image has a distribution.
Result<TrivyReport> read_trivy_report(std::string_view text, std::string_view file_name,
                                      const ScannedArtifact& expected);

}  // namespace crategate::pipeline
