// Scan results as documents, schema 1, and the threshold.
#include "pipeline/scan.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/strings.h"
#include "pipeline/document.h"

namespace crategate::pipeline {
namespace {

using json::Reader;
using json::Value;

constexpr std::string_view kHint = "Run `crategate scan` for this cell again.";
constexpr std::array kVerdicts = {ScanVerdict::passed, ScanVerdict::below_threshold, ScanVerdict::failed};

Value counts_value(const ScanCounts& counts) {
  Value value = Value::object();
  for (const auto severity : kSeverities) value.set(to_lower(to_string(severity)), counts.of(severity));
  return value;
}

Result<ScanCounts> read_counts(const Reader& from) {
  ScanCounts counts;
  for (const auto severity : kSeverities) {
    CG_TRY(counts.by_severity[static_cast<std::size_t>(severity)], count_at(from, to_lower(to_string(severity))));
  }
  return counts;
}

Result<ScanVerdict> verdict_at(const Reader& from) {
  CG_TRY(const auto member, from.at("verdict"));
  CG_TRY(const auto text, member.as_string());
  for (const auto verdict : kVerdicts) {
    if (to_string(verdict) == text) return verdict;
  }
  return member.expected("a scan verdict (passed, findings-below-threshold, failed)");
}

Result<std::string> threshold_at(const Reader& from) {
  CG_TRY(const auto member, from.at("threshold"));
  CG_TRY(auto text, member.as_string());
  if (text != "none" && !parse_severity(text)) return member.expected("a severity or none");
  return text;
}

}  // namespace

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::unknown:
      return "UNKNOWN";
    case Severity::low:
      return "LOW";
    case Severity::medium:
      return "MEDIUM";
    case Severity::high:
      return "HIGH";
    case Severity::critical:
      return "CRITICAL";
  }
  return "CRITICAL";
}

std::optional<Severity> parse_severity(std::string_view text) {
  for (const auto severity : kSeverities) {
    if (to_string(severity) == text) return severity;
  }
  return std::nullopt;
}

std::int64_t ScanCounts::total() const {
  return std::accumulate(by_severity.begin(), by_severity.end(), std::int64_t{0});
}

ScanCounts count_findings(const std::vector<ScanFinding>& findings) {
  ScanCounts counts;
  for (const auto& finding : findings) ++counts.by_severity[static_cast<std::size_t>(finding.severity)];
  return counts;
}

std::string counts_text(const ScanCounts& counts) {
  std::vector<std::string> parts;
  for (const auto severity : kSeverities) {
    if (counts.of(severity) > 0) parts.push_back(concat(counts.of(severity), " ", to_lower(to_string(severity))));
  }
  return parts.empty() ? "no findings" : join(parts, ", ");
}

std::string_view to_string(ScanVerdict verdict) {
  switch (verdict) {
    case ScanVerdict::passed:
      return "passed";
    case ScanVerdict::below_threshold:
      return "findings-below-threshold";
    case ScanVerdict::failed:
      return "failed";
  }
  return "failed";
}

ScanVerdict judge_scan(const ScanCounts& counts, std::string_view threshold) {
  const auto limit = parse_severity(threshold);
  const bool over = limit && std::ranges::any_of(kSeverities, [&](Severity severity) {
                      return severity >= *limit && counts.of(severity) > 0;
                    });
  if (over) return ScanVerdict::failed;
  return counts.total() > 0 ? ScanVerdict::below_threshold : ScanVerdict::passed;
}

Value scan_value(const ScanResult& result) {
  return Value::object({{"schema", kSchema},
                        {"verdict", to_string(result.verdict)},
                        {"threshold", result.policy.severity},
                        {"ignore_unfixed", result.policy.ignore_unfixed},
                        {"counts", counts_value(result.counts)},
                        {"scanner", result.scanner},
                        {"scanner_version", result.scanner_version},
                        {"image_id", result.image_id},
                        {"config_digest", result.config_digest.text()},
                        {"report_digest", result.report_digest},
                        {"plan_id", result.plan_id},
                        {"cell", result.cell},
                        {"duration_ms", result.duration_ms}});
}

Result<ScanResult> read_scan(const Reader& from) {
  ScanResult result;
  CG_CHECK(check_schema(from));
  CG_TRY(result.verdict, verdict_at(from));
  CG_TRY(result.policy.severity, threshold_at(from));
  CG_TRY(result.policy.ignore_unfixed, from.boolean("ignore_unfixed"));
  CG_TRY(const auto counts, from.at("counts"));
  CG_TRY(result.counts, read_counts(counts));
  CG_TRY(result.scanner, from.string("scanner"));
  CG_TRY(result.scanner_version, from.string("scanner_version"));
  CG_TRY(result.image_id, from.string("image_id"));
  CG_TRY(result.config_digest, digest_at(from, "config_digest"));
  CG_TRY(const auto report, digest_at(from, "report_digest"));
  result.report_digest = report.text();
  CG_TRY(result.plan_id, from.string("plan_id"));
  CG_TRY(result.cell, from.string("cell"));
  CG_TRY(result.duration_ms, count_at(from, "duration_ms"));
  return result;
}

std::string to_json(const ScanResult& result) { return scan_value(result).canonical() + "\n"; }

Result<ScanResult> parse_scan_result(std::string_view text, std::string_view file_name) {
  return parse_document(text, file_name, read_scan, scan_value, kHint);
}

}  // namespace crategate::pipeline
