// The strict registry itself: what it refuses, so that the suite can fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "conformance/bench.h"

namespace crategate::conformance {
namespace {

using test::RegistryAuth;
using test::RegistryFault;
using test::RegistryQuirk;
using test::RequestKind;
using test::StrictRegistry;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kBlob = "/v2/a/b/blobs/" + oci::Digest::of("blob").text();
const std::string kTag = "/v2/a/b/manifests/v1";
const net::Headers kAccept{{"Accept", concat(oci::kOciManifest, ", ", oci::kOciIndex, ", ", oci::kDockerManifest, ", ",
                                             oci::kDockerManifestList)}};

Result<net::Response> ask(const std::string& host, const std::string& method, const std::string& target,
                          const net::Headers& headers = {}, const std::string& body = {}) {
  net::PosixHttpClient http;
  net::Request request{.method = method, .url = net::Url::parse("http://" + host + "/").value()};
  request.url.target = target;
  request.headers = headers;
  request.body = body;
  request.timeout = std::chrono::seconds(5);
  return http.send(request);
}

struct Refusal {
  const char* name;
  std::string method, target;
  net::Headers headers;
  std::string body, complaint;
};

class StrictRefusal : public testing::TestWithParam<Refusal> {};

TEST_P(StrictRefusal, IsAComplaint) {
  StrictRegistry registry;
  registry.add_blob("a/b", "blob");
  const Refusal& row = GetParam();
  ASSERT_TRUE(ask(registry.host(), row.method, row.target, row.headers, row.body));
  EXPECT_THAT(registry.take_complaints(), Contains(HasSubstr(row.complaint)));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, StrictRefusal,
    testing::Values(
        Refusal{"UpperCasePath", "GET", "/v2/A/b/tags/list", {}, "", "not a repository"},
        Refusal{"EmptyComponent", "GET", "/v2/a//b/tags/list", {}, "", "not a repository"},
        Refusal{"OtherPath", "GET", "/v1/search", {}, "", "no endpoint"},
        Refusal{"Catalog", "GET", "/v2/_catalog", {}, "", "no endpoint"},
        Refusal{"OtherMethod", "DELETE", "/v2/a/b/tags/list", {}, "", "no endpoint"},
        Refusal{"UpperCaseDigest", "GET", "/v2/a/b/blobs/sha256:" + std::string(64, 'A'), {}, "", "not a digest"},
        Refusal{"ShortDigest", "HEAD", "/v2/a/b/blobs/sha256:aa", {}, "", "not a digest"},
        Refusal{"LongTag", "GET", "/v2/a/b/manifests/" + std::string(129, 't'), kAccept, "", "neither a tag"},
        Refusal{"NoAccept", "GET", kTag, {}, "", "no Accept"},
        Refusal{"UnknownParameter", "GET", kBlob + "?x=1", {}, "", "unknown parameter"},
        Refusal{"WrongRange", "GET", kBlob, {{"Range", "bytes=-5"}}, "", "Range"},
        Refusal{"RangeOfAManifest", "GET", kTag, {{"Range", "bytes=0-"}}, "", "Range"},
        Refusal{"Credential", "GET", kBlob, {{"Authorization", "Basic eDp5"}}, "", "asked for none"},
        Refusal{"Cookie", "GET", kBlob, {{"Cookie", "a=b"}}, "", "cookie"},
        Refusal{"BodyOfAGet", "GET", kBlob, {}, "body", "a body"},
        Refusal{"NoTypeOfABlob",
                "POST",
                "/v2/a/b/blobs/uploads/?digest=" + oci::Digest::of("x").text(),
                {},
                "x",
                "of a blob"},
        Refusal{"NoContentRange", "PATCH", "/v2/a/b/blobs/uploads/1?_state=2", {}, "x", "no Content-Range"},
        Refusal{"WrongContentRange",
                "PATCH",
                "/v2/a/b/blobs/uploads/1?_state=2",
                {{"Content-Range", "0-5"}},
                "x",
                "for 1 bytes"},
        Refusal{"OtherUpload",
                "PUT",
                "/v2/a/b/blobs/uploads/1?_state=2&digest=" + oci::Digest::of("").text(),
                {},
                "",
                "never handed out"},
        Refusal{"UploadWithoutDigest", "PUT", "/v2/a/b/blobs/uploads/1?_state=2", {}, "", "its digest is none"},
        Refusal{"ManifestOfNoType", "PUT", kTag, {{"Content-Type", "application/json"}}, "{}", "of a manifest"},
        Refusal{"TwoTypes", "PUT", kTag, {{"Content-Type", "a/b"}, {"Content-Type", "a/b"}}, "{}", "more than once"},
        Refusal{"OtherHost", "GET", kBlob, {{"Host", "registry.example"}}, "", "Host"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(StrictRegistryTest, TakesWhatTheSpecificationSays) {
  StrictRegistry registry;
  registry.add_blob("a/b", "blob");
  EXPECT_EQ(ask(registry.host(), "GET", "/v2/")->status, 200);
  EXPECT_EQ(ask(registry.host(), "HEAD", kBlob)->header("content-length"), "4");
  EXPECT_EQ(ask(registry.host(), "GET", kBlob)->body, "blob");
  const auto part = ask(registry.host(), "GET", kBlob, {{"Range", "bytes=1-2"}});
  EXPECT_EQ(part->status, 206);
  EXPECT_EQ(part->body, "lo");
  EXPECT_EQ(part->header("content-range"), "bytes 1-2/4");
  EXPECT_EQ(ask(registry.host(), "GET", kBlob, {{"Range", "bytes=4-"}})->status, 416);
  EXPECT_EQ(ask(registry.host(), "GET", kTag, kAccept)->status, 404);
  EXPECT_EQ(registry.count(RequestKind::blob_get), 3);
  EXPECT_EQ(registry.log().size(), 6U);
  EXPECT_THAT(registry.take_complaints(), IsEmpty());
}

TEST(StrictRegistryTest, TakesChunksInOrderOnly) {
  StrictRegistry registry;
  const auto started = ask(registry.host(), "POST", "/v2/a/b/blobs/uploads/");
  ASSERT_EQ(started->status, 202);
  const std::string location = net::Url::parse(started->header("location"))->target;
  const auto patch = [&](const std::string& range, const std::string& body) {
    return ask(registry.host(), "PATCH", location,
               {{"Content-Type", "application/octet-stream"}, {"Content-Range", range}}, body);
  };
  EXPECT_EQ(patch("0-1", "bl")->header("range"), "0-1");
  EXPECT_EQ(patch("3-3", "b")->status, 416);
  EXPECT_EQ(patch("0-1", "bl")->status, 416);
  EXPECT_EQ(ask(registry.host(), "GET", location)->header("range"), "0-1");
  EXPECT_EQ(patch("2-3", "ob")->status, 202);
  EXPECT_EQ(ask(registry.host(), "PUT", location + "&digest=" + oci::Digest::of("blob").text())->status, 201);
  EXPECT_EQ(ask(registry.host(), "GET", kBlob)->body, "blob");
  EXPECT_EQ(registry.open_uploads(), 0U);
}

TEST(StrictRegistryTest, SeesACredentialThatLeaks) {
  StrictRegistry registry({.auth = RegistryAuth::token, .rules = {.quirks = {RegistryQuirk::blobs_elsewhere}}});
  const net::Headers login{{"Authorization", "Basic " + base64(concat(test::kWriter, ":", test::kWriterPassword))}};
  ASSERT_TRUE(ask(registry.storage_host(), "GET", kBlob, login));
  EXPECT_THAT(registry.take_complaints(), Contains(HasSubstr("leaks")));
  ASSERT_TRUE(ask(registry.host(), "GET", concat("/v2/a/b/tags/list?last=", test::kWriterPassword)));
  EXPECT_THAT(registry.take_complaints(), Contains(HasSubstr("outside of Authorization")));
  ASSERT_TRUE(ask(registry.host(), "GET", kBlob, login));
  EXPECT_THAT(registry.take_complaints(), Contains(HasSubstr("another scheme")));
}

TEST(StrictRegistryTest, GivesATokenForWhatItsUserMayDo) {
  StrictRegistry registry({.auth = RegistryAuth::token});
  registry.add_blob("a/b", "blob");
  EXPECT_THAT(ask(registry.host(), "GET", kBlob)->header("www-authenticate"), HasSubstr("repository:a/b:pull"));
  const net::Headers login{{"Authorization", "Basic " + base64(concat(test::kReader, ":", test::kReaderPassword))}};
  const auto given = ask(registry.host(), "GET", "/token?service=strict&scope=repository%3Aa%2Fb%3Apull%2Cpush", login);
  ASSERT_EQ(given->status, 200);
  const auto document = json::Document::parse(given->body, "token");
  const net::Headers bearer{{"Authorization", "Bearer " + document->root().string("token").value()}};
  EXPECT_EQ(ask(registry.host(), "GET", kBlob, bearer)->body, "blob");
  const auto refused = ask(registry.host(), "POST", "/v2/a/b/blobs/uploads/", bearer);
  EXPECT_EQ(refused->status, 401);
  EXPECT_THAT(refused->header("www-authenticate"), HasSubstr("insufficient_scope"));
  EXPECT_EQ(ask(registry.host(), "GET", "/v2/c/d/tags/list", bearer)->status, 401);
}

TEST(StrictRegistryTest, FailsAsItIsTold) {
  StrictRegistry registry;
  registry.add_blob("a/b", std::string(1000, 'b'));
  const std::string target = "/v2/a/b/blobs/" + oci::Digest::of(std::string(1000, 'b')).text();
  using Kind = RegistryFault::Kind;
  for (const Kind kind : {Kind::reset_before, Kind::reset_after, Kind::truncated}) {
    registry.inject(RequestKind::blob_get, {.kind = kind});
    EXPECT_FALSE(ask(registry.host(), "GET", target)) << static_cast<int>(kind);
  }
  registry.inject(RequestKind::blob_get, {.kind = Kind::status, .status = 503, .headers = {{"Retry-After", "1"}}});
  EXPECT_EQ(ask(registry.host(), "GET", target)->status, 503);
  registry.inject(RequestKind::blob_get, {.kind = Kind::wrong_digest});
  EXPECT_NE(ask(registry.host(), "GET", target)->body, std::string(1000, 'b'));
  registry.inject(RequestKind::blob_get, {.kind = Kind::slow});
  EXPECT_EQ(ask(registry.host(), "GET", target)->body, std::string(1000, 'b'));
  registry.inject(RequestKind::blob_get, {.kind = Kind::redirect_elsewhere}, 1, 1);
  EXPECT_EQ(ask(registry.host(), "GET", target)->status, 200);
  EXPECT_EQ(ask(registry.host(), "GET", target)->status, 307);
  registry.inject(RequestKind::blob_get, {.kind = Kind::refused});
  EXPECT_FALSE(ask(registry.host(), "GET", target));
  EXPECT_FALSE(ask(registry.host(), "GET", target)) << "still down";
  registry.recover();
  EXPECT_EQ(ask(registry.host(), "GET", target)->status, 200);
}

}  // namespace
}  // namespace crategate::conformance
