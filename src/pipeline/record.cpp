// Records and test results as documents, schema 1: canonical writing, strict reading.
#include "pipeline/record.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/hmac.h"
#include "base/strings.h"
#include "pipeline/document.h"

namespace crategate::pipeline {
namespace {

using json::Reader;
using json::Value;

constexpr std::string_view kTestHint = "Run `crategate test` for this cell again.";
constexpr std::string_view kRecordHint = "Run `crategate test` and `crategate digest` for this cell again.";
constexpr std::string_view kSignedPurpose = "crategate record v1\n";
constexpr std::string_view kSignaturePrefix = "hmac-sha256:";
constexpr std::string_view kFingerprintPrefix = "v1:";
constexpr std::array kVerdicts = {TestVerdict::passed,    TestVerdict::failed,    TestVerdict::none_ran,
                                  TestVerdict::timed_out, TestVerdict::cancelled, TestVerdict::not_configured};

Value tests_value(const TestResult& result) {
  return Value::object({{"schema", kSchema},
                        {"verdict", to_string(result.verdict)},
                        {"total", result.total},
                        {"failed", result.failed},
                        {"skipped", result.skipped},
                        {"exit_code", result.exit_code},
                        {"duration_ms", result.duration_ms},
                        {"image_id", result.image_id},
                        {"config_digest", result.config_digest ? Value(result.config_digest->text()) : Value()},
                        {"plan_id", result.plan_id},
                        {"cell", result.cell},
                        {"log", result.log}});
}

/// The verdict in one word and, of a scanned image, the result behind it.
Value record_value(const Record& record) {
  Value value = Value::object({{"schema", kSchema},
                               {"plan_id", record.plan_id},
                               {"run", record.run},
                               {"attempt", record.attempt},
                               {"commit", record.commit},
                               {"cell", record.cell},
                               {"platform", record.platform.text()},
                               {"diff_ids", digests_value(record.diff_ids)},
                               {"config_digest", record.config_digest.text()},
                               {"manifest_digest", record.manifest_digest.text()},
                               {"manifest_size", record.manifest_size},
                               {"candidate", record.candidate},
                               {"fingerprint", record.fingerprint},
                               {"layer_text", record.layer_text},
                               {"scan", record.scan ? to_string(record.scan->verdict) : kNotScanned},
                               {"tests", tests_value(record.tests)},
                               {"finished_at", record.finished_at}});
  if (record.scan) value.set("scan_result", scan_value(*record.scan));
  if (record.base) value.set("base", to_value(*record.base));
  if (!record.config.empty()) {
    value.set("rebuild", Value::object({{"config", record.config}, {"contents", digests_value(record.contents)}}));
  }
  if (!record.signature.empty()) value.set("signature", record.signature);
  return value;
}

Result<TestVerdict> verdict_at(const Reader& from, std::string_view key) {
  CG_TRY(const auto member, from.at(key));
  CG_TRY(const auto text, member.as_string());
  for (const auto verdict : kVerdicts) {
    if (to_string(verdict) == text) return verdict;
  }
  return member.expected("a test verdict (passed, failed, none-ran, timed-out, cancelled, not-configured)");
}

Result<TestResult> read_tests(const Reader& from) {
  TestResult result;
  CG_CHECK(check_schema(from));
  CG_TRY(result.verdict, verdict_at(from, "verdict"));
  CG_TRY(result.total, count_at(from, "total"));
  CG_TRY(result.failed, count_at(from, "failed"));
  CG_TRY(result.skipped, count_at(from, "skipped"));
  CG_TRY(const auto exit_member, from.at("exit_code"));
  CG_TRY(const auto exit_code, exit_member.as_integer());
  if (exit_code < std::numeric_limits<int>::min() || exit_code > std::numeric_limits<int>::max()) {
    return exit_member.expected("an exit code");
  }
  result.exit_code = static_cast<int>(exit_code);
  CG_TRY(result.duration_ms, count_at(from, "duration_ms"));
  CG_TRY(result.image_id, from.string("image_id"));
  CG_TRY(const auto config_digest, from.find("config_digest"));
  if (config_digest) {
    CG_TRY(result.config_digest, digest_from(*config_digest));
  }
  CG_TRY(result.plan_id, from.string("plan_id"));
  CG_TRY(result.cell, from.string("cell"));
  CG_TRY(result.log, from.string("log"));
  return result;
}

/// The configuration of the tested image, and nothing that only looks like it.
Result<void> read_rebuild(const Reader& from, Record& record) {
  CG_TRY(const auto member, from.find("rebuild"));
  if (!member) return {};
  CG_TRY(record.config, member->string("config"));
  if (oci::Digest::of(record.config) != record.config_digest) {
    CG_TRY(const auto config, member->at("config"));
    return config.expected(concat("the bytes of ", record.config_digest.text()));
  }
  CG_TRY(record.contents, digests_at(*member, "contents"));
  return {};
}

bool is_sha256_hex(std::string_view text) {
  return text.size() == 64 &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// Text of `prefix` and the 64 digits of a SHA-256.
Result<std::string> hash_at(const Reader& from, std::string_view key, std::string_view prefix) {
  CG_TRY(const auto member, from.at(key));
  CG_TRY(auto text, member.as_string());
  if (text.starts_with(prefix) && is_sha256_hex(std::string_view(text).substr(prefix.size()))) return text;
  return member.expected(concat(prefix, prefix.empty() ? "" : " and ", "64 lower-case hexadecimal digits"));
}

/// Records know SHA-256 alone.
Result<oci::Digest> sha256_from(const Reader& from) {
  CG_TRY(auto digest, digest_from(from));
  if (digest.algorithm() == "sha256") return digest;
  return from.expected("sha256: and 64 lower-case hexadecimal digits");
}

Result<oci::Digest> sha256_at(const Reader& from, std::string_view key) {
  CG_TRY(const auto member, from.at(key));
  return sha256_from(member);
}

Result<Record> read_record(const Reader& from) {
  Record record;
  CG_TRY(record.plan_id, from.string("plan_id"));
  CG_TRY(record.run, from.string("run"));
  CG_TRY(record.attempt, from.string("attempt"));
  CG_TRY(record.commit, from.string("commit"));
  CG_TRY(record.cell, from.string("cell"));
  CG_TRY(record.platform, platform_at(from));
  CG_TRY(const auto layers, from.at("diff_ids"));
  CG_TRY(const auto items, layers.items());
  for (const auto& item : items) {
    CG_TRY(auto digest, sha256_from(item));
    record.diff_ids.push_back(std::move(digest));
  }
  CG_TRY(record.config_digest, sha256_at(from, "config_digest"));
  CG_TRY(record.manifest_digest, sha256_at(from, "manifest_digest"));
  CG_TRY(const auto size, count_at(from, "manifest_size"));
  record.manifest_size = static_cast<std::uint64_t>(size);
  CG_TRY(record.candidate, from.string("candidate"));
  CG_TRY(record.fingerprint, hash_at(from, "fingerprint", kFingerprintPrefix));
  CG_TRY(record.layer_text, hash_at(from, "layer_text", ""));
  CG_TRY(const auto scan, from.find("scan_result"));
  if (scan) {
    CG_TRY(record.scan, read_scan(*scan));
  }
  CG_TRY(const auto tests, from.at("tests"));
  CG_TRY(record.tests, read_tests(tests));
  CG_TRY(record.base, read_base(from));
  CG_CHECK(read_rebuild(from, record));
  CG_TRY(record.finished_at, time_at(from, "finished_at"));
  CG_TRY(const auto signature, from.find("signature"));
  if (signature) {
    CG_TRY(record.signature, hash_at(from, "signature", kSignaturePrefix));
  }
  return record;
}

/// Not only the same members: the same bytes.
Result<Record> read_exactly(std::string_view text, std::string_view file_name) {
  if (text.size() > kRecordLimit) {
    return fail(ErrorCode::bad_input,
                concat(file_name, ": expected at most ", kRecordLimit, " bytes, found ", text.size()));
  }
  CG_TRY(auto record, parse_document(text, file_name, read_record, record_value, kRecordHint));
  if (to_json(record) == text) return record;
  return fail(ErrorCode::bad_input, concat(file_name,
                                           ": expected canonical JSON and a line feed, as `digest` writes "
                                           "it, found other white space, order or escapes"));
}

}  // namespace

std::string_view to_string(TestVerdict verdict) {
  switch (verdict) {
    case TestVerdict::passed:
      return "passed";
    case TestVerdict::failed:
      return "failed";
    case TestVerdict::none_ran:
      return "none-ran";
    case TestVerdict::timed_out:
      return "timed-out";
    case TestVerdict::cancelled:
      return "cancelled";
    case TestVerdict::not_configured:
      return "not-configured";
  }
  return "failed";
}

json::Value to_value(const Base& base) {
  return Value::object({{"name", base.name}, {"digest", base.digest.text()}, {"in_engine", base.in_engine}});
}

Result<std::optional<Base>> read_base(const Reader& from) {
  CG_TRY(const auto member, from.find("base"));
  if (!member) return std::nullopt;
  Base base{.name = {}, .digest = oci::Digest::of("")};
  CG_TRY(base.name, member->string("name"));
  CG_TRY(base.digest, digest_at(*member, "digest"));
  CG_TRY(base.in_engine, member->boolean("in_engine"));
  return base;
}

std::string to_json(const TestResult& result) { return tests_value(result).canonical() + "\n"; }

Result<TestResult> parse_test_result(std::string_view text, std::string_view file_name) {
  return parse_document(text, file_name, read_tests, tests_value, kTestHint);
}

std::string to_json(const Record& record) { return record_value(record).canonical() + "\n"; }

Result<Record> parse_record(std::string_view text, std::string_view file_name) {
  auto record = read_exactly(text, file_name);
  if (record) return record;
  Error error = std::move(record).error();
  error.code = ErrorCode::gate_refused;
  error.message = concat("record-unreadable: ", error.message);
  error.hint = kRecordHint;
  return fail(std::move(error));
}

std::string signature_of(const Record& record, const Secret& key) {
  Record bare = record;
  bare.signature.clear();
  return concat(kSignaturePrefix, hmac_sha256_hex(key, concat(kSignedPurpose, record_value(bare).canonical())));
}

bool is_signed_with(const Record& record, const Secret& key) {
  return equal_in_constant_time(record.signature, signature_of(record, key));
}

}  // namespace crategate::pipeline
