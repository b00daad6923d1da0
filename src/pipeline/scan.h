// What a scan of an image came to: findings by severity, the threshold, and the verdict that binds both to the image.
// Belongs here: the decision and its document.  Not here: reading a scanner's report (trivy_report), running one (stages).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/value.h"
#include "oci/digest.h"

namespace crategate::pipeline {

enum class Severity : unsigned char { unknown, low, medium, high, critical };
inline constexpr std::array kSeverities = {Severity::critical, Severity::high, Severity::medium, Severity::low,
                                           Severity::unknown};  ///< worst first
std::string_view to_string(Severity severity);  ///< `CRITICAL`, as scanners and `scan.severity` write it
std::optional<Severity> parse_severity(std::string_view text);

/// What the plan asks of every cell's scan.
struct ScanPolicy {
  std::string severity;  ///< the threshold, or `none`
  bool ignore_unfixed = false;
  bool operator==(const ScanPolicy&) const = default;
};

/// One thing that a scanner reports: text of strangers, harmless only after `render`.
struct ScanFinding {
  Severity severity = Severity::unknown;
  std::string kind;  ///< `vulnerability`, `secret` or `misconfiguration`
  std::string id, package, installed, fixed, title, url, target;
  bool operator==(const ScanFinding&) const = default;
};

struct ScanCounts {
  std::array<std::int64_t, kSeverities.size()> by_severity{};  ///< indexed by Severity
  std::int64_t of(Severity severity) const { return by_severity[static_cast<std::size_t>(severity)]; }
  std::int64_t total() const;
  bool operator==(const ScanCounts&) const = default;
};
ScanCounts count_findings(const std::vector<ScanFinding>& findings);
/// "2 critical, 5 high", or "no findings".
std::string counts_text(const ScanCounts& counts);

enum class ScanVerdict : unsigned char { passed, below_threshold, failed };
std::string_view to_string(ScanVerdict verdict);  ///< `passed`, `findings-below-threshold`, `failed`
inline constexpr std::string_view kNotScanned = "not-scanned";

/// passed: nothing found; failed: a finding at or above the threshold. A threshold that is no severity is `none`.
ScanVerdict judge_scan(const ScanCounts& counts, std::string_view threshold);

struct ScanResult {
  ScanVerdict verdict = ScanVerdict::failed;
  ScanPolicy policy;
  ScanCounts counts;
  std::string scanner, scanner_version;             ///< program or image, as it was run
  std::string image_id;                             ///< the engine's id of the image that was scanned
  oci::Digest config_digest = oci::Digest::of("");  ///< of that image's configuration, read from what was scanned
  std::string report_digest;                        ///< `sha256:…` of the scanner's own report
  std::string plan_id, cell;                        ///< what was scanned for which plan
  std::int64_t duration_ms = 0;
};

/// The result as a member of a larger document.
json::Value scan_value(const ScanResult& result);
Result<ScanResult> read_scan(const json::Reader& from);
std::string to_json(const ScanResult& result);
Result<ScanResult> parse_scan_result(std::string_view text, std::string_view file_name);

}  // namespace crategate::pipeline
