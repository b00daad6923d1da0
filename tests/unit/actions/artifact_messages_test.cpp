// The bodies of calls, as the official client's are; names; requests to the storage; pauses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actions/artifact_messages.h"
#include "actions/block_storage.h"
#include "actions/patience.h"
#include "base/secret.h"
#include "base/strings.h"
#include "support/fakes.h"

namespace crategate::actions {
namespace {

using testing::HasSubstr;
using testing::Not;

const BackendIds kIds{"R", "J"};
const net::Url kService{"https", "results.example", 443, "/"};

TEST(ArtifactRequest, HasTheFieldsThatTheServiceKnows) {
  EXPECT_EQ(encode_create(kIds, {"n1", "2026-11-23T09:29:18Z", "application/zip"}),
            R"({"expires_at":"2026-11-23T09:29:18Z","mime_type":"application/zip","name":"n1","version":7,)"
            R"("workflow_job_run_backend_id":"J","workflow_run_backend_id":"R"})");
  EXPECT_EQ(encode_create(kIds, {"n1", "", ""}),
            R"({"name":"n1","version":4,"workflow_job_run_backend_id":"J","workflow_run_backend_id":"R"})");
  EXPECT_EQ(encode_finalize(kIds, "n1", 135, "sha256:ab"),
            R"({"hash":"sha256:ab","name":"n1","size":"135","workflow_job_run_backend_id":"J",)"
            R"("workflow_run_backend_id":"R"})");
  EXPECT_EQ(encode_list(kIds, "n1"),
            R"({"name_filter":"n1","workflow_job_run_backend_id":"J","workflow_run_backend_id":"R"})");
  EXPECT_EQ(encode_list(kIds, std::nullopt), R"({"workflow_job_run_backend_id":"J","workflow_run_backend_id":"R"})");
}

TEST(ArtifactAnswer, IsReadInBothSpellingsAndNumberForms) {
  const std::string snake = R"({"artifacts":[{"workflow_run_backend_id":"R","workflow_job_run_backend_id":"J",)"
                            R"("database_id":"7","name":"a","size":"12","created_at":"t","digest":"sha256:x"},)"
                            R"({"name":"b","database_id":9}],"more":1})";
  const std::string camel = R"({"artifacts":[{"workflowRunBackendId":"R","workflowJobRunBackendId":"J",)"
                            R"("databaseId":7,"name":"a","size":12,"createdAt":"t","digest":"sha256:x"},)"
                            R"({"name":"b","databaseId":"9","digest":null}]})";
  for (const std::string& body : {snake, camel}) {
    const auto artifacts = decode_list(body, false);
    ASSERT_TRUE(artifacts) << describe(artifacts.error());
    ASSERT_EQ(artifacts->size(), 2u);
    EXPECT_EQ(artifacts->at(0).id, 9) << "the newest first";
    EXPECT_EQ(artifacts->at(0).size, 0u);
    EXPECT_EQ(artifacts->at(1), (Artifact{"a", 7, 12, "sha256:x", "t", "R", "J"}));
  }
  EXPECT_EQ(decode_list(snake, true)->at(1).size, std::nullopt);
  EXPECT_TRUE(decode_list("{}", false)->empty());
  EXPECT_EQ(decode_finalized(R"({"ok":true,"artifact_id":"5"})").value(), 5);
  EXPECT_EQ(decode_finalized(R"({"ok":true,"artifactId":5})").value(), 5);
}

TEST(ArtifactAnswer, ThatMakesNoSenseIsAnError) {
  for (const char* body : {"", "[]", "null", "text", "{", R"({"artifacts":{}})", R"({"artifacts":[1]})",
                           R"({"artifacts":[{}]})", R"({"artifacts":[{"name":"a","size":"-1"}]})",
                           R"({"artifacts":[{"name":"a","size":1.5}]})", R"({"artifacts":[{"name":"a","size":true}]})",
                           R"({"artifacts":[{"name":"a","database_id":"99999999999999999999"}]})"}) {
    const auto refused = decode_list(body, false);
    ASSERT_FALSE(refused) << body;
    EXPECT_EQ(refused.error().code, ErrorCode::artifact_service) << body;
  }
  for (const char* body : {"", "{}", R"({"ok":false,"artifact_id":"5"})", R"({"ok":"true","artifact_id":"5"})",
                           R"({"ok":true})", R"({"ok":true,"artifact_id":"x"})", R"({"ok":true,"artifact_id":"0"})"})
    EXPECT_FALSE(decode_finalized(body)) << body;
}

TEST(ArtifactAnswer, HasASignedAddressThatNobodyGetsToSee) {
  const std::string target = "/c/b?sv=1&sig=aBc%2BdEf%2F0123%3D&se=2";
  const auto url = decode_signed_url(concat(R"({"ok":true,"signed_upload_url":"https://blob.example)", target, "\"}"),
                                     "CreateArtifact", kService);
  ASSERT_TRUE(url) << describe(url.error());
  EXPECT_EQ(url->target, target) << "the query is kept byte for byte";
  EXPECT_THAT(redact(url->text()), Not(HasSubstr("aBc")));
  EXPECT_THAT(redact("aBc+dEf/0123="), Not(HasSubstr("dEf")));
  for (const char* address : {"", "http://blob.example/?sig=hidden99", "ftp://h/?sig=hidden99", "https://?sig=hidden99",
                              "https://u:p@h/?sig=hidden99", "/x?sig=hidden99"}) {
    const auto refused =
        decode_signed_url(concat(R"({"signed_url":")", address, "\"}"), "GetSignedArtifactURL", kService);
    ASSERT_FALSE(refused) << address;
    EXPECT_THAT(describe(refused.error()), Not(HasSubstr("hidden99"))) << address;
  }
}

TEST(ArtifactName, IsCheckedAsTheServiceDoes) {
  for (const std::string& good :
       {std::string("a"), std::string("test-logs ä (1).x"), std::string(".."), std::string(kLongestArtifactName, 'x')})
    EXPECT_TRUE(check_artifact_name(good)) << good;
  for (const char c : std::string_view("\":<>|*?\r\n\\/\t\x01\x7f")) {
    const auto refused = check_artifact_name(concat("a", c, "b"));
    ASSERT_FALSE(refused) << c;
    EXPECT_EQ(refused.error().code, ErrorCode::bad_input);
    EXPECT_THAT(refused.error().message, HasSubstr(quoted(std::string(1, c))));
  }
  EXPECT_FALSE(check_artifact_name(""));
  EXPECT_FALSE(check_artifact_name(std::string_view("a\0b", 3)));
  EXPECT_FALSE(check_artifact_name("\xff"));
  EXPECT_FALSE(check_artifact_name(std::string(kLongestArtifactName + 1, 'x')));
}

TEST(ArtifactStorage, AddsToASignedQueryAndNeverToItsMeaning) {
  const net::Url url{"https", "blob.example", 443, "/c/b?sig=a%2Bb%3D&se=1"};
  const net::Request block = put_block(url, "aW+/=", "bytes");
  EXPECT_EQ(block.url.target, "/c/b?sig=a%2Bb%3D&se=1&comp=block&blockid=aW%2B%2F%3D");
  EXPECT_EQ(block.source_length, 5u);
  const net::Request list = put_block_list(url, {"AA==", "BB=="}, "text/plain");
  EXPECT_EQ(list.url.target, "/c/b?sig=a%2Bb%3D&se=1&comp=blocklist");
  EXPECT_EQ(list.body,
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
            "<BlockList><Latest>AA==</Latest><Latest>BB==</Latest></BlockList>");
  EXPECT_EQ(put_block_list(net::Url{"https", "h", 443, "/b"}, {}, "").url.target, "/b?comp=blocklist");
  EXPECT_EQ(get_range(url, "5-", "W/\"weak\"").headers.size(), 1u);
  EXPECT_EQ(get_range(url, "5-", "\"strong\"").headers.size(), 2u);
}

TEST(ArtifactStorage, ShowsTheCodeOfARefusalAndNothingElse) {
  const net::Url url{"https", "blob.example", 443, "/c/b?sig=hidden99"};
  const net::Response refused{.status = 403,
                              .body = "<Error><Code>AuthenticationFailed</Code><Detail>sig=hidden99</Detail></Error>"};
  const Error error = storage_failure("sending 5 B", put_block(url, "AA==", "x"), refused);
  EXPECT_THAT(describe(error), HasSubstr("403 AuthenticationFailed"));
  EXPECT_THAT(describe(error), Not(HasSubstr("hidden99")));
  const net::Response odd{.status = 403, .body = "<Code>sig=hidden99</Code>"};
  EXPECT_THAT(describe(storage_failure("x", get_blob(url), odd)), Not(HasSubstr("hidden99")));
  EXPECT_EQ(first_of_range({.headers = {{"Content-Range", "bytes 5-9/10"}}}), 5u);
  for (const char* other : {"", "bytes */10", "items 5-9/10", "bytes", "bytes -5"})
    EXPECT_EQ(first_of_range({.headers = {{"Content-Range", other}}}), std::nullopt) << other;
}

TEST(ArtifactPatience, EndsWithTheTriesTheTimeOrARequestThatIsTooMuch) {
  test::FakeClock clock;
  PatienceLimits limits{.policy = {.tries = 3}, .random = [] { return 0.0; }};
  Patience patience(clock, limits);
  EXPECT_TRUE(patience.wait(1, net::Response{.status = 503}).value());
  EXPECT_TRUE(patience.wait(2, fail(ErrorCode::unavailable, "reset")).value());
  EXPECT_FALSE(patience.wait(3, net::Response{.status = 503}).value());
  EXPECT_EQ(clock.sleeps(),
            (std::vector<std::chrono::milliseconds>{std::chrono::milliseconds(250), std::chrono::milliseconds(500)}));
  for (const int status : {200, 400, 401, 403, 404, 409, 416})
    EXPECT_FALSE(patience.wait(1, net::Response{.status = status}).value()) << status;
  EXPECT_FALSE(patience.wait(1, fail(ErrorCode::integrity, "a certificate")).value());
  EXPECT_TRUE(patience.wait(1, net::Response{.status = 429, .headers = {{"Retry-After", "120"}}}).value());
  EXPECT_FALSE(patience.wait(1, net::Response{.status = 429, .headers = {{"Retry-After", "121"}}}).value());
  clock.advance(std::chrono::minutes(10));
  EXPECT_FALSE(patience.wait(1, net::Response{.status = 503}).value());
  patience.made_progress();
  EXPECT_TRUE(patience.wait(1, net::Response{.status = 503}).value());
}

}  // namespace
}  // namespace crategate::actions
