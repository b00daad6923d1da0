// The record: what exactly was tested, bound to plan, run, commit and cell (schema 1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "oci/digest.h"
#include "oci/platform.h"
#include "pipeline/scan.h"

namespace crategate::pipeline {

enum class TestVerdict : unsigned char { passed, failed, none_ran, timed_out, cancelled, not_configured };
std::string_view to_string(TestVerdict verdict);

struct TestResult {
  TestVerdict verdict = TestVerdict::not_configured;
  std::int64_t total = 0, failed = 0, skipped = 0;
  int exit_code = 0;
  std::int64_t duration_ms = 0;
  std::string image_id;                      ///< engine's id of the image whose container ran the tests
  std::optional<oci::Digest> config_digest;  ///< config digest of that image, read after the tests
  std::string plan_id, cell;                 ///< what was tested for which plan
  std::string log;                           ///< path
};

std::string to_json(const TestResult& result);
Result<TestResult> parse_test_result(std::string_view text, std::string_view file_name);

struct Record {
  std::string plan_id, run, attempt, commit, cell;
  oci::Platform platform;
  std::vector<oci::Digest> diff_ids;
  oci::Digest config_digest = oci::Digest::of("");
  oci::Digest manifest_digest = oci::Digest::of("");
  std::uint64_t manifest_size = 0;
  std::string candidate;  ///< `repository@sha256:…`, or `oci:` layout form; empty = none stored (pull requests)
  std::string fingerprint;
  std::string layer_text;          ///< the seed's value
  std::optional<ScanResult> scan;  ///< nullopt = `not-scanned`
  TestResult tests;
  std::string finished_at;  ///< RFC 3339, UTC
};

std::string to_json(const Record& record);
/// Errors: gate_refused ("record-unreadable"): fails closed whatever is wrong with it.
Result<Record> parse_record(std::string_view text, std::string_view file_name);

}  // namespace crategate::pipeline
