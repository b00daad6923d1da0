// The record: what exactly was tested, bound to plan, run, commit and cell (schema 1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "json/value.h"
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

/// The image that the cell's image was made from.
struct Base {
  std::string name;
  oci::Digest digest;
  bool in_engine = false;  ///< taken from the engine, not from its registry
  bool operator==(const Base&) const = default;
};

json::Value to_value(const Base& base);
/// Member `base` of a document; nullopt = it has none.
/// Errors: bad_input.
Result<std::optional<Base>> read_base(const json::Reader& from);

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
  std::optional<Base> base;           ///< nullopt = none, or unknown
  std::string config;                 ///< of a plan that rebuilds: the bytes behind config_digest
  std::vector<oci::Digest> contents;  ///< of a plan that rebuilds: what each layer holds (layout/layer_content)
  std::string finished_at;            ///< RFC 3339, UTC
  std::string signature;              ///< `hmac-sha256:` and 64 hex digits; empty = not signed
};

/// Canonical JSON and a line feed.
std::string to_json(const Record& record);
/// Only the very bytes that `to_json` writes are a record.
/// Errors: gate_refused ("record-unreadable"): fails closed whatever is wrong with it.
Result<Record> parse_record(std::string_view text, std::string_view file_name);

inline constexpr std::size_t kRecordLimit = 256u << 10;  ///< bytes
inline constexpr std::size_t kShortestKey = 32;          ///< bytes

/// HMAC-SHA-256 over a line that names the purpose, and the record's canonical JSON without its signature.
std::string signature_of(const Record& record, const Secret& key);
/// False where there is no signature as well.
bool is_signed_with(const Record& record, const Secret& key);

}  // namespace crategate::pipeline
