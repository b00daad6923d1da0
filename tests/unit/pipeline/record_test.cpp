// Records and test results: strict in both directions, and closed where anything is wrong.
#include "pipeline/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hmac.h"
#include "base/strings.h"
#include "unit/pipeline/scan_sample.h"

namespace crategate::pipeline {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(Record, ReadsBackWhatItWrote) {
  const auto record = sample::record(sample::plan());
  const auto text = to_json(record);
  const auto read = parse_record(text, "record.json");
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(to_json(*read), text);
  EXPECT_EQ(read->tests.total, 24);
  EXPECT_EQ(read->diff_ids, record.diff_ids);
  EXPECT_EQ(read->tests.config_digest, record.config_digest);
}

TEST(Record, SaysWhatTheScanCameTo) {
  const auto plan = sample::scanned_plan();
  auto record = sample::record(plan);
  EXPECT_THAT(to_json(record), AllOf(HasSubstr(R"("scan":"not-scanned")"), Not(HasSubstr("scan_result"))));
  record.scan = sample::scan(plan);
  const auto text = to_json(record);
  EXPECT_THAT(text, HasSubstr(R"("scan":"findings-below-threshold","scan_result":{)"));
  const auto read = parse_record(text, "record.json");
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(to_json(*read), text);
  EXPECT_FALSE(parse_record(replace_all(text, R"("scan":"findings-below-threshold")", R"("scan":"passed")"), "r"));
  EXPECT_FALSE(parse_record(replace_all(text, R"("scan_result")", R"("scan_results")"), "r"));
}

struct Tampering {
  std::string what, from, to;
};

void PrintTo(const Tampering& row, std::ostream* out) { *out << row.what; }

class UnreadableRecords : public ::testing::TestWithParam<Tampering> {};

TEST_P(UnreadableRecords, AreRefusedByTheGate) {
  const auto& row = GetParam();
  const auto text = to_json(sample::record(sample::plan()));
  ASSERT_THAT(text, HasSubstr(row.from));
  const auto record = parse_record(replace_all(text, row.from, row.to), "record.json");
  ASSERT_FALSE(record);
  EXPECT_EQ(record.error().code, ErrorCode::gate_refused);
  EXPECT_THAT(record.error().message, AllOf(StartsWith("record-unreadable"), HasSubstr("record.json")));
  EXPECT_FALSE(record.error().hint.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Table, UnreadableRecords,
    ::testing::Values(Tampering{"another schema", R"("schema":1)", R"("schema":2)"},
                      Tampering{"unknown member", R"({"attempt")", R"({"admit":true,"attempt")"},
                      Tampering{"unknown member of the tests", R"("tests":{)", R"("tests":{"a":1,)"},
                      Tampering{"duplicate key", R"({"attempt")", R"({"cell":"x","attempt")"},
                      Tampering{"missing member", R"("fingerprint":)", R"("fingerprnt":)"},
                      Tampering{"digest in upper case", R"("manifest_digest":"sha256:)",
                                R"("manifest_digest":"SHA256:)"},
                      Tampering{"short digest", R"("config_digest":"sha256:)", R"("config_digest":"sha256:0)"},
                      Tampering{"digest that is a path", R"("diff_ids":["sha256:)", R"("diff_ids":["sha256:../)"},
                      Tampering{"negative count", R"("failed":0)", R"("failed":-1)"},
                      Tampering{"fraction", R"("total":24)", R"("total":24.0)"},
                      Tampering{"number as text", R"("total":24)", R"("total":"24")"},
                      Tampering{"unknown verdict", R"("verdict":"passed")", R"("verdict":"Passed")"},
                      Tampering{"exit code beyond an int", R"("exit_code":0)", R"("exit_code":4294967296)"},
                      Tampering{"platform", "linux/amd64", "amd64"}, Tampering{"trailing text", "}\n", "}\n{}"},
                      Tampering{"cut off", "}\n", ""}, Tampering{"no line feed", "}\n", "}"},
                      Tampering{"CRLF", "}\n", "}\r\n"}, Tampering{"a line more", "}\n", "}\n\n"},
                      Tampering{"white space", R"("attempt":)", R"("attempt": )"},
                      Tampering{"another escape", R"("attempt")", R"("\u0061ttempt")"},
                      Tampering{"a mebibyte", R"("log":")", R"("log":")" + std::string(1u << 20, 'a')},
                      Tampering{"a time that is none", "2026-11-20T03:04:05Z", "yesterday"},
                      Tampering{"a fingerprint of another version", R"("v1:)", R"("v2:)"},
                      Tampering{"a hash in upper case", R"("layer_text":")", R"("layer_text":"A)"},
                      Tampering{"a hash that is too short", sample::record(sample::plan()).layer_text, "0"},
                      Tampering{"a signature that is none", R"("tests":{)", R"("signature":"x","tests":{)"},
                      Tampering{"SHA-512", oci::Digest::of("manifest").text(), "sha512:" + std::string(128, 'a')}));

TEST(RecordSignature, CoversEveryMemberAndThePurpose) {
  const Secret key("0123456789abcdef0123456789abcdef"), other("0123456789abcdef0123456789abcdeF");
  const auto bare = sample::record(sample::plan());
  auto record = bare;
  record.signature = signature_of(bare, key);
  EXPECT_EQ(record.signature.size(), 12 + 64u);
  EXPECT_EQ(signature_of(record, key), record.signature) << "it is not part of what it covers";
  EXPECT_TRUE(is_signed_with(record, key));
  EXPECT_FALSE(is_signed_with(record, other));
  EXPECT_FALSE(is_signed_with(bare, key));
  std::string json = to_json(bare);
  json.pop_back();
  EXPECT_EQ(record.signature, "hmac-sha256:" + hmac_sha256_hex(key, "crategate record v1\n" + json));
  const auto read = parse_record(to_json(record), "record.json");
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_TRUE(is_signed_with(*read, key));
  record.tests.total += 1;
  EXPECT_FALSE(is_signed_with(record, key));
}

TEST(Record, IsUnreadableWhenItIsNoDocument) {
  for (const std::string text : {"", "null", "[]", "{}", "\n", "\xFF\xFE"}) {
    const auto record = parse_record(text, "record.json");
    ASSERT_FALSE(record) << quoted(text);
    EXPECT_EQ(record.error().code, ErrorCode::gate_refused);
  }
}

TEST(TestResult, ReadsBackEveryVerdict) {
  for (const auto verdict : {TestVerdict::passed, TestVerdict::failed, TestVerdict::none_ran, TestVerdict::timed_out,
                             TestVerdict::cancelled, TestVerdict::not_configured}) {
    TestResult result{.verdict = verdict, .exit_code = -1, .plan_id = "p", .cell = "c"};
    const auto read = parse_test_result(to_json(result), "tests.json");
    ASSERT_TRUE(read) << to_string(verdict);
    EXPECT_EQ(read->verdict, verdict);
    EXPECT_EQ(to_json(*read), to_json(result));
    EXPECT_FALSE(read->config_digest);
  }
}

TEST(TestResult, IsBadInputWhenTamperedWith) {
  const auto text = to_json(TestResult{});
  for (const std::string& bad : {std::string(), std::string("{}"), replace_all(text, "\"total\":0", "\"total\":-1"),
                                 replace_all(text, "\"cell\"", "\"cel\""), replace_all(text, "{", "{\"x\":1,")}) {
    const auto result = parse_test_result(bad, "tests.json");
    ASSERT_FALSE(result) << bad;
    EXPECT_EQ(result.error().code, ErrorCode::bad_input);
    EXPECT_FALSE(result.error().hint.empty());
  }
}

}  // namespace
}  // namespace crategate::pipeline
